"""Collections of photographs as lists and as folders."""

import json

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from PIL import Image
from torch.utils.data import DataLoader

from mmforecast.creative.datasets import FashionDataset
from mmforecast.creative.datasets.image_list import read_image_list
from mmforecast.datasets import BadImageError

PIPELINE = (
    dict(type='LoadRGBImage'),
    dict(type='FitToSquare', size=16),
    dict(type='PackCreativeInputs'),
)


def save(path, color=(200, 30, 30), size=(20, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, color).save(path)


@pytest.fixture
def folders(tmp_path):
    """Classes b and c in train, a and b in val."""
    for name in ('train/b/1', 'train/b/2', 'train/c/1', 'val/a/1', 'val/b/1'):
        save(tmp_path / f'{name}.png')
    (tmp_path / 'train' / 'b' / 'notes.txt').write_text('no image')
    return tmp_path


CSV = """img_path,shape,texture,split
1.png,dress,striped,train
2.png,coat,,train
3.png,,dotted,train
4.png,dress,dotted,val
"""


@pytest.fixture
def collection(tmp_path):
    for number in range(1, 5):
        save(tmp_path / f'{number}.png')
    (tmp_path / 'images.csv').write_text(CSV)
    return tmp_path


def listed(root, **options):
    return FashionDataset(str(root), **{**dict(ann_file='images.csv', pipeline=PIPELINE), **options})


def test_folders_number_their_classes_alike_in_all_splits(folders):
    train, val = (FashionDataset(str(folders), split=split) for split in ('train', 'val'))
    assert train.metainfo['attributes'] == dict(shape=('a', 'b', 'c')) == val.attributes
    assert [entry['gt_labels']['shape'] for entry in train] == [1, 1, 2]
    assert [entry['gt_labels']['shape'] for entry in val] == [0, 1]
    assert FashionDataset(str(folders / 'val')).attributes == dict(shape=('a', 'b'))


def test_folders_with_another_attribute_and_given_names(folders):
    names = dict(texture=('c', 'b', 'a'))
    data = FashionDataset(str(folders), split='train', attribute='texture', metainfo=dict(attributes=names))
    assert data.attributes == names
    assert [entry['gt_labels'] for entry in data] == [dict(texture=label) for label in (1, 1, 0)]


def test_unlabelled_images(folders):
    data = FashionDataset(str(folders), split='train', attribute=None, pipeline=PIPELINE)
    assert len(data) == 3 and data.attributes == {}
    assert data[0]['data_samples'].gt_labels == {}


def test_list_with_splits_and_missing_labels(collection):
    train, val = listed(collection, split='train'), listed(collection, split='val')
    names = dict(shape=('coat', 'dress'), texture=('dotted', 'striped'))
    assert train.metainfo['attributes'] == val.metainfo['attributes'] == names
    labels = [train[index]['data_samples'].gt_labels for index in range(3)]
    assert labels == [
        dict(shape=1, texture=1),
        dict(shape=0, texture=-1),
        dict(shape=-1, texture=0),
    ]
    assert len(val) == 1 and len(listed(collection)) == 4


def test_json_list_is_read_as_the_csv_one(collection):
    rows = [line.split(',') for line in CSV.splitlines()]
    entries = [dict(zip(rows[0], row)) for row in rows[1:]]
    entries[1]['texture'] = None
    del entries[2]['shape']
    (collection / 'images.json').write_text(json.dumps(entries))
    first, second = (read_image_list(str(collection / f'images.{kind}')) for kind in ('csv', 'json'))
    assert first.classes == second.classes
    assert [row.labels for row in first.rows] == [row.labels for row in second.rows]


def test_item(collection):
    save(collection / '1.png', (200, 30, 60), (10, 20))
    item = listed(collection)[0]
    assert item['inputs'].shape == (3, 16, 16)
    assert item['inputs'][:, 8, 0].tolist() == [255, 255, 255]
    assert item['inputs'][:, 8, 8].tolist() == [200, 30, 60]
    sample = item['data_samples']
    assert sample.sample_idx == 0 and sample.img_path == str(collection / '1.png')
    assert sample.ori_shape == (20, 10) and sample.img_shape == (16, 16)


def test_masks_of_both_layouts(folders, collection):
    load = (PIPELINE[0], dict(type='LoadGarmentMask'), *PIPELINE[1:])
    mask = np.zeros((24, 20), np.uint8)
    mask[:12] = 255
    for path in (folders / 'masks/train/b/1.png', collection / 'mask.png'):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    (collection / 'images.csv').write_text('img_path,shape,mask_path\n1.png,a,mask.png\n2.png,b,\n')
    of_list = listed(collection, pipeline=load)
    of_folders = FashionDataset(str(folders), split='train', mask_root='masks', pipeline=load)
    for data in (of_list, of_folders):
        found = data[0]['data_samples'].gt_mask
        assert found.shape == (1, 16, 16) and found.dtype.is_floating_point is False
        assert found[0, :8, 3:13].all() and not found[0, 8:].any() and not found[0, :, 0].any()
    with pytest.raises(ValueError, match=r'2\.png has no mask.*garment_masks\.py'):
        of_list[1]


@pytest.mark.parametrize(
    'text, sentence',
    [
        ('', 'lists no image'),
        ('img_path,shape\n', 'lists no image'),
        ('path,shape\n1.png,a\n', r'line 2 has no img_path'),
        ('img_path,shape\n1.png\n', r'line 2 has not as many fields as the header'),
        ('img_path,shape\n1.png,a,b\n', r'line 2 has not as many fields'),
        ('img_path,shape,shape\n1.png,a,b\n', 'empty or repeated column'),
        ('img_path,shape\n"1.png,a\n', 'no well-formed CSV'),
        ('img_path,shape\n1.png,a\n2.png,a\n', r"'shape' has one class only, 'a'.*without labels"),
        ('img_path,shape\n9.png,a\n1.png,b\n', r'line 2 names 9\.png, but there is no file'),
    ],
)
def test_bad_lists(collection, text, sentence):
    (collection / 'images.csv').write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        listed(collection)


def test_list_that_is_no_text(collection):
    (collection / 'images.csv').write_bytes(b'img_path,shape\n1.png,caf\xe9\n')
    with pytest.raises(ValueError, match='is not UTF-8 text'):
        listed(collection)
    with pytest.raises(FileNotFoundError, match='no image list at .*other.csv'):
        listed(collection, ann_file='other.csv')
    with pytest.raises(ValueError, match='must be a .csv or .json file'):
        listed(collection, ann_file='1.png')


@pytest.mark.parametrize('text', ['{"img_path": "1.png"}', '[1]', '[{"img_path": 3}]', '['])
def test_bad_json(collection, text):
    (collection / 'images.json').write_text(text)
    with pytest.raises(ValueError, match=r'images\.json'):
        listed(collection, ann_file='images.json')


def test_labels_that_no_class_or_split_has(collection):
    with pytest.raises(ValueError, match=r"line 3: shape is 'coat', .*did you mean 'coats'"):
        listed(collection, metainfo=dict(attributes=dict(shape=('coats', 'dress'))))
    with pytest.raises(ValueError, match=r"no image of split 'test': its splits are train, val"):
        listed(collection, split='test')
    (collection / 'images.csv').write_text('img_path,shape,split\n1.png,a,train\n2.png,b,train\n3.png,,val\n')
    with pytest.raises(ValueError, match="none of the 1 images has a label of 'shape'"):
        listed(collection, split='val')


def test_column_without_any_label(collection):
    (collection / 'images.csv').write_text('img_path,shape,texture\n1.png,a,\n2.png,b,\n')
    with pytest.raises(ValueError, match="none of the 2 images has a label of 'texture'"):
        listed(collection)


def test_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder .*train'):
        FashionDataset(str(tmp_path), split='train')
    save(tmp_path / 'train' / '1.png')
    with pytest.raises(ValueError, match='no folders of classes.*attribute=None'):
        FashionDataset(str(tmp_path), split='train')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='holds no image'):
        FashionDataset(str(tmp_path), split='empty')
    save(tmp_path / 'train' / 'only' / '1.png')
    with pytest.raises(ValueError, match="one class only, 'only'"):
        FashionDataset(str(tmp_path), split='train')
    with pytest.raises(ValueError, match='give a column mask_path'):
        FashionDataset(str(tmp_path), ann_file='a.csv', mask_root='masks')


