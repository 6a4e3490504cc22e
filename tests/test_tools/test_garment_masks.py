"""The tool that writes masks: what lands where, and what is left out."""

import sys

import cv2
import numpy as np
import pytest

from mmforecast.creative.datasets import FashionDataset
from mmforecast.creative.datasets.textures import paint_garment

TOOL = 'dataset_converters/garment_masks.py'


@pytest.fixture
def photographs(tmp_path):
    for number, shape in enumerate(('dress', 'coat', 'skirt', 'skirt')):
        image, _ = paint_garment(np.random.default_rng(number), shape, 'plain', 64)
        path = tmp_path / 'data' / 'train' / shape / f'{number}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image[..., ::-1])
    cv2.imwrite(str(path), np.full((64, 64, 3), 255, np.uint8))  # 3 shows nothing
    (path.parent / 'bad.png').write_bytes(b'no image')
    return tmp_path / 'data'


def test_masks_are_found_by_the_data_set(photographs, run_tool, tmp_path, capsys):
    sheet = tmp_path / 'new' / 'sheet.png'
    run_tool(TOOL, photographs, '--out', photographs / 'masks', '--sheet', sheet)
    assert '3 masks of 5 photographs' in capsys.readouterr().out
    left_out = (photographs / 'masks' / 'left_out.txt').read_text().splitlines()
    assert [line.split('\t')[0] for line in left_out] == [
        'train/skirt/3.jpg',
        'train/skirt/bad.png',
    ]
    assert cv2.imread(str(sheet)) is not None
    data = FashionDataset(
        str(photographs),
        split='train',
        mask_root='masks',
        pipeline=[
            dict(type='LoadRGBImage'),
            dict(type='LoadGarmentMask'),
            dict(type='FitToSquare', size=32),
            dict(type='PackCreativeInputs'),
        ],
        test_mode=True,
    )
    assert data.attributes == dict(shape=('coat', 'dress', 'skirt')) and len(data) == 5
    for index in range(3):
        item = data[index]
        dark = item['inputs'].float().mean(0) < 235
        assert (dark == item['data_samples'].gt_mask[0]).float().mean() > 0.9
    with pytest.raises(ValueError, match=r'3\.png cannot be read'):
        data[3]
    run_tool(TOOL, photographs, '--out', photographs / 'masks', '--keep-all', '--limit', 2)
    assert '2 masks of 2 photographs' in capsys.readouterr().out


@pytest.mark.parametrize('folder, sentence', [('none', 'there is no folder'), ('.', 'no image')])
def test_nothing_to_do(run_tool, tmp_path, capsys, folder, sentence):
    with pytest.raises(SystemExit):
        run_tool(TOOL, tmp_path / folder, '--out', tmp_path / 'masks')
    assert sentence in capsys.readouterr().err


def test_package_to_install(photographs, run_tool, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage.segmentation', None)
    with pytest.raises(SystemExit):
        run_tool(TOOL, photographs, '--out', tmp_path / 'masks', '--method', 'random_walker')
    assert 'Error: ' in (message := capsys.readouterr().err) and 'pip install scikit' in message
