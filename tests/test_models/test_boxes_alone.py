"""Detectors without a mask head: their boxes are scored filled, and drawn and written as boxes."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.apis.inferencers.results import encode_instances
from mmforecast.evaluation.metrics import CityscapesInstanceMetric
from mmforecast.evaluation.results_file import forecast_record, restore_forecast
from mmforecast.structures import ForecastDataSample, fill_boxes
from mmforecast.visualization import ForecastLocalVisualizer, draw_instances, forecast_animation
from mmforecast.visualization.report.clips import clip_view

SIZE = (40, 60)
CAR = 2


def clip(masks: bool) -> ForecastDataSample:
    """One past and one future frame with a car, and a forecast that is two pixels off."""
    ids = torch.full((2, *SIZE), 7, dtype=torch.int32)  # road
    ids[:, 10:30, 10:40] = 26001
    meta = dict(
        sequence_id='a', frame_indices=[0, 1], frame_names=['0', '1'], num_past=1, num_future=1, stride=1,
        fps=10.0, labelled=[True, True], img_shape=SIZE,
    )  # fmt: skip
    sample = ForecastDataSample(metainfo=meta)
    sample.gt_instance_map = PixelData(data=ids)
    found = InstanceData(
        labels=torch.tensor([CAR]), scores=torch.tensor([0.9]), bboxes=torch.tensor([[12.0, 10, 42, 30]])
    )
    sample.pred_instances = [fill_boxes(found, SIZE) if masks else found]
    sample.ref_instances = sample.pred_instances
    return sample


def scores(sample):
    metric = CityscapesInstanceMetric(min_region_size=1, no_ap=('own',))
    metric.process({}, [sample])
    return metric.evaluate(1)


def test_boxes_are_scored_as_filled_rectangles():
    got = scores(clip(masks=False))
    assert got == pytest.approx(scores(clip(masks=True)), nan_ok=True)
    assert got['IoU-MO'] == pytest.approx(100 * 28 / 32)  # columns 12 to 40 of 10 to 42
    assert got['AP50'] == 100


def test_frames_without_detections_are_scored():
    sample = clip(masks=False)
    sample.pred_instances = [sample.pred_instances[0][:0]]
    assert scores(sample)['AP50'] == 0


def test_boxes_are_written_and_read():
    sample = clip(masks=False)
    record = forecast_record(sample.to_dict(), sample.to_dict())
    restored = restore_forecast(record, clip(masks=False))
    assert 'masks' not in restored.pred_instances[0]
    assert scores(restored) == pytest.approx(scores(sample), nan_ok=True)


def test_boxes_are_drawn_as_filled_rectangles():
    frames = np.full((2, *SIZE, 3), 90, dtype=np.uint8)
    strips, pictures, reports = [], [], []
    for masks in (False, True):
        sample = clip(masks)
        strips.append(ForecastLocalVisualizer().draw_strip(frames, sample))
        pictures.append(forecast_animation(sample, frames, {'forecast': sample.pred_instances})[-1])
        reports.append([panel.pictures for panel in clip_view({'forecast': sample}, frames).panels])
    for boxes, filled in (strips, pictures):
        assert np.array_equal(boxes, filled)
    assert reports[0] == reports[1]
    plain = clip(masks=True)
    plain.pred_instances = [plain.pred_instances[0][:0]]
    assert not np.array_equal(strips[0], ForecastLocalVisualizer().draw_strip(frames, plain))


def test_boxes_are_drawn_as_frames_that_hide_nothing():
    ground = np.full((*SIZE, 3), 100, np.uint8)
    boxes = torch.tensor([[10.0, 5, 40, 35], [20, 10, 30, 20]])  # the second lies within the first
    found = InstanceData(labels=torch.tensor([0, CAR]), scores=torch.tensor([0.9, 0.8]), bboxes=boxes)
    changed = (draw_instances(ground, fill_boxes(found, SIZE)) != ground).any(axis=2)
    expected = np.zeros(SIZE, bool)
    for left, top, right, bottom in boxes.int().tolist():
        inside = np.zeros(SIZE, bool)
        inside[top:bottom, left:right] = True
        inside[top + 1 : bottom - 1, left + 1 : right - 1] = False
        expected |= inside
    np.testing.assert_array_equal(changed, expected)


def test_boxes_are_no_masks_in_results():
    (entry,) = encode_instances(clip(masks=True).pred_instances[0])
    assert entry['bbox'] == [12, 10, 30, 20]
    assert 'segmentation' not in entry
