"""Streaming of label maps: scores of a segmentor, and RGB in front of them, frame by frame."""

import numpy as np
import pytest
import torch

from mmforecast.apis import StreamingForecaster
from mmforecast.models.forecasters import S2SForecaster
from mmforecast.structures import ForecastDataSample

SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[10.0] * 3, std=[3.0] * 3),
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=dict(type='BN')),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=8,
        num_classes=5,
        norm_cfg=dict(type='BN'),
    ),
    test_cfg=dict(mode='whole'),
)


def forecaster(variant, predictor):
    encoder = dict(type='SegmentorEncoder', segmentor=SEGMENTOR, stride=4, chunk=1)
    test_cfg = dict(rollout_steps=2)
    decoder = dict(type='SemSegDecoder', keep_scores=True)
    return S2SForecaster(encoder, predictor, decoder, variant, test_cfg=test_cfg).eval()


def learned(channels):
    return dict(
        type='MultiScalePredictor',
        channels=channels,
        out_channels=channels,
        num_past=4,
        widths=[[4]],
        kernels=[[3, 3]],
    )


@pytest.mark.parametrize(
    'variant, predictor',
    [('S2S', learned(5)), ('XS2XS', learned(8)), ('S2S', dict(type='FlowWarp'))],
)
def test_streaming_at_stride_3_is_the_clip(variant, predictor):
    model = forecaster(variant, predictor)
    frames = np.random.default_rng(0).integers(0, 256, (11, 32, 64, 3), dtype=np.uint8)
    stream = StreamingForecaster(model, stride=3)
    out = [stream.update(frame) for frame in frames]
    assert [sample is None for sample in out] == [True] * 9 + [False] * 2
    for first in (0, 1):
        # contiguous, as data loaders give it: other layouts take other convolutions
        clip = torch.from_numpy(frames[first : first + 10 : 3]).permute(0, 3, 1, 2).contiguous()
        (expected,) = model.predict(
            clip[None].float(), [ForecastDataSample(metainfo=dict(img_shape=(32, 64)))]
        )
        found = out[first + 9]
        assert found.pred_scores.shape == (2, 5, 8, 16) and found.pred_scores.std() > 0
        assert torch.equal(found.pred_scores, expected.pred_scores)
        assert torch.equal(found.pred_sem_seg.data, expected.pred_sem_seg.data)
    assert not torch.equal(out[9].pred_scores, out[10].pred_scores)
