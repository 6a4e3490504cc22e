"""The shipped weights of the street's segmentor, as the configs load them, on streets that no training had."""

import numpy as np
import pytest
import torch

from mmforecast.apis.evaluate import load_config
from mmforecast.datasets.labels import CITYSCAPES_LABEL_TO_TRAIN_ID
from mmforecast.models.encoders import SegmentorEncoder
from mmforecast.street import SequenceRenderer


@pytest.fixture(scope='module')
def street():
    """Frames (1, 4, 3, 128, 256) and their label maps (4, 64, 128)."""
    table = np.array([CITYSCAPES_LABEL_TO_TRAIN_ID.get(label, 255) for label in range(256)])
    frames, labels = [], []
    for index in range(4):
        renderer = SequenceRenderer(91, 'val', index, 128, 256, 1)
        rgb, surface, _ = renderer.render(0)
        frames.append(rgb)
        labels.append(table[renderer.labels_of[surface]][::2, ::2])
    clip = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)[None].float()
    return clip, torch.from_numpy(np.stack(labels))


@pytest.mark.parametrize(
    'config',
    [
        's2s/x2x_2scale_small_synthetic.py',
        'masked_labels/masked-labels_unet_tiny_synthetic.py',
        'panoptic/panoptic_f2f-s2s_tiny_synthetic.py',
    ],
)
def test_it_labels_the_street(config, street, repository):
    frames, labels = street
    encoder = load_config(str(repository / 'configs' / config)).model.encoder
    encoder = dict(encoder.get('semantics', encoder))
    assert encoder.pop('type') == 'SegmentorEncoder'
    with torch.no_grad():
        (scores,) = SegmentorEncoder(**encoder).encode(frames, [])
    found = scores[0].argmax(1)
    assert found.shape == labels.shape
    assert (found == labels)[labels != 255].float().mean() > 0.8
