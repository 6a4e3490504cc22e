"""Small forecasters that work on RGB frames, one of each kind."""

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.model import BaseModule

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.utils import unit_to_rgb
from mmforecast.registry import MODELS, TRANSFORMS

SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[10.0] * 3, std=[3.0] * 3),
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=dict(type='BN')),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=8,
        num_classes=19,
        norm_cfg=dict(type='BN'),
    ),
    test_cfg=dict(mode='whole'),
)
# The smaller the frames that the shipped detector sees, the faster the tests; it finds something in each.
SMALL_DETECTOR = {
    'model.encoder.size': (96, 160),
    'model.encoder.chunk': 1,
    'model.encoder.detector.test_cfg.rcnn.score_thr': 0.0,
    'model.encoder.detector.test_cfg.rcnn.max_per_img': 5,
}


@TRANSFORMS.register_module()
class ToyHalf(BaseTransform):
    """Takes every second row, which nobody knows the way back from."""

    def transform(self, results):
        results['frames'] = results['frames'][:, ::2]
        results['img_shape'] = results['frames'].shape[1:3]
        return results


@MODELS.register_module()
class ToyVideoForecaster(BaseForecaster):
    """Forecasts frames."""


@MODELS.register_module()
class ToyFrameDecoder(BaseModule):
    """Writes frames, as a video forecaster does, which can't halve odd sizes."""

    def decode(self, future, samples, context, target='pred'):
        (maps,) = future
        assert maps.shape[-1] % 8 == maps.shape[-2] % 8 == 0
        for sample, frames in zip(samples, unit_to_rgb(maps)):
            setattr(sample, f'{target}_frames', frames)


def forecaster_config(model, pipeline, **dataset):
    """A config as a user writes it, with no data at hand."""
    dataset = dict(type='VideoFolderDataset', data_root='nowhere', pipeline=pipeline, **dataset)
    return Config(dict(model=model, test_dataloader=dict(dataset=dataset)))


@pytest.fixture
def video_config():
    """Frames, padded to multiples of 8, four past ones, moved on by optical flow."""
    model = dict(
        type='ToyVideoForecaster',
        encoder=dict(type='RGBEncoder'),
        predictor=dict(type='FlowWarp'),
        decoder=dict(type='ToyFrameDecoder'),
        test_cfg=dict(rollout_steps=2, reference=False),
    )
    pipeline = [
        dict(type='LoadClipFrames'),
        dict(type='ClipPadToMultiple', divisor=8),
        dict(type='PackForecastInputs'),
    ]
    return forecaster_config(model, pipeline, stride=2)


@pytest.fixture
def s2s_config():
    """Label maps, by a segmentor that knows nothing."""
    model = dict(
        type='S2SForecaster',
        encoder=dict(type='SegmentorEncoder', segmentor=SEGMENTOR, stride=4, chunk=1),
        predictor=dict(type='FlowWarp'),
        decoder=dict(type='SemSegDecoder', keep_scores=True),
        test_cfg=dict(rollout_steps=2),
    )
    cfg = forecaster_config(model, [dict(type='LoadClipSemSeg'), dict(type='PackForecastInputs')], stride=2)
    cfg.test_dataloader.dataset.type = 'CityscapesSequenceDataset'
    return cfg


@pytest.fixture
def moving_square():
    """(12, 40, 60, 3): a bright square that goes 2 pixels to the right per frame, on noise."""
    ground = np.random.default_rng(0).integers(0, 120, (40, 60, 3), dtype=np.uint8)
    frames = np.repeat(ground[None], 12, axis=0)
    for number, frame in enumerate(frames):
        frame[12:28, 4 + 2 * number : 20 + 2 * number] = (250, 200, 40)
    return frames
