"""Downloads of weights: cached as by ``torch.hub``, resumed after a break, checked by the hash in the name."""

import hashlib
import http.client
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import torch

from mmforecast.fileio.partial_file import resumable_file
from mmforecast.utils.progress import progress_bar
from mmforecast.version import __version__

__all__ = ['DownloadError', 'cache_folder', 'cached_download', 'open_address']

SCHEMES = ('http', 'https', 'file')
# Names of published weights end with the first digits of their SHA-256, as in rtmdet-ins_tiny-ec670f7e.pth.
_HASH = re.compile(r'-([0-9a-f]{8,64})\.\w+$')
_TIMEOUT = 30  # seconds that a server may be silent
_PART = 1 << 20
_NOTHING_LEFT = 416  # the HTTP status of a range that begins at the end of the file


class DownloadError(OSError):
    """A file that cannot be downloaded, or is not the one that was asked for; the message says what to do."""


def cache_folder() -> Path:
    """The folder of downloaded weights, which other users of ``torch.hub`` share; ``TORCH_HOME`` moves it."""
    return Path(torch.hub.get_dir(), 'checkpoints')


def cached_download(url: str, progress: bool = True) -> Path:
    """The path of a file in the cache; where it is not there yet, it is downloaded.

    A download that breaks off leaves ``<name>.partial``, which the next call continues if the name has a hash
    to check the whole by; without one it starts again. Processes that ask for the same file wait for the one
    that downloads it.

    Args:
        url: Address, http(s) or file. Its last part is the name of the file in the cache.
        progress: Show a progress bar on stderr.

    Raises:
        DownloadError: There is no connection or no such file, the download broke off, the hash is another
            one, or the cache cannot be written.
    """
    name = os.path.basename(urlsplit(url).path)
    if urlsplit(url).scheme not in SCHEMES or name in ('', '.', '..'):
        raise DownloadError(
            f'{url!r} is no address of a file: it must begin with http://, https:// or file://'
        )
    path = cache_folder() / name
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _download(url, path, progress)
        except DownloadError:
            raise
        except OSError as error:
            raise DownloadError(
                f'{path.parent}, where {name} is to be kept, cannot be written ({error.strerror or error}): '
                'set TORCH_HOME to a folder that can be written, with enough space'
            ) from error
    digest = _wrong_digest(path, name)
    if digest is not None:
        raise DownloadError(
            f'{path} is not the file that its name says: its SHA-256 begins with {digest}, so it was cut '
            f'short or changed; remove it, and it is downloaded again from {url}'
        )
    return path


def _download(url: str, path: Path, progress: bool) -> None:
    with resumable_file(path) as handle:
        if handle is None:
            return
        if _HASH.search(path.name) is None:
            handle.truncate(0)
        _append_rest(url, handle, path, progress)
        digest = _wrong_digest(Path(handle.name), path.name)
        if digest is not None:
            handle.truncate(0)
            raise DownloadError(
                f'the download of {url} is not the file that its name says: its SHA-256 begins with {digest}; '
                f'it was removed; try again, or get the file from elsewhere and put it at {path}'
            )


def _append_rest(url: str, handle: IO[bytes], path: Path, progress: bool) -> None:
    """Append what ``handle`` lacks of the file at ``url``."""
    start = handle.seek(0, os.SEEK_END)
    headers = {'User-Agent': f'mmforecast/{__version__}'}
    if start:
        headers['Range'] = f'bytes={start}-'
    try:
        response = open_address(request.Request(url, headers=headers))
    except HTTPError as error:
        if start and error.code == _NOTHING_LEFT:
            return
        raise _unreachable(url, path, f'{error.code} {error.reason}') from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise _unreachable(url, path, reason) from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:  # the server sends the whole file
            start = handle.seek(0)
            handle.truncate()
        length = response.headers.get('Content-Length')
        total = None if length is None else start + int(length)
        bar = progress_bar(
            desc=path.name,
            initial=start,
            total=total,
            unit='B',
            unit_scale=True,
            disable=not progress,
        )
        with bar:
            for part in _parts(response, total, handle, path.name):
                handle.write(part)
                bar.update(len(part))
    handle.flush()


def _parts(response, total: int | None, handle: IO[bytes], name: str) -> Iterator[bytes]:
    """Read a response to its end."""
    reason = 'the connection was closed'
    try:
        while part := response.read(_PART):
            yield part
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
    else:
        if total is None or handle.tell() == total:
            return
    of_all = '' if total is None else f' of {total / 1e6:.1f}'
    again = 'goes on from there' if _HASH.search(name) else 'starts again'
    raise DownloadError(
        f'the download of {name} broke off after {handle.tell() / 1e6:.1f}{of_all} MB ({reason}): run the '
        f'same command again, and it {again}'
    )


def open_address(asked: request.Request):
    """The response of a server; what it and the connection raise is for the caller."""
    return _opener().open(asked, timeout=_TIMEOUT)


def _opener() -> request.OpenerDirector:
    """Open http(s) and file addresses alone, also after a redirection."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
        request.FileHandler,
    ):
        opener.add_handler(handler())
    return opener


def _unreachable(url: str, path: Path, reason: object) -> DownloadError:
    return DownloadError(
        f'{path.name} cannot be downloaded ({reason}): download {url} where there is a '
        f'connection, and put the file at {path}'
    )


def _wrong_digest(path: Path, name: str) -> str | None:
    """The first digits of a file's SHA-256 if they are not those in ``name``; None where all is well."""
    expected = _HASH.search(name)
    if expected is None:
        return None
    digest = hashlib.sha256()
    with open(path, 'rb') as handle:
        while part := handle.read(_PART):
            digest.update(part)
    found = digest.hexdigest()[: len(expected[1])]
    return None if found == expected[1] else found
