"""Tools for datasets of single images."""

import re

import cv2
import numpy as np
import pytest

from mmforecast.creative.datasets import CacheTransforms

GARMENTS = 'configs/_base_/datasets/garments_64.py'
FEW = [f'{part}_dataloader.dataset.num_images=42' for part in ('train', 'val', 'test')]


@pytest.fixture(autouse=True)
def in_repository(repository, monkeypatch):
    monkeypatch.chdir(repository)


def test_browse_dataset_draws_a_sheet_of_images(run_tool, tmp_path, capsys):
    run_tool(
        'analysis_tools/browse_dataset.py',
        *[GARMENTS, '--number', 13, '--out-dir', tmp_path / 'new', '--cfg-options', *FEW],
    )
    assert '13 of 42 images' in capsys.readouterr().out
    sheet = cv2.imread(str(tmp_path / 'new' / 'val.png'))
    assert sheet.shape == (2 * 112 + 2, 12 * 98 + 2, 3)


def test_benchmark_of_images(run_tool, capsys):
    tool = 'analysis_tools/benchmark_images.py'
    run_tool(tool, GARMENTS, '--passes', 2, '--cfg-options', *FEW)
    first, later = map(int, re.findall(r'(\d+) images/s', capsys.readouterr().out))
    assert later > 2 * first > 0
    with pytest.raises(SystemExit):
        run_tool(tool, GARMENTS, '--passes', 1)
    assert 'must be at least 2' in capsys.readouterr().err


def test_cache_outruns_decoding(tmp_path):
    """What the cache is for, without a clock: a file may vanish once it has been read."""
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.full((16, 16, 3), 90, np.uint8))
    cache = CacheTransforms([dict(type='LoadRGBImage'), dict(type='FitToSquare', size=8)])
    first = cache(dict(sample_idx=0, img_path=str(path)))
    path.unlink()
    again = cache(dict(sample_idx=0, img_path=str(path)))
    assert again['img'] is first['img'] and again['img'].shape == (8, 8, 3)
