"""Losses asked of a frozen detector are those that mmdet trains it with."""

import pytest
import torch
from mmengine.config import ConfigDict
from torch.nn.modules.batchnorm import _BatchNorm

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.utils.detector import detector_losses, training_sample
from mmforecast.registry import MODELS

SIZE = (64, 96)
OWN_LABELS = torch.arange(8)  # those of Cityscapes


def total(losses):
    values = [v for name, v in losses.items() if 'loss' in name]
    return float(sum(sum(v) if isinstance(v, (list, tuple)) else v for v in values))


def normed(config):
    """FCOS as it is trained with boxes in units of the stride, which only its training mode knows."""
    config['bbox_head'].update(norm_on_bbox=True)
    return config


@pytest.mark.parametrize('name', ['mask-rcnn', 'cascade-mask-rcnn', 'retinanet', 'fcos', 'fcos normed'])
def test_losses_are_those_of_mmdets_training(small_detector, name):
    config = small_detector(name.split()[0])
    config = normed(config) if 'normed' in name else config
    detector = DetectorEncoder(config).detector
    ids = torch.zeros(SIZE, dtype=torch.int32)
    ids[8:40, 8:56], ids[30:60, 60:90] = 26001, 24001
    sample = training_sample(detector, SIZE, SIZE, SIZE, ids, OWN_LABELS)
    features = detector.extract_feat(torch.randn(1, 3, *SIZE))
    torch.manual_seed(1)
    found = total(detector_losses(detector, features, [sample]))
    assert not any(module.training for module in detector.modules())

    detector.train()
    for module in detector.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    detector.extract_feat = lambda images: features
    torch.manual_seed(1)
    expected = total(detector.loss(features[0], [sample]))
    assert found == pytest.approx(expected, rel=1e-5) and found > 0
    if 'normed' in name:
        detector.eval()
        assert total(detector.loss(features[0], [sample])) != pytest.approx(expected, rel=0.01)


def test_losses_that_need_more_than_features_end_in_one_sentence(small_detector):
    detector = MODELS.build(ConfigDict(small_detector('retinanet'), _scope_='mmdet'))
    detector.bbox_head.loss = lambda features, samples: samples[0].pairwise_masks
    ids = torch.zeros(SIZE, dtype=torch.int32)
    sample = training_sample(detector, SIZE, SIZE, SIZE, ids, OWN_LABELS)
    with pytest.raises(ValueError, match='RetinaNet can not compute its losses .* drop detector_loss'):
        detector_losses(detector, [torch.zeros(1, 16, 8, 8)] * 5, [sample])
