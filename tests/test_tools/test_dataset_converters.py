"""cityscapes_to_coco.py on the synthetic street."""

import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as rle

SUFFIX = '_gtFine_instanceIds.png'


@pytest.fixture
def labels(tmp_path):
    """A folder of one label map: a car with a hole, a group of people, and no class."""
    path = tmp_path / 'gtFine' / 'val' / 'town' / f'town_000000_000019{SUFFIX}'
    path.parent.mkdir(parents=True)
    ids = np.zeros((20, 30), np.uint16)
    ids[5:15, 4:14] = 26001
    ids[8:10, 6:8] = 7  # road
    ids[0:3, 20:30] = 24
    cv2.imwrite(str(path), ids)
    return path, ids


def test_instances_come_with_exact_masks_and_groups_as_crowds(run_tool, labels, tmp_path):
    _, ids = labels
    run_tool('dataset_converters/cityscapes_to_coco.py', tmp_path, '--splits', 'val')
    coco = json.loads((tmp_path / 'annotations/instances_val.json').read_text())
    (image,) = coco['images']
    assert image['file_name'] == 'leftImg8bit/val/town/town_000000_000019_leftImg8bit.png'
    assert (image['height'], image['width']) == (20, 30)
    names = {category['id']: category['name'] for category in coco['categories']}
    found = {names[a['category_id']]: a for a in coco['annotations']}
    assert found['car']['iscrowd'] == 0 and found['person']['iscrowd'] == 1
    mask = found['car']['segmentation']
    mask['counts'] = mask['counts'].encode()
    assert np.array_equal(rle.decode(mask), ids == 26001)
    assert found['car']['area'] == 96 and found['car']['bbox'] == [4, 5, 10, 10]


def _huge(path):
    data = bytearray(path.read_bytes())
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    path.write_bytes(data)


@pytest.mark.parametrize(
    'damage, sentence',
    [
        (_huge, 'says to have 3600000000 pixels or more'),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), 'is truncated'),
        (lambda path: path.write_bytes(b'no image'), 'is corrupt'),
        (lambda path: cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8)), 'is not an instanceIds'),
        (lambda path: path.unlink(), f'holds no *{SUFFIX}'),
    ],
)  # fmt: skip
def test_bad_label_maps_are_named(run_tool, labels, tmp_path, capsys, damage, sentence):
    damage(labels[0])
    with pytest.raises(SystemExit):
        run_tool('dataset_converters/cityscapes_to_coco.py', tmp_path, '--splits', 'val')
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / 'annotations/instances_val.json').exists()
