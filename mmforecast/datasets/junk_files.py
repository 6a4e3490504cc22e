"""Files and folders that operating systems and tools leave among data, which are never part of them."""

import os
from collections.abc import Iterator

__all__ = ['is_junk', 'is_junk_path', 'visible_entries', 'visible_names', 'walk_visible']

# In lower case. What begins with a dot is left out too: ._* and .DS_Store of macOS, .ipynb_checkpoints of
# Jupyter, .git and other hidden files.
_JUNK_NAMES = frozenset(
    {
        '$recycle.bin',
        '@eadir',
        '__macosx',
        '__pycache__',
        'desktop.ini',
        'ehthumbs.db',
        'icon\r',
        'lost+found',
        'system volume information',
        'thumbs.db',
    }
)


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name, without its path, is never data."""
    return name.startswith('.') or name.endswith('~') or name.lower() in _JUNK_NAMES


def is_junk_path(path: str | os.PathLike) -> bool:
    """Whether any part of a relative path, with / between them, is junk."""
    return any(is_junk(part) for part in os.fspath(path).split('/'))


def visible_names(folder: str | os.PathLike) -> list[str]:
    """Sorted names of what is in a folder, junk left out; none where there is no folder."""
    if not os.path.isdir(folder):
        return []
    return sorted(name for name in os.listdir(folder) if not is_junk(name))


def visible_entries(folder: str | os.PathLike) -> list[os.DirEntry]:
    """As :func:`visible_names`, with the kind of each."""
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not is_junk(entry.name)), key=lambda entry: entry.name)


def walk_visible(root: str | os.PathLike) -> Iterator[tuple[str, list[str], list[str]]]:
    """As :func:`os.walk`, links followed and each folder visited once, junk left out.

    Folders may be taken out of the list that is given, as with :func:`os.walk`.
    """
    seen = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders[:] = []
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not is_junk(name))
        yield folder, subfolders, sorted(name for name in files if not is_junk(name))
