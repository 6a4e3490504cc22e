import errno
import os

import pytest
from mmengine.fileio import get_file_backend

from mmforecast.fileio import atomic
from mmforecast.fileio.atomic import remove_leftovers, write_atomically


def test_writes_and_replaces(tmp_path):
    path = tmp_path / 'file'
    for data in (b'first', b'second'):
        write_atomically(str(path), data)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ['file']


def test_relative_path_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomically('file', b'data')
    assert (tmp_path / 'file').read_bytes() == b'data'


def test_full_disk_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    write_atomically(str(path), b'old')

    def half(handle, data):
        handle.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(atomic, '_write', half)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(str(path), b'new and longer')
    assert path.read_bytes() == b'old' and os.listdir(tmp_path) == ['file']


def test_name_appears_only_when_the_data_is_on_the_disk(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(atomic.os, 'fsync', lambda descriptor: seen.append(os.path.exists(tmp_path / 'file')))
    write_atomically(str(tmp_path / 'file'), b'data')
    assert seen == [False, True]  # the file itself, then its folder


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    for name in ('.epoch_3.pth.123.partial', 'epoch_3.pth', '.hidden', 'notes.partial'):
        (tmp_path / name).write_bytes(b'x')
    assert remove_leftovers(str(tmp_path)) == ['.epoch_3.pth.123.partial']
    assert sorted(os.listdir(tmp_path)) == ['.hidden', 'epoch_3.pth', 'notes.partial']
    assert remove_leftovers(str(tmp_path / 'missing')) == []


def test_backend_makes_its_folder(tmp_path):
    backend = get_file_backend(str(tmp_path), backend_args=dict(backend='atomic_local'))
    backend.put(b'data', str(tmp_path / 'new/folder/file'))
    assert backend.get(str(tmp_path / 'new/folder/file')) == b'data'


def test_files_are_renamed_in_one_place(repository):
    """Every file that is written under another name first goes through fileio."""
    names = ('os.replace(', 'os.rename(', 'NamedTemporaryFile(', 'mkstemp(')
    found = {
        str(path.relative_to(repository))
        for folder in ('mmforecast', 'tools')
        for path in (repository / folder).rglob('*.py')
        if '.mim' not in path.parts and any(name in path.read_text() for name in names)
    }
    assert found == {'mmforecast/fileio/partial_file.py'}
