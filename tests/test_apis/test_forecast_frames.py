"""Forecast frames beneath label maps and instances, and what of them the newest frame showed."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers.forecast_frames import ForecastFrames, FrameForecaster, shares_seen
from mmforecast.apis.inferencers.results import Forecast, encode_instances
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.ego_motion import EgoMotion
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.frame_memory import FrameMemory

SHIFT = 6


@pytest.fixture(scope='module')
def panning():
    """(3, 96, 160, 3) and the frame after: smooth noise that goes 6 pixels to the left per frame."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 160 + 3 * SHIFT, 3), dtype=np.uint8)
    wide = cv2.GaussianBlur(noise, (0, 0), 3)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    frames = np.stack([wide[:, SHIFT * k : SHIFT * k + 160] for k in range(4)])
    return frames[:3], frames[3]


def forecaster(predictor=None):
    return FrameForecaster(SimpleNamespace(predictor=predictor))


def test_a_shifted_image_goes_on(panning):
    past, future = panning
    moved = forecaster()(past, steps=2)
    assert moved.images.shape == (2, 96, 160, 3) and moved.images.dtype == np.uint8
    inside = np.s_[8:-8, 8 : -SHIFT - 8]
    error = np.abs(moved.images[0].astype(int) - future)[inside].mean()
    stale = np.abs(past[-1].astype(int) - future)[inside].mean()
    assert error < 4 < stale / 3
    # one column in each step has come into view for every pixel of motion
    assert moved.visible[0][8:-8, : -SHIFT - 3].all() and not moved.visible[0][8:-8, -SHIFT + 2 :].any()
    assert not moved.visible[1][8:-8, -2 * SHIFT + 2 :].any()


def test_motion_that_the_model_observed_is_not_observed_again(panning):
    past, _ = panning
    model = SimpleNamespace(predictor=EgoMotion())
    memory = FrameMemory()
    frames = torch.from_numpy(past).permute(0, 3, 1, 2)[None].float()
    context = ForecastContext(frames=frames, samples=[])
    with memory.in_use(), torch.no_grad():
        model.predictor([torch.rand(1, 3, 2, 96, 160)], context)
    before = memory.num_computed.copy()
    shared, alone = FrameForecaster(model, memory)(past, steps=2), FrameForecaster(model)(past, steps=2)
    assert memory.num_computed == before and before['camera_step'] == 2
    assert np.array_equal(shared.images, alone.images) and np.array_equal(shared.visible, alone.visible)


def test_the_frame_is_moved_at_its_own_size(panning):
    past = np.stack([cv2.resize(frame, (320, 192), interpolation=cv2.INTER_CUBIC) for frame in panning[0]])
    small = FrameForecaster(SimpleNamespace(predictor=EgoMotion(max_width=160)))(past, steps=1)
    assert small.images.shape == (1, 192, 320, 3) and small.visible.shape == (1, 192, 320)
    future = cv2.resize(panning[1], (320, 192), interpolation=cv2.INTER_CUBIC)
    inside = np.s_[16:-16, 16 : -2 * SHIFT - 16]
    assert np.abs(small.images[0].astype(int) - future)[inside].mean() < 5


def test_the_motion_is_that_of_the_model():
    own = EgoMotion()
    assert forecaster(own).motion is own
    assert forecaster(SimpleNamespace(motion=own)).motion is own  # corrected motion
    assert isinstance(forecaster(object()).motion, EgoMotion)


@pytest.mark.parametrize('shape', [(1, 40, 60, 3), (3, 12, 60, 3)])
def test_no_motion_can_be_estimated(shape):
    assert forecaster()(np.zeros(shape, np.uint8), steps=1) is None


def test_shares_of_masks_and_boxes():
    visible = np.ones((10, 20), dtype=bool)
    visible[:, 15:] = False
    boxes = torch.tensor([[0, 0, 4, 4], [13, 0, 17, 4], [16, 2, 20, 8], [20, 0, 20, 4]]).float()
    expected = [1, 0.5, 0, 0]  # the last has left the frame
    assert shares_seen(InstanceData(bboxes=boxes), visible) == expected
    masks = torch.zeros(4, 10, 20, dtype=torch.bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist()):
        mask[y1:y2, x1:x2] = True
    assert shares_seen(InstanceData(masks=masks), visible) == expected
    assert shares_seen(InstanceData(), visible) == []


def test_the_number_is_in_the_json_file(s2s_config, moving_square, tmp_path):
    inferencer = ForecastInferencer(s2s_config, show_progress=False)
    inferencer(moving_square, out_dir=tmp_path, formats=('json', 'mp4'))
    (forecast,) = json.loads((tmp_path / 'frames_forecast.json').read_text())['forecasts']
    assert len(forecast['visibility']) == 2 and all(0 <= share <= 1 for share in forecast['visibility'])
    found = InstanceData(
        labels=torch.tensor([1]), bboxes=torch.tensor([[0.0, 0, 4, 4]]), visibility=torch.tensor([0.25])
    )
    assert encode_instances(found)[0]['visibility'] == 0.25
    del found.visibility
    assert 'visibility' not in encode_instances(found)[0]


def test_samples_have_what_plain_containers_have(s2s_config, moving_square):
    inferencer = ForecastInferencer(s2s_config, show_progress=False)
    (plain,) = inferencer(moving_square)['predictions']
    (sample,) = inferencer(moving_square, return_datasamples=True)['predictions']
    assert sample.visibility == plain['visibility']


def test_instances_of_samples_have_their_visibility():
    past = np.zeros((2, 10, 20, 3), np.uint8)
    visible = np.ones((1, 10, 20), dtype=bool)
    visible[..., 10:] = False
    sample = ForecastDataSample(metainfo=dict(num_past=2, frame_indices=[0, 1, 2]))
    sample.pred_instances = [InstanceData(bboxes=torch.tensor([[5.0, 0, 15, 10]]))]
    forecast = Forecast(sample, past, lambda frames, steps: ForecastFrames(frames[-1:], visible))
    marked = forecast.marked_sample()
    assert marked.visibility == [0.5] and marked.pred_instances[0].visibility.tolist() == [0.5]
    assert 'visibility' not in sample.pred_instances[0]  # the forecaster's own are left as they are


def test_frames_need_no_other_frames(video_config, moving_square):
    (forecast,) = ForecastInferencer(video_config, show_progress=False)(moving_square)['predictions']
    assert 'rgb' in forecast and 'visibility' not in forecast
