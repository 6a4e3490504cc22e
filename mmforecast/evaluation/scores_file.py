"""JSON files of metrics."""

import json
import os
from collections.abc import Mapping

from mmforecast.fileio import write_atomically

__all__ = ['write_scores']


def write_scores(path: str | os.PathLike, metrics: Mapping[str, float]) -> None:
    """Write metrics by name; missing folders are made.

    Raises:
        ValueError: The file's name does not end in .json.
    """
    if not str(path).endswith('.json'):
        raise ValueError(f'metrics are written as a .json file, got {str(path)!r}')
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write_atomically(str(path), json.dumps(dict(metrics), indent=2, default=float).encode())
