"""The files of a unit: tables, arrays and, if asked for, a video to look at."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mmforecast.apis.inferencers.results import Forecast, plain_forecast
from mmforecast.datasets.video import VIDEO_SUFFIXES, is_video
from mmforecast.fileio.atomic import flush_folder
from mmforecast.fileio.download import DownloadError
from mmforecast.fileio.remote import fetch, file_name
from mmforecast.utils.addresses import is_address

from .arrays import ArrayWriter
from .parquet import TableWriter
from .rows import FORECASTS, INSTANCES, SEGMENTS, forecast_rows, instance_rows, segment_rows
from .writing import durable_file, make_folder, writing

__all__ = ['FOLDERS', 'UnitFiles', 'local_copy', 'remove_files', 'remove_partial_files']

# Kinds of files: each has a folder, in which every unit has a file at most.
FOLDERS = dict(
    forecasts='.parquet',
    instances='.parquet',
    segments='.parquet',
    labels='.npz',
    panoptic='.npz',
    frames='.npz',
    videos='.mp4',
)
# Copies of videos by address, as long as they are read.
COPIES = '.copies'
_TABLES = dict(forecasts=FORECASTS, instances=INSTANCES, segments=SEGMENTS)
# Keys of plain forecasts by kind.
_ARRAYS = dict(labels='sem_seg', panoptic='panoptic', frames='rgb')


class UnitFiles:
    """Writes the results of a unit as they come; a context manager. All files are complete, or absent.

    Args:
        folder: The batch's output folder.
        name: Of the unit.
        video: The path that rows name.
        classes: Names of the instances' labels.
        keep_frames: Store forecast frames, too.
        open_video: Opens the MP4 file of a path, and gives a function that adds the picture of a forecast.
    """

    def __init__(
        self,
        folder: str,
        name: str,
        video: str,
        classes: tuple[str, ...] | None = None,
        keep_frames: bool = False,
        open_video: Callable | None = None,
    ):
        self.folder = Path(folder)
        self.name = name
        self.video = _storable(video)
        self.classes = classes
        self.keep_frames = keep_frames
        self.num_forecasts = self.num_instances = 0
        self.paths: list[str] = []
        self._open_video = open_video
        self._tables: dict[str, TableWriter] = {}
        self._arrays: dict[str, ArrayWriter] = {}
        self._add_picture = None
        self._stack = ExitStack()

    def __enter__(self) -> 'UnitFiles':
        try:
            self._add_rows('forecasts', [])
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind, error, trace) -> None:
        finish = kind is None
        try:
            for name, writer in [*self._tables.items(), *self._arrays.items()]:
                if finish:
                    with writing(self._path(name)):
                        writer.close()
                else:
                    with suppress(Exception):  # it is removed
                        writer.close()
            if not finish:
                self._stack.__exit__(kind, error, trace)
                return
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        with writing(self.folder):
            self._stack.close()
            for name in sorted({Path(path).parts[0] for path in self.paths}):
                flush_folder(str(self.folder / name))

    def add(self, forecast: Forecast) -> None:
        """Write a forecast.

        Raises:
            ResultsError: A file cannot be written.
        """
        plain = plain_forecast(forecast, self.classes)
        self._add_rows('forecasts', forecast_rows(self.video, plain))
        if 'instances' in plain:
            found = instance_rows(self.video, plain)
            self._add_rows('instances', found)
            self.num_instances += len(found)
        if 'segments_info' in plain:
            self._add_rows('segments', segment_rows(self.video, plain))
        self.num_forecasts += 1
        for kind, key in _ARRAYS.items():
            if key in plain and (self.keep_frames or kind != 'frames'):
                self._add_array(kind, f'{plain["last_frame"]:07d}', plain[key])
        if self._open_video is not None:
            with writing(self._path('videos')):
                if self._add_picture is None:
                    self._add_picture = self._stack.enter_context(self._open_video(self._new('videos')))
                self._add_picture(forecast)

    def _add_rows(self, kind: str, rows: list[dict]) -> None:
        with writing(self._path(kind)):
            if kind not in self._tables:
                self._tables[kind] = TableWriter(self._partial(kind), _TABLES[kind])
            self._tables[kind].add(rows)

    def _add_array(self, kind: str, name: str, array) -> None:
        with writing(self._path(kind)):
            if kind not in self._arrays:
                self._arrays[kind] = ArrayWriter(self._partial(kind))
            self._arrays[kind].add(name, array)

    def _partial(self, kind: str) -> Path:
        return self._stack.enter_context(durable_file(self._new(kind)))

    def _new(self, kind: str) -> Path:
        """The path of a file that is about to be written."""
        path = self._path(kind)
        make_folder(path.parent)
        self.paths.append(path.relative_to(self.folder).as_posix())
        return path

    def _path(self, kind: str) -> Path:
        return self.folder / kind / f'{self.name}{FOLDERS[kind]}'


def remove_files(folder: Path, name: str) -> None:
    """Remove the files of a unit, and what a killed process left of them.

    Raises:
        ResultsError: A file cannot be removed.
    """
    for kind, suffix in FOLDERS.items():
        path = folder / kind / f'{name}{suffix}'
        with writing(path):
            for file in (path, *path.parent.glob(f'.{path.name}.*.partial')):
                file.unlink(missing_ok=True)
    _remove_copy(folder / COPIES / name)


def remove_partial_files(folder: Path, owned: Callable[[str], bool]) -> None:
    """Remove what killed processes left of any of the units that ``owned`` accepts by name.

    Raises:
        ResultsError: A file cannot be removed.
    """
    for kind, suffix in FOLDERS.items():
        for file in (folder / kind).glob(f'.*{suffix}.*.partial'):
            if owned(file.name[1:].partition(suffix)[0]):
                with writing(file):
                    file.unlink(missing_ok=True)
    for copy in (folder / COPIES).glob('*'):
        if owned(copy.name):
            _remove_copy(copy)


@contextmanager
def local_copy(folder: Path, name: str, video: str) -> Iterator[str]:
    """The path of a video by address, copied into the output folder for the time of the block.

    Args:
        folder: The output folder.
        name: Of the unit.
        video: Path or address.

    Raises:
        DownloadError: It cannot be read.
        ResultsError: The copy cannot be written.
        ValueError: It is no video.
    """
    if not is_address(video):
        yield video
        return
    if not is_video(file_name(video)):
        raise ValueError(f'{video} is not the address of a video ({", ".join(VIDEO_SUFFIXES)})')
    copy = folder / COPIES / name
    make_folder(copy)
    try:
        path = copy / file_name(video)
        try:
            fetch(video, path)
        except DownloadError:
            raise
        except OSError as error:
            with writing(path):
                raise error
        yield str(path)
    finally:
        _remove_copy(copy)


def _remove_copy(copy: Path) -> None:
    """Remove what was fetched for a unit, and the folder of such copies after the last one."""
    if copy.exists():
        with writing(copy):
            shutil.rmtree(copy)
        with suppress(OSError):  # others are in it
            copy.parent.rmdir()


def _storable(text: str) -> str:
    """A path as UTF-8 text; bytes of a name that are no UTF-8 are written as ``\\xff``."""
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')
