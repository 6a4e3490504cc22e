"""A new division of a collection."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from mmforecast.creative.datasets import FashionDataset
from mmforecast.creative.datasets.resplit import divide

SHARES = (0.5, 0.25, 0.25)


def test_each_stratum_is_divided_by_the_shares():
    strata = ['a'] * 40 + ['b'] * 8 + ['c']
    names = [f'{number}.jpg' for number in range(49)]
    parts = divide(names, strata, SHARES)
    assert Counter(zip(strata, parts)) == {
        ('a', 'train'): 20, ('a', 'val'): 10, ('a', 'test'): 10,
        ('b', 'train'): 4, ('b', 'val'): 2, ('b', 'test'): 2,
        ('c', parts[-1]): 1,
    }  # fmt: skip
    order = np.random.default_rng(0).permutation(49)
    again = divide([names[n] for n in order], [strata[n] for n in order], SHARES)
    assert again == [parts[n] for n in order]  # whatever order the images come in
    assert divide(names, strata, SHARES, seed=1) != parts


@pytest.mark.parametrize('shares', [(0.5, 0.5), (0.5, 0.5, 0.0), (0.5, 0.3, 0.3)])
def test_bad_shares(shares):
    with pytest.raises(ValueError, match='three numbers above 0 that sum to 1'):
        divide(['a'], ['a'], shares)
    with pytest.raises(ValueError, match='two images have the same name'):
        divide(['a', 'a'], [0, 0], SHARES)


@pytest.fixture
def collection(tmp_path):
    """Two classes in the publisher's splits, and the masks beside them."""
    for split, number in (('train', 12), ('test', 4)):
        for name in ('dress', 'hat'):
            for index in range(number):
                for folder in (tmp_path, tmp_path / 'masks'):
                    path = folder / split / name / f'{index}.png'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return tmp_path


def test_folders_of_all_splits_are_divided(collection):
    parts = {
        part: FashionDataset(str(collection), split=part, resplit=SHARES, mask_root='masks')
        for part in ('train', 'val', 'test')
    }
    paths = {
        part: [data.get_data_info(n)['img_path'] for n in range(len(data))] for part, data in parts.items()
    }
    assert {part: len(own) for part, own in paths.items()} == dict(train=16, val=8, test=8)
    assert len(set(sum(paths.values(), []))) == 32
    for part, own in paths.items():  # each class of each old split by the same shares
        count = Counter(tuple(path.split('/')[-3:-1]) for path in own)
        assert count[('train', 'hat')] == 3 * count[('test', 'hat')] == {'train': 6}.get(part, 3)
    assert parts['val'].get_data_info(0)['mask_path'].startswith(f'{collection}/masks/')
    assert parts['val'].attributes == dict(shape=('dress', 'hat'))


def test_lists_are_divided(collection):
    rows = [f'train/{name}/{n}.png,{name},old' for name in ('dress', 'hat') for n in range(8)]
    (collection / 'list.csv').write_text('\n'.join(['img_path,shape,split', *rows]))
    sizes = [
        len(FashionDataset(str(collection), 'list.csv', split=part, resplit=SHARES))
        for part in ('train', 'val', 'test')
    ]
    assert sizes == [8, 4, 4]


def test_what_resplit_refuses(collection):
    with pytest.raises(ValueError, match="split must be one of 'train', 'val', 'test', got 'validation'"):
        FashionDataset(str(collection), split='validation', resplit=SHARES)
    with pytest.raises(ValueError, match='resplit divides each class'):
        FashionDataset(str(collection), split='val', resplit=SHARES, attribute=None)
    with pytest.raises(ValueError, match=r"leaves no image for 'val'.*4 groups are too few"):
        FashionDataset(str(collection), split='val', resplit=(0.98, 0.01, 0.01), mask_root='masks')
