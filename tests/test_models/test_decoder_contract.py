"""One contract for all decoders: ``decode(future, samples, context, target)``."""

import inspect

import pytest
import torch

from mmforecast.models import decoders
from mmforecast.models.decoders import BaseDecoder
from mmforecast.models.forecasters import BaseForecaster, D2DForecaster, F2FForecaster
from mmforecast.models.predictors import ForecastContext
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

SIZE = (16, 24)
NAMES = sorted(set(decoders.__all__) - {'BaseDecoder'})
# Channels of what a decoder reads, what it writes of a forecast and of a reference, and what it needs.
CASES = {
    'DetectionDecoder': (4, None, None, 'set encoder to DetectorEncoder'),
    'DistanceMapDecoder': (9, 'pred_sem_seg', 'ref_sem_seg', 'set encoder to DistanceMapEncoder'),
    'FlowInstanceDecoder': (4, None, None, 'set encoder to DetectorEncoder'),
    'FlowObjectDecoder': (9, 'pred_instances', None, 'set encoder to DistanceMapEncoder'),
    'PairedDecoder': (5, None, None, 'set encoder to PairedEncoder'),
    'PanopticDecoder': (5, None, None, None),  # see test_panoptic_forecaster.py
    'RGBDecoder': (3, 'pred_frames', None, None),
    'SegmentorFeatureDecoder': (4, None, None, 'set encoder to SegmentorFeatureEncoder'),
    'SemSegDecoder': (5, 'pred_sem_seg', 'ref_sem_seg', None),
}


def call(name, target, context='whole'):
    channels = CASES[name][0]
    frames = torch.rand(1, 2, 3, *SIZE) * 255
    sample = ForecastDataSample(metainfo=dict(img_shape=SIZE))
    if context == 'whole':
        objects = torch.zeros(1, 2, 3, *SIZE)
        objects[:, :, 0, 4:9, 5:12] = 1
        context = ForecastContext(frames, [sample], objects=objects)
    future = [torch.randn(1, 2, channels, *SIZE)]
    out = MODELS.build(dict(type=name)).decode(future, [sample], context, target)
    assert out == [sample]
    return sample


def test_every_decoder_has_the_same_signature():
    contract = list(inspect.signature(BaseDecoder.decode).parameters)
    assert contract == ['self', 'future', 'samples', 'context', 'target']
    assert NAMES == sorted(CASES)
    for name in NAMES:
        kind = MODELS.get(name)
        assert issubclass(kind, BaseDecoder)
        assert list(inspect.signature(kind.decode).parameters) == contract, name


@pytest.mark.parametrize('kind', [D2DForecaster, F2FForecaster])
def test_forecasters_leave_decoding_to_the_decoder(kind):
    assert kind.decode is BaseForecaster.decode and not hasattr(kind, 'decode_reference')


@pytest.mark.parametrize('name', [name for name in NAMES if CASES[name][1]])
def test_it_writes_by_target(name):
    _, forecast, reference, _ = CASES[name]
    assert forecast in call(name, 'pred')
    written = {key for key in call(name, 'ref').all_keys() if key.startswith(('pred_', 'ref_'))}
    assert written == ({reference} if reference else set())


@pytest.mark.parametrize('name', [name for name in NAMES if CASES[name][3]])
def test_what_the_context_lacks_is_named(name):
    frames = torch.zeros(1, 2, 3, *SIZE)
    for context in (None, ForecastContext(frames, [])):
        with pytest.raises(ValueError, match=f'^{name} .*{CASES[name][3]}$'):
            call(name, 'pred', context)


@pytest.mark.parametrize('name', ['DetectionDecoder', 'FlowInstanceDecoder'])
def test_heads_come_with_the_context(name, small_detector):
    encoder = MODELS.build(dict(type='DetectorEncoder', detector=small_detector('mask-rcnn'))).eval()
    frames = torch.rand(1, 2, 3, 64, 96) * 255
    samples = [ForecastDataSample(metainfo=dict(img_shape=(64, 96)))]
    future = [level[:, -1:] for level in encoder.encode(frames, samples)]
    context = ForecastContext(frames, samples, encoder)
    MODELS.build(dict(type=name)).decode(future, samples, context)
    (instances,) = samples[0].pred_instances
    assert 'masks' in instances
