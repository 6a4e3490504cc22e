"""Files of a dataset, from a folder or in place from a zip archive, on this machine or in a storage.

A path into an archive is the archive's path with the member's name after it:
``gtFine.zip/gtFine/val/...png``. Any path may be an address of a storage: ``s3://bucket/gtFine/val/...png``.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator

from mmforecast.fileio.remote import storage_of
from mmforecast.utils.addresses import is_address

from .corrupt_files import CorruptFileError
from .junk_files import is_junk, is_junk_path, visible_entries

__all__ = ['CorruptFrameError', 'FileReader', 'find_tree', 'list_tree']

_ARCHIVE_MARK = '.zip/'

# Of one file; larger ones are refused unread. A 16-bit frame of 64 megapixels has 384 MB.
MAX_BYTES = 2**29

# Of a damaged archive, of one with a password, and of an unknown kind of compression.
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


class CorruptFrameError(CorruptFileError):
    """A file of one frame is missing or can't be decoded; the message names file and sequence."""


def find_tree(prefix: str) -> str | None:
    """Where a tree of files is; None where there is nothing.

    That is the folder ``prefix``, else the archive ``prefix``, ``<prefix>.zip`` or
    ``<prefix>_trainvaltest.zip``, as Cityscapes names its downloads.

    Args:
        prefix: Path, or address of a storage that lists its files.

    Raises:
        ImportError: A package that the storage needs is not installed.
        OSError: The storage does not answer.
        ValueError: It is the address of a web server.
    """
    prefix = os.fspath(prefix)  # mmengine's forks join data_root as it is given, a Path too
    if _is_folder(prefix):
        return prefix
    for path in (prefix, f'{prefix}.zip', f'{prefix}_trainvaltest.zip'):
        if path.endswith('.zip') and _is_file(path):
            return path
    return None


def list_tree(tree: str, split: str) -> Iterator[tuple[str, str, str]]:
    """All files ``<split>/<folder>/<name>`` of a tree as (folder, name, path), in any order; no junk."""
    if tree.endswith('.zip'):
        with _open_archive(tree) as archive:
            members = archive.namelist()
        for member in members:
            *_, parent, folder, name = ('', '', *member.split('/'))
            if parent == split and name and not is_junk_path(member):
                yield folder, name, f'{tree}/{member}'
        return
    root = os.path.join(tree, split)
    if is_address(tree):
        yield from _list_storage(root)
        return
    for folder in visible_entries(root):
        if folder.is_dir():
            for entry in visible_entries(folder.path):
                yield folder.name, entry.name, entry.path


def _list_storage(root: str) -> Iterator[tuple[str, str, str]]:
    """As :func:`list_tree`, of a folder of a storage."""
    with storage_of(root) as (storage, inside):
        paths = storage.find(inside)
    for path in paths:
        parts = path[len(inside) :].strip('/').split('/')
        if len(parts) == 2 and not any(map(is_junk, parts)):
            yield *parts, storage.unstrip_protocol(path)


def _is_folder(path: str) -> bool:
    if not is_address(path):
        return os.path.isdir(path)
    with storage_of(path) as (storage, inside):
        return storage.isdir(inside)


def _is_file(path: str) -> bool:
    if not is_address(path):
        return os.path.isfile(path)
    with storage_of(path) as (storage, inside):
        return storage.isfile(inside)


def _open_archive(path: str) -> zipfile.ZipFile:
    if not is_address(path):
        return zipfile.ZipFile(path)
    with storage_of(path) as (storage, inside):
        file = storage.open(inside, 'rb')
    return zipfile.ZipFile(file)


class FileReader:
    """Reads files, and members of archives through one handle per archive and process.

    A handle shared by forked processes would share its file position; so handles belong to the
    process that opened them, and are neither pickled nor copied.
    """

    def __init__(self):
        self._archives: dict[tuple[int, str], zipfile.ZipFile] = {}

    def __getstate__(self) -> dict:
        return dict(_archives={})

    def read(self, path: str) -> bytes:
        """The file's bytes.

        Raises:
            OSError: The file, archive or member is missing, unreadable, too large, or no plain file.
        """
        if _ARCHIVE_MARK not in path:
            if is_address(path):
                return _read_storage(path)
            state = os.stat(path)
            if not stat.S_ISREG(state.st_mode):  # a pipe would keep us waiting, a device never end
                raise OSError('it is no regular file')
            _check_bytes(state.st_size)
            with open(path, 'rb') as file:
                return file.read()
        stem, member = path.split(_ARCHIVE_MARK, 1)
        archive = self._archive(f'{stem}.zip')
        try:
            _check_bytes(archive.getinfo(member).file_size)
            return archive.read(member)  # no more than that, and not to the disk
        except KeyError as error:
            raise FileNotFoundError(f'no member {member} in {stem}.zip') from error
        except _BAD_ARCHIVE as error:
            raise OSError(f'{stem}.zip: {error}') from error

    def _archive(self, path: str) -> zipfile.ZipFile:
        key = (os.getpid(), path)
        if key not in self._archives:
            try:
                self._archives[key] = _open_archive(path)
            except _BAD_ARCHIVE as error:
                raise OSError(f'{path}: {error}') from error
        return self._archives[key]


def _read_storage(path: str) -> bytes:
    """The bytes of a file in a storage."""
    with storage_of(path) as (storage, inside):
        _check_bytes(storage.size(inside) or 0)
        return storage.cat_file(inside)


def _check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        raise OSError(f'it has {size} bytes, more than the {MAX_BYTES} allowed')
