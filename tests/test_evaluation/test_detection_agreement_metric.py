"""Agreement with the detector's own detections on the future: hand values, sizes, speeds, bad input."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmforecast.evaluation import DetectionAgreementMetric
from mmforecast.evaluation.functional import Detections, coco_ap, mean_coco_ap
from mmforecast.evaluation.score_style import explain_score
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

PERSON, CAR = 0, 2
SIZE = (200, 400)
BOX = (10, 10, 50, 30)  # 800 pixels: small
# Overlaps BOX by 30 of 50 columns: IoU 0.6, right at three of the ten thresholds (0.5, 0.55, 0.6).
NEAR = (20, 10, 60, 30)
FAR = (200, 100, 300, 180)  # 8000 pixels: medium


def found(*instances, masks=False):
    """InstanceData from (label, score, box) triples; masks fill the boxes."""
    boxes = torch.tensor([box for _, _, box in instances], dtype=torch.float32).reshape(-1, 4)
    out = InstanceData(
        labels=torch.tensor([label for label, _, _ in instances], dtype=torch.int64),
        scores=torch.tensor([score for _, score, _ in instances], dtype=torch.float32),
        bboxes=boxes,
    )
    if masks:
        out.masks = torch.zeros((len(boxes), *SIZE), dtype=torch.bool)
        for mask, (x1, y1, x2, y2) in zip(out.masks, boxes.long().tolist()):
            mask[y1:y2, x1:x2] = True
    return out


def clip(pred, reference, **meta):
    """A clip; one list entry per forecast step."""
    meta = {'sequence_id': 'street', 'num_past': 2, 'stride': 2, 'fps': 10.0, 'img_shape': SIZE, **meta}
    sample = ForecastDataSample(metainfo=meta)
    if pred is not None:
        sample.pred_instances = pred
    if reference is not None:
        sample.ref_instances = reference
    return sample


def score(*clips, **options):
    metric = DetectionAgreementMetric(**options)
    evaluator = Evaluator(metric)
    evaluator.process(list(clips))
    return evaluator.evaluate(len(clips))


def test_a_box_shifted_by_a_fifth_counts_at_three_thresholds_of_ten():
    scores = score(clip([found((CAR, 0.9, NEAR))], [found((CAR, 0.8, BOX))]))
    assert scores['REF/AP50'] == pytest.approx(100)
    assert scores['REF/AP'] == pytest.approx(30)


def test_a_false_forecast_counts_by_its_score():
    reference = [found((CAR, 0.8, BOX))]
    above = score(clip([found((CAR, 0.9, FAR), (CAR, 0.7, BOX))], reference))
    below = score(clip([found((CAR, 0.7, FAR), (CAR, 0.9, BOX))], reference))
    assert above['REF/AP50'] == pytest.approx(50)
    assert below['REF/AP50'] == pytest.approx(100)


def test_the_detections_of_the_true_future_itself_get_100_whatever_is_not_confident():
    generator = np.random.default_rng(0)
    clips = []
    for _ in range(4):
        corners = generator.integers(0, 100, (30, 2))
        boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, generator.integers(5, 80, (30, 2)))]
        boxes = list(dict.fromkeys(boxes))
        labels = generator.integers(0, 3, len(boxes))
        scores = generator.uniform(0, 1, len(boxes))
        instances = found(*zip(labels.tolist(), scores.tolist(), boxes))
        clips.append(clip([instances], [instances]))
    scores = score(*clips)
    assert scores['REF/AP'] == pytest.approx(100)
    assert scores['REF/AP50'] == pytest.approx(100)


def test_only_confident_instances_of_the_reference_are_asked_for():
    sample = clip([found((CAR, 0.9, BOX))], [found((CAR, 0.8, BOX), (CAR, 0.4, FAR))])
    assert score(sample)['REF/AP50'] == pytest.approx(100)
    # recall stops at one half: precision 1 at the recalls 0, 0.01, ..., 0.5
    assert score(sample, score_thr=0.4)['REF/AP50'] == pytest.approx(100 * 51 / 101)


def test_classes_are_means_of_the_reference_classes():
    sample = clip([found((CAR, 0.9, BOX), (1, 0.9, FAR))], [found((CAR, 0.8, BOX), (PERSON, 0.8, FAR))])
    scores = score(sample, classwise=True)
    assert scores['REF/AP50'] == pytest.approx(50)
    assert scores['REF/AP50/car'] == pytest.approx(100)
    assert scores['REF/AP50/person'] == 0
    assert 'REF/AP50/rider' not in scores


def test_sizes_are_those_of_the_objects():
    sample = clip([found((CAR, 0.9, BOX))], [found((CAR, 0.8, BOX), (CAR, 0.8, FAR))])
    scores = score(sample)
    assert scores['REF/AP50/small'] == pytest.approx(100)
    assert scores['REF/AP50/medium'] == 0
    assert np.isnan(scores['REF/AP50/large'])
    assert score(sample, areas=(100, 900))['REF/AP50/large'] == 0


def test_boxes_are_cut_to_the_frame():
    sample = clip([found((CAR, 0.9, (-80, 0, 20, 20)))], [found((CAR, 0.8, (0, 0, 20, 20)))])
    assert score(sample)['REF/AP'] == pytest.approx(100)


def test_steps_are_scored_apart_and_the_last_one_is_the_score():
    steps = [found((CAR, 0.9, BOX))], [found((CAR, 0.8, BOX))]
    sample = clip([*steps[0], found()], [*steps[1], found((CAR, 0.8, BOX))])
    scores = score(sample)
    assert scores['REF/t+1/AP50'] == pytest.approx(100)
    assert scores['REF/t+2/AP50'] == scores['REF/AP50'] == 0
    assert not [key for key in score(sample, steps='last') if 't+' in key]


def test_steps_that_the_decoder_left_out_are_not_scored():
    sample = clip([InstanceData(), found((CAR, 0.9, BOX))], [InstanceData(), found((CAR, 0.8, BOX))])
    scores = score(sample)
    assert 'REF/t+1/AP50' not in scores
    assert scores['REF/t+2/AP50'] == pytest.approx(100)


def test_masks_are_scored_where_wanted():
    pred, reference = found((CAR, 0.9, BOX), masks=True), found((CAR, 0.8, BOX), masks=True)
    pred.masks[0, :, 35:] = False  # 25 of 40 columns are left: IoU 0.625
    scores = score(clip([pred], [reference]), iou_types=('box', 'mask'))
    assert scores['REF/AP'] == pytest.approx(100)
    assert scores['REF/mask-AP50'] == pytest.approx(100)
    assert scores['REF/mask-AP'] == pytest.approx(30)
    assert 'REF/mask-AP' not in score(clip([pred], [reference]))
    with pytest.raises(ValueError, match='without masks'):
        score(clip([found((CAR, 0.9, BOX))], [reference]), iou_types='mask')


def test_clips_are_parted_by_the_speed_of_the_camera():
    right, wrong = [found((CAR, 0.9, BOX))], [found((CAR, 0.9, FAR))]
    reference = [found((CAR, 0.8, BOX))]
    clips = [
        clip(wrong, reference, camera_speed=0.3),
        clip(right, reference, camera_speed=0.1),
        clip([found()], reference, camera_speed=0.2),
    ]
    scores = score(*clips, by_speed=True)
    assert scores['REF/AP50/speed-low'] == pytest.approx(100)
    assert scores['REF/AP50/speed-mid'] == scores['REF/AP50/speed-high'] == 0
    with pytest.raises(ValueError, match='ClipCameraSpeed'):
        score(clip(right, reference), by_speed=True)


def test_frames_of_a_group_are_those_of_the_group_alone():
    generator = np.random.default_rng(1)
    frames = [
        Detections(np.array([[0, 0, 50, 50.0]]), np.array([CAR]), generator.uniform(size=1)) for _ in range(6)
    ]
    away = [Detections(frame.boxes + 40, frame.labels, frame.scores) for frame in frames]
    pred = [frame if index % 3 else moved for index, (frame, moved) in enumerate(zip(frames, away))]
    group = [0, 3, 4]
    grouped = coco_ap(pred, frames, {'some': group})['some']['all']
    alone = coco_ap([pred[i] for i in group], [frames[i] for i in group])['all']['all']
    assert mean_coco_ap(grouped) == mean_coco_ap(alone) < 50


def test_without_an_object_in_the_reference_there_is_no_score():
    scores = score(clip([found((CAR, 0.9, BOX))], [found((CAR, 0.1, BOX))]))
    assert np.isnan(scores['REF/AP50'])


@pytest.mark.parametrize(
    'sample, message',
    [
        (clip(None, [found()]), 'no pred_instances'),
        (clip([found()], None), 'test_cfg.reference=True'),
        (clip([found(), found()], [found()]), '2 steps but ref_instances holds 1 step'),
        (clip([InstanceData()], [InstanceData()]), 'no instances of the last step'),
    ],
)
def test_clips_without_what_is_compared_are_refused(sample, message):
    with pytest.raises(ValueError, match=message):
        score(sample)


@pytest.mark.parametrize(
    'options', [dict(score_thr=2), dict(iou_types='boxes'), dict(areas=(9, 4)), dict(steps='first')]
)
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match='DetectionAgreementMetric'):
        METRICS.build(dict(type='DetectionAgreementMetric', **options))


def test_its_scores_are_explained_as_those_of_boxes():
    assert 'boxes' in explain_score('REF/AP50')
    assert 'boxes' not in explain_score('AP50')
    assert "the detector's own" in explain_score('REF/mask-AP50/speed-low')
