"""Where sets of images come from."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from mmforecast.creative.apis.image_sets import (
    dataset_images,
    fill_of,
    folder_images,
    join_sets,
    sampled_images,
)
from mmforecast.registry import MODELS

GARMENTS = 'configs/_base_/datasets/garments_64.py'


@MODELS.register_module(force=True)
class MaskSampler(nn.Module):
    """Paints the mask it is given."""

    def __init__(self):
        super().__init__()
        self.weight, self.condition = nn.Parameter(torch.zeros(1)), SimpleNamespace(kind='mask')

    def sample(self, n, seed=0, mask=None):
        assert len(mask) == n
        return 255.0 * mask.expand(-1, 3, -1, -1)


@pytest.fixture
def garments(repository):
    cfg = Config.fromfile(repository / GARMENTS)
    cfg.merge_from_dict({f'{p}_dataloader.dataset.num_images': 42 for p in ('train', 'val', 'test')})
    return cfg


def test_images_of_a_data_set(garments):
    train, val = (dataset_images(garments, part, part) for part in ('train', 'val'))
    assert train.images.shape == (42, 3, 64, 64) and train.images.dtype == torch.uint8
    assert train.classes.keys() == {'shape', 'texture'} and train.masks.shape == (42, 1, 64, 64)
    assert len(set(train.names + val.names)) == 84
    again = dataset_images(garments, 'train', 'train')
    assert (again.images == train.images).all()  # without the jitter of training
    both = join_sets([train, val], 'both')
    assert len(both) == 84 and both.labels['shape'].shape == (84,) and len(both.masks) == 84
    assert (both.images[42:] == val.images).all()


def test_images_of_a_folder(tmp_path):
    for number, size in enumerate(((8, 8), (4, 8), (16, 16))):
        Image.fromarray(np.full((*size, 3), 10 * number, np.uint8)).save(tmp_path / f'{number}.png')
    (tmp_path / 'notes.txt').write_text('no image')
    found = folder_images(str(tmp_path), 'mine', 8)
    assert found.names == ['0.png', '1.png', '2.png'] and found.images.shape == (3, 3, 8, 8)
    assert found.images[1, 0, :, 4].tolist() == [255, 255, 10, 10, 10, 10, 255, 255]
    edge = folder_images(str(tmp_path), 'mine', 8, fill='edge', limit=2)
    assert len(edge) == 2 and (edge.images[1] == 10).all()


@pytest.mark.parametrize(
    'name, fill', [('clothing_64', 'crop'), ('rtw_256', 'white'), ('textures_64', 'white')]
)
def test_fill_of_a_pipeline(repository, name, fill):
    assert fill_of(Config.fromfile(repository / f'configs/_base_/datasets/{name}.py')) == fill


def test_model_that_fills_masks(tmp_path):
    torch.save(dict(state_dict=MaskSampler().state_dict(), meta={}), tmp_path / 'model.pth')
    cfg = Config(dict(model=dict(type='MaskSampler')))
    masks = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    masks[1] = True
    found = sampled_images(cfg, str(tmp_path / 'model.pth'), 'filled', 4, number=5, masks=masks)
    assert found.images.amax((1, 2, 3)).tolist() == [0, 255, 0, 255, 0]
    with pytest.raises(ValueError, match='fills masks, but the held-out images have none'):
        sampled_images(cfg, str(tmp_path / 'model.pth'), 'filled', 4, number=5)
