"""Files by address: http(s) by the standard library, others (s3, gs, ...) by fsspec."""

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from mmforecast.version import __version__

from .download import DownloadError, open_address

__all__ = ['expand_address', 'fetch', 'file_name', 'storage_of']

_PLAIN = ('http', 'https')
_PART = 1 << 20


def file_name(address: str) -> str:
    """The last part of an address, without a query and with its characters unescaped."""
    if _scheme(address) not in _PLAIN:
        return os.path.basename(address)
    return os.path.basename(unquote(urlsplit(address).path))


def expand_address(address: str, wanted: Callable[[str], bool]) -> list[str]:
    """The files that an address names: one, those that match a pattern, or all in a folder, at any depth.

    Args:
        address: Those of servers (http, https) name one file always.
        wanted: Accepts the names of files in folders and of matches.

    Raises:
        DownloadError: The storage cannot be listed.
        FileNotFoundError: Nothing matches, or nothing wanted is in the folder.
        ImportError: A package that the storage needs is not installed.
    """
    if _scheme(address) in _PLAIN:
        return [address]
    with storage_of(address, 'listed') as (storage, path):
        if any(character in path for character in '*?['):
            found = storage.glob(path)
        elif storage.isdir(path):
            found = storage.find(path)
        else:
            return [address]
    files = sorted(file for file in found if wanted(file))
    if not files:
        raise FileNotFoundError(f'there is no video at {address}')
    return [storage.unstrip_protocol(file) for file in files]


@contextmanager
def storage_of(address: str, action: str = 'read') -> Iterator[tuple[Any, str]]:
    """The ``fsspec.AbstractFileSystem`` of an address, and the path in it; not for web servers.

    Args:
        address: Of a file or a folder.
        action: What the block does with it, for the sentence of an error.

    Raises:
        DownloadError: There is no such storage, or the block raised an error, of whatever kind.
        ImportError: A package that the storage needs is not installed.
        ValueError: It is the address of a web server.
    """
    storage, path = _open_storage(address)
    try:
        yield storage, path
    except (DownloadError, _WriteError):
        raise
    except Exception as error:
        raise DownloadError(f'{address} cannot be {action} ({_reason(error)})') from error


def _open_storage(address: str) -> tuple[Any, str]:
    """The storage of an address, and the path in it.

    Raises:
        DownloadError: There is no such storage.
        ImportError: A package that the storage needs is not installed.
        ValueError: It is the address of a web server.
    """
    if _scheme(address) in _PLAIN:
        raise ValueError(
            f'{address} is on a web server, which does not list its files: give a storage (s3, gs, ...), or a '
            'folder'
        )
    fsspec = _import_fsspec(address)
    try:
        return fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise ImportError(f'{address}: {error}') from error
    except ValueError as error:
        raise DownloadError(f'{address} is no address of a storage that fsspec knows ({error})') from error


def fetch(address: str, path: str | os.PathLike) -> None:
    """Copy a file to this machine.

    Args:
        address: The file.
        path: Where to; its folder exists.

    Raises:
        DownloadError: There is no connection, no such file or no access, or the copy broke off.
        ImportError: A package that the storage needs is not installed.
        OSError: The copy cannot be written.
    """
    if _scheme(address) in _PLAIN:
        _fetch_plain(address, Path(path))
        return
    try:
        with storage_of(address) as (storage, remote), storage.open(remote, 'rb') as source:
            length = getattr(source, 'size', None)
            copied = _copy(source, Path(path))
    except _WriteError as error:
        raise error.__cause__ from None
    _check_length(address, copied, length)


def _fetch_plain(address: str, path: Path) -> None:
    asked = request.Request(address, headers={'User-Agent': f'mmforecast/{__version__}'})
    try:
        with open_address(asked) as response:
            length = response.headers.get('Content-Length')
            copied = _copy(response, path)
    except _WriteError as error:
        raise error.__cause__ from None
    except HTTPError as error:
        raise DownloadError(f'{address} cannot be read ({error.code} {error.reason})') from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise DownloadError(f'{address} cannot be read ({_reason(cause)})') from error
    _check_length(address, copied, None if length is None else int(length))


class _WriteError(Exception):
    """Its cause is an error of this machine's disk, unlike those of the storage."""


def _copy(source, path: Path) -> int:
    """Copy a stream to a file, and return its length."""
    copied = 0
    with _write_errors():
        target = open(path, 'wb', buffering=0)  # closing it writes nothing
    with target:
        while part := source.read(_PART):
            rest = memoryview(part)
            while rest:
                with _write_errors():
                    rest = rest[target.write(rest) :]
            copied += len(part)
    return copied


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _WriteError from error


def _check_length(address: str, copied: int, length: int | None) -> None:
    if length is not None and copied != length:
        raise DownloadError(
            f'{address} cannot be read (the connection was closed after {copied / 1e6:.1f} of '
            f'{length / 1e6:.1f} MB)'
        )


def _scheme(address: str) -> str:
    return address.partition('://')[0].lower()


def _import_fsspec(address: str) -> ModuleType:
    try:
        import fsspec
    except ImportError as error:
        raise ImportError(
            f'{address} is read by fsspec, which is not installed: pip install fsspec'
        ) from error
    return fsspec


def _reason(error: object) -> str:
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__
