"""Addresses and paths are told apart, as pathlib writes them, too."""

from pathlib import Path

import pytest

from mmforecast.utils.addresses import is_address, refuse_address


def test_addresses_and_paths():
    assert all(map(is_address, ('s3://bucket/a.mp4', 'http://a/b', 'memory://a', 'abfs+x://a')))
    assert not any(map(is_address, ('a.mp4', '/a/b', 'C:\\\\a', 'a:b', 'c://a', '://a', 'a/s3://b')))


def test_an_address_is_no_place_for_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for address in ('s3://bucket/out', Path('s3://bucket/out'), Path('file:///tmp')):
        with pytest.raises(ValueError, match='is an address, and results are written to a folder'):
            refuse_address(address)
    (tmp_path / 's3:/bucket/out').mkdir(parents=True)
    for path in ('out', '/out', 'c:/out', Path('a b:/c'), Path('s3://bucket/out')):
        refuse_address(path)
