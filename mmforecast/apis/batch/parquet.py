"""Parquet files of rows, written piece by piece."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from mmforecast.version import __version__

from .rows import SCHEMA_VERSION, Column

__all__ = ['TableWriter', 'require_pyarrow', 'schema_of']

# Rows of a row group, which are in memory at once.
_GROUP = 20_000


def require_pyarrow() -> ModuleType:
    """The module ``pyarrow``.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            'results of a batch are Parquet files, which need pyarrow, and it is not installed: '
            "pip install pyarrow, or pip install 'mmforecast[batch]'"
        ) from error
    return pyarrow


def schema_of(columns: Sequence[Column]):
    """The ``pyarrow.Schema`` of columns, with the versions that it is of in its metadata."""
    pa = require_pyarrow()
    types = dict(
        string=pa.string(),
        bool=pa.bool_(),
        int32=pa.int32(),
        int64=pa.int64(),
        float32=pa.float32(),
        float64=pa.float64(),
        mask=pa.struct(dict(size=pa.list_(pa.int32()), counts=pa.string())),
    )
    fields = [pa.field(column.name, types[column.type], column.nullable) for column in columns]
    return pa.schema(fields, {'mmforecast.schema_version': str(SCHEMA_VERSION), 'mmforecast': __version__})


class TableWriter:
    """A Parquet file that rows are added to; complete after :meth:`close`.

    Args:
        path: The file.
        columns: Its columns.
    """

    def __init__(self, path: Path, columns: Sequence[Column]):
        self._pa = require_pyarrow()
        import pyarrow.parquet

        self._schema = schema_of(columns)
        self._writer = pyarrow.parquet.ParquetWriter(str(path), self._schema, compression='zstd')
        self._rows: list[dict] = []
        self.num_rows = 0

    def add(self, rows: Sequence[dict]) -> None:
        """Append rows."""
        self._rows += rows
        self.num_rows += len(rows)
        if len(self._rows) >= _GROUP:
            self._flush()

    def close(self, finish: bool = True) -> None:
        """Close the file; without ``finish``, whatever is in it."""
        if finish and (self._rows or not self.num_rows):
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(self._pa.Table.from_pylist(self._rows, self._schema))
        self._rows = []
