"""Addresses such as ``s3://bucket/drive.mp4``, and where only a path will do."""

import os
import re

__all__ = ['is_address', 'refuse_address']

_ADDRESS = re.compile(r'[A-Za-z][A-Za-z0-9+.-]+://')
_AS_PATH = re.compile(r'[A-Za-z][A-Za-z0-9+.-]+:/')  # pathlib takes a slash away


def is_address(text: str) -> bool:
    """Whether it is an address such as ``s3://bucket/drive.mp4``, and no path."""
    return _ADDRESS.match(text) is not None


def refuse_address(path: str | os.PathLike) -> None:
    """Refuse an address as a place for results, where it would be taken for the name of a local folder.

    Args:
        path: As given, or as a ``Path`` of it.

    Raises:
        ValueError: It is an address, and there is no such folder or file.
    """
    if _AS_PATH.match(os.fspath(path)) and not os.path.exists(path):
        raise ValueError(
            f'{os.fspath(path)} is an address, and results are written to a folder: mount the storage, or '
            'write to a folder and copy it when it is complete'
        )
