"""Streaming finds what the batch path finds, and encodes each frame once."""

import numpy as np
import pytest
import torch

from mmforecast.apis import StreamingForecaster, build_forecaster, load_config
from mmforecast.structures import ForecastDataSample

F2F = dict(type='F2FPredictor', channels=64, num_past=3, size_factor=1, num_scales=(2, 1, 1, 1), losses={})


def forecaster(repository, predictor):
    cfg = load_config(str(repository / 'configs/f2f/f2f_tiny_synthetic.py'))
    cfg.model.num_past = 3
    cfg.model.encoder.chunk = 1  # convolutions of batches may round otherwise
    cfg.model.encoder.size = (96, 160)
    cfg.model.encoder.detector.test_cfg.rcnn.score_thr = 0.0
    cfg.model.encoder.detector.test_cfg.rcnn.max_per_img = 5
    cfg.model.test_cfg = dict(rollout_steps=2)
    return build_forecaster(cfg, changes=dict(predictor=predictor))


def video(length, size=(48, 80)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (length, *size, 3), dtype=np.uint8)


@pytest.mark.parametrize('predictor', [F2F, dict(type='CopyLast'), dict(type='FlowWarp')])
def test_streaming_is_the_batch_path(repository, predictor):
    torch.manual_seed(0)
    model, frames, stride = forecaster(repository, predictor), video(6), 2
    calls = []
    encode = model.encoder.encode
    model.encoder.encode = lambda *args: calls.append(args[0].shape[1]) or encode(*args)
    stream = StreamingForecaster(model, stride)
    out = [stream.update(frame) for frame in frames]
    assert calls == [1] * 6  # one frame per update, each once
    assert [sample is None for sample in out] == [True] * 4 + [False] * 2
    for last in (4, 5):
        clip = torch.from_numpy(frames[last - 4 : last + 1 : stride]).permute(0, 3, 1, 2).contiguous()
        sample = ForecastDataSample(metainfo=dict(num_past=3, img_shape=(48, 80)))
        (batch,) = model.predict(clip[None].float(), [sample])
        for mine, other in zip(out[last].pred_instances, batch.pred_instances, strict=True):
            assert len(other) == 5
            for key in ('labels', 'scores', 'bboxes', 'masks'):
                assert torch.equal(mine[key], other[key])


def test_reset_begins_another_video(repository):
    stream = StreamingForecaster(forecaster(repository, dict(type='CopyLast')))
    frames = video(4)
    assert [stream.update(frame) is None for frame in frames] == [True, True, False, False]
    with pytest.raises(ValueError, match='32x64 pixels follows frames of 48x80'):
        stream.update(frames[0][:32, :64])
    stream.reset()
    assert stream.update(frames[0][:32, :64]) is None


def test_bad_arguments(repository):
    model = forecaster(repository, dict(type='CopyLast'))
    with pytest.raises(ValueError, match='stride must be an integer >= 1'):
        StreamingForecaster(model, 0)
    with pytest.raises(ValueError, match=r'\(H, W, 3\) uint8 RGB'):
        StreamingForecaster(model).update(np.zeros((4, 4), np.uint8))
    labels = load_config(str(repository / 'configs/s2s/s2s_warp_tiny_synthetic.py'))
    with pytest.raises(ValueError, match='LabelMapEncoder takes its representation from a data'):
        StreamingForecaster(build_forecaster(labels))


def test_frames_that_no_forecast_needs_may_be_skipped(repository):
    model, frames = forecaster(repository, dict(type='CopyLast')), video(12)
    stream = StreamingForecaster(model, 2)
    found = []
    for number in (0, 2, 4, 7, 9, 11):
        stream.observe(frames[number], number)
        found.append(stream.forecast() is not None)
    assert found == [False, False, True, False, False, True]  # 0, 2, 4 and 7, 9, 11 make a clip
    with pytest.raises(ValueError, match='frame 11 comes after frame 11'):
        stream.observe(frames[0], 11)