def test_training_goes_on_without_a_bad_photograph(folders):
    (folders / 'train/b/1.png').write_bytes(b'not a photograph')
    train = FashionDataset(str(folders), split='train', pipeline=PIPELINE)
    batches = list(DataLoader(train, batch_size=3, collate_fn=pseudo_collate))
    paths = [sample.img_path for sample in batches[0]['data_samples']]
    assert len(paths) == 3 and not any(path.endswith('b/1.png') for path in paths)
    assert len(train.corrupt_files) == 1
    test = FashionDataset(str(folders), split='train', pipeline=PIPELINE, test_mode=True)
    with pytest.raises(BadImageError, match=r'b/1\.png .*restore or remove it'):
        test[0]
    with pytest.raises(ValueError, match='test_mode needs'):
        FashionDataset(str(folders), split='train', test_mode=True, on_corrupt='skip')


def test_image_smaller_than_the_network(folders):
    save(folders / 'train/b/1.png', size=(3, 2))
    data = FashionDataset(str(folders), split='train', pipeline=PIPELINE, test_mode=True)
    with pytest.raises(BadImageError, match=r'b/1\.png is 3x2 pixels, but .* 16x16.*max_enlarge'):
        data[0]
    enlarging = (PIPELINE[0], dict(type='FitToSquare', size=16, max_enlarge=6), PIPELINE[2])
    data = FashionDataset(str(folders), split='train', pipeline=enlarging, test_mode=True)
    assert data[0]['inputs'].shape == (3, 16, 16)
