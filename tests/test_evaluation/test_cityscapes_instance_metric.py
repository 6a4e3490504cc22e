"""The metric of forecast instances: keys, hand values, steps, label-map forecasters, bad input."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData

from mmforecast.evaluation import CityscapesInstanceMetric
from mmforecast.evaluation.functional import (
    average_precision,
    match_instances,
    mean_average_precision,
)
from mmforecast.evaluation.metrics import cityscapes_instance_metric
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

PERSON, CAR = 0, 2
SIZE = (4, 8)
UNLABELLED = np.full(SIZE, -1, dtype=np.int32)


def street(**boxes):
    """An id map of road (7) with ids in boxes (y1, x1, y2, x2): ``_26001=(0, 0, 2, 4)``."""
    id_map = np.full(SIZE, 7, dtype=np.int32)
    for key, (y1, x1, y2, x2) in boxes.items():
        id_map[y1:y2, x1:x2] = int(key[1:])
    return id_map


def instances_of(*instances):
    """InstanceData from (label, score, box) triples; the masks fill the boxes."""
    masks = torch.zeros((len(instances), *SIZE), dtype=torch.bool)
    for mask, (_, _, (y1, x1, y2, x2)) in zip(masks, instances):
        mask[y1:y2, x1:x2] = True
    return InstanceData(
        labels=torch.tensor([label for label, _, _ in instances], dtype=torch.int64),
        scores=torch.tensor([score for _, score, _ in instances], dtype=torch.float32),
        masks=masks,
    )


def make_sample(pred=None, truth=None, reference=None, sem_seg=None, num_past=2):
    """A clip of an unlabeled past; one list entry per forecast step."""
    sample = ForecastDataSample(
        metainfo={
            'sequence_id': 'street/7',
            'frame_names': ['a', 'b', 'c'],
            'num_past': num_past,
            'stride': 3,
            'fps': 17.0,
            'img_shape': SIZE,
        }
    )
    if pred is not None:
        sample.pred_instances = pred
    if reference is not None:
        sample.ref_instances = reference
    if sem_seg is not None:
        sample.pred_sem_seg = PixelData(data=torch.tensor(np.stack(sem_seg)))
    if truth is not None:
        maps = torch.from_numpy(np.stack([UNLABELLED] * num_past + list(truth)))
        sample.gt_instance_map = PixelData(data=maps)
    return sample


def evaluate(samples, min_region_size=1, **kwargs):
    metric = METRICS.build({'type': 'CityscapesInstanceMetric', 'min_region_size': min_region_size, **kwargs})
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {}
    for sample in samples:
        evaluator.process(data_samples=[sample], data_batch={})
    return evaluator.evaluate(len(samples))


BOX = (0, 0, 4, 4)
# Step 1: the car is found with IoU 12 / 16, a second one is imagined with a higher score.
# Step 2: the car is found, the person is not.
TRUTH = [street(_26001=BOX), street(_26001=BOX, _24001=(0, 6, 2, 8))]
PRED = [
    instances_of((CAR, 0.6, (0, 0, 4, 3)), (CAR, 0.7, (0, 6, 4, 8))),
    instances_of((CAR, 0.9, BOX)),
]


def test_hand_values_of_every_key():
    result = evaluate([make_sample(PRED, TRUTH, reference=PRED)], classwise=True)
    # Curve of step 1: (recall 0, precision 0) at 0.7, then (1, 1/2), and the artificial (0, 1).
    # Half the recall between neighbors: (1 - 0) / 2 each for 1/2 and 0, none for the last.
    ap50 = 100 * (1 / 2 * 1 / 2)
    expected = {
        't+1/AP50': ap50,
        't+1/AP': ap50 * 5 / 10,  # 12 / 16 is above 0.5 to 0.7
        't+1/IoU-MO': 100 * 12 / (16 + 8),  # 8 pixels of road taken for cars
        't+2/AP50': 50,
        't+2/AP': 50,
        't+2/IoU-MO': 50,
        'AP': 50,
        'AP50': 50,
        'IoU-MO': 50,
        'REF/IoU-MO': 100,
        'REF/t+1/IoU-MO': 100,
        'REF/t+2/IoU-MO': 100,
    }
    classes = ('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle')
    expected.update({f'AP/{name}': np.nan for name in classes})
    expected.update({f'AP50/{name}': np.nan for name in classes})
    expected.update({'AP/person': 0, 'AP/car': 100, 'AP50/person': 0, 'AP50/car': 100})
    assert result == pytest.approx(expected, nan_ok=True)


def test_background_and_void_in_the_semantic_reading():
    """Road called car counts against car; void and caravans don't count; groups are their class."""
    truth = street(_26=(0, 0, 1, 8), _3=(1, 0, 2, 8), _29001=(2, 0, 3, 8))
    pred = instances_of((CAR, 0.9, (0, 0, 4, 4)))
    # Car: hits 4 of the group's 8, and 4 of road.
    result = evaluate([make_sample([pred], [truth])])
    assert result['IoU-MO'] == pytest.approx(100 * 4 / (8 + 4))
    assert np.isnan(result['AP'])  # a group need not be found


def test_the_semantic_reading_drops_unsure_instances_and_the_average_precision_does_not():
    samples = [make_sample([instances_of((CAR, 0.4, BOX))], [street(_26001=BOX)])]
    assert evaluate(samples) == pytest.approx(
        {'AP': 100, 'AP50': 100, 'IoU-MO': 0, 't+1/AP': 100, 't+1/AP50': 100, 't+1/IoU-MO': 0}
    )
    assert evaluate(samples, score_thr=0.4)['IoU-MO'] == 100


def test_small_objects_need_not_be_found():
    sample = make_sample([instances_of()], [street(_26001=BOX)])
    assert evaluate([sample], min_region_size=16)['AP'] == 0
    assert np.isnan(evaluate([sample], min_region_size=17)['AP'])
    assert evaluate([sample], min_region_size=17)['IoU-MO'] == 0
    assert np.isnan(evaluate([sample], min_region_size=100)['AP'])


def test_the_data_set_is_scored_not_the_mean_of_clips():
    rng = np.random.default_rng(0)
    samples, matches = [], []
    for _ in range(5):
        y, x = rng.integers(0, 2, 2)
        truth = street(_26001=(0, 0, 2, 4), _24001=(2, 5, 4, 8))
        pred = instances_of(
            (CAR, rng.random(), (y, x, y + 2, x + 4)), (PERSON, rng.random(), (2, 4 + x, 4, 8))
        )
        samples.append(make_sample([pred], [truth]))
        matches.append(match_instances(pred.labels, pred.scores, pred.masks, truth, 1))
    result = evaluate(samples)
    ap = average_precision(matches)
    assert result['AP'] == pytest.approx(mean_average_precision(ap))
    assert result['AP50'] == pytest.approx(mean_average_precision(ap[:, :1]))
    assert 0 < result['AP'] < result['AP50'] < 100
    assert evaluate(samples[::-1]) == pytest.approx(result)


def test_steps_without_labels_have_no_keys_and_clips_without_labels_no_say():
    labelled_last = make_sample(PRED, [UNLABELLED, TRUTH[1]])
    result = evaluate([labelled_last])
    assert set(result) == {'AP', 'AP50', 'IoU-MO', 't+2/AP', 't+2/AP50', 't+2/IoU-MO'}
    wrong = [instances_of((PERSON, 1.0, BOX))] * 2
    unlabelled = [make_sample(wrong, [UNLABELLED] * 2), make_sample(wrong)]
    assert evaluate([labelled_last, *unlabelled]) == result
    # Where the last step is unlabeled its scores are NaN, and the first one's are as ever.
    result = evaluate([make_sample(PRED, [TRUTH[0], UNLABELLED])])
    assert np.isnan([result['AP'], result['AP50'], result['IoU-MO']]).all()
    assert result['t+1/AP50'] == pytest.approx(25)


def test_nothing_to_score_is_nan_and_said(monkeypatch):
    logged = []
    monkeypatch.setattr(cityscapes_instance_metric, 'print_log', lambda text, **_: logged.append(text))
    result = evaluate([make_sample(PRED)], classwise=True)
    assert np.isnan(list(result.values())).all() and 'AP/car' in result and 'AP' in result
    assert 'no forecast frame of 1 clip has labels, so the scores are NaN' in logged[0]
    logged.clear()
    evaluate([make_sample(PRED, TRUTH)])
    assert 'NaN' not in ''.join(logged)


def test_a_forecaster_of_label_maps_has_the_semantic_reading_alone():
    truth = street(_26001=BOX)
    label_map = np.full(SIZE, 2)
    label_map[0:4, 2:6] = 13  # car: 8 of 16 found, 8 too many
    result = evaluate([make_sample(sem_seg=[label_map], truth=[truth])], classwise=True)
    assert result == pytest.approx({'IoU-MO': 100 * 8 / 24, 't+1/IoU-MO': 100 * 8 / 24})
    painted = instances_of((CAR, 0.9, (0, 2, 4, 6)))
    assert evaluate([make_sample([painted], [truth])])['IoU-MO'] == result['IoU-MO']
    # With both, the instances are read.
    both = make_sample([instances_of((CAR, 0.9, BOX))], [truth], sem_seg=[label_map])
    assert evaluate([both])['IoU-MO'] == 100


def test_the_non_overlapping_ap_by_both_rules():
    """The true car is hidden in part by a surer person that isn't there."""
    truth = street(_26001=BOX)
    found = instances_of((CAR, 0.6, BOX), (PERSON, 0.9, (0, 0, 4, 2)), (CAR, 0.4, (0, 6, 2, 8)))
    result = evaluate([make_sample([found], [truth])], no_ap=('own', 'constant'))
    assert result['AP50'] == 100 and result['AP'] == 100
    assert result['NO-AP50'] == result['NO-AP50-const'] == 0  # half of the car is seen, no more
    assert result['t+1/NO-AP-const'] == 0 and result['IoU-MO'] == 50
    disjoint = instances_of((CAR, 0.9, BOX), (CAR, 0.6, (0, 6, 2, 8)))
    result = evaluate([make_sample([disjoint], [truth])], no_ap='constant')
    # With their own scores the right one comes first; else precision is a half.
    assert result['AP50'] == 100 and result['NO-AP50-const'] == pytest.approx(75)
    assert 'NO-AP50' not in result
    result = evaluate([make_sample([instances_of()], [truth])], no_ap=('own', 'constant'))
    assert result['NO-AP'] == result['NO-AP-const'] == 0


def test_semantics_can_be_read_from_the_label_map():
    truth = street(_26001=BOX)
    label_map = np.full(SIZE, 2)
    label_map[0:4, 2:6] = 13
    sample = make_sample([instances_of((CAR, 0.9, BOX))], [truth], sem_seg=[label_map])
    result = evaluate([sample], semantics='labels')
    assert result['IoU-MO'] == pytest.approx(100 * 8 / 24) and result['AP'] == 100
    only = make_sample([instances_of((CAR, 0.9, BOX))], [truth])
    assert evaluate([only], semantics='labels')['IoU-MO'] == 100


def test_the_reference_need_not_be_labelled():
    reference = [instances_of((CAR, 0.8, BOX)), instances_of((CAR, 0.8, (0, 0, 4, 2)))]
    result = evaluate([make_sample([instances_of((CAR, 0.9, BOX))] * 2, reference=reference)])
    assert result['REF/IoU-MO'] == 50
    assert result['REF/t+1/IoU-MO'] == 100
    assert 't+1/IoU-MO' not in result


def test_steps_last_and_prefix():
    samples = [make_sample(PRED, TRUTH)]
    full = evaluate(samples)
    last = evaluate(samples, steps='last', prefix='val')
    assert last == {f'val/{key}': full[key] for key in ('AP', 'AP50', 'IoU-MO')}


def test_the_logged_tables_name_seconds_and_classes(monkeypatch):
    logged = []
    monkeypatch.setattr(cityscapes_instance_metric, 'print_log', lambda text, **_: logged.append(text))
    evaluate([make_sample(PRED, TRUTH)])
    by_step, by_class = (text.strip().splitlines() for text in logged)
    assert [line.split() for line in by_step[2:]] == [
        ['t+1', '0.18', '12.50', '25.00', '50.00'],
        ['t+2', '0.35', '50.00', '50.00', '50.00'],
    ]
    assert [line.split() for line in by_class[2:5]] == [
        ['person', '0.00', '0.00', '0.00'],
        ['rider', '-', '-', '-'],
        ['car', '100.00', '100.00', '100.00'],
    ]


def test_what_is_kept_of_a_clip_is_small_and_can_be_sent():
    metric = CityscapesInstanceMetric(min_region_size=1)
    metric.process({}, [make_sample(PRED, TRUTH)])
    sent = pickle.dumps(metric.results)
    assert len(sent) < 10_000
    assert metric.compute_metrics(pickle.loads(sent)) == evaluate([make_sample(PRED, TRUTH)])


def test_bad_samples_are_named():
    with pytest.raises(ValueError, match="clip 'street/7' .* has neither pred_instances nor"):
        evaluate([make_sample(truth=TRUTH)])
    with pytest.raises(
        ValueError,
        match=(
            'predicts 2 steps but the clip carries 1 future frame: set num_future=2 in the dataset '
            'or test_cfg.rollout_steps=1'
        ),
    ):
        evaluate([make_sample(PRED, TRUTH[:1])])
    with pytest.raises(ValueError, match='predicts 2 steps but the reference holds 1 step'):
        evaluate([make_sample(PRED, reference=PRED[:1])])
    with pytest.raises(ValueError, match=r'differ in their number of forecast steps: \[1, 2\]'):
        evaluate([make_sample(PRED, TRUTH), make_sample(PRED[:1], TRUTH[:1])])
    small = make_sample([InstanceData(**{**PRED[1], 'masks': torch.ones(1, 2, 4).bool()})], TRUTH)
    with pytest.raises(ValueError, match='the forecast is 2x4 but .* compare it with is 4x8'):
        evaluate([small])
    with pytest.raises(ValueError, match='has no clips to score'):
        CityscapesInstanceMetric().compute_metrics([])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        ({'steps': 'first'}, "steps must be one of 'all', 'last', got 'first'"),
        ({'min_region_size': -1}, 'min_region_size must be 0 or more, got -1'),
        (
            {'no_ap': 'best'},
            r"no_ap must be none, one or more of 'own', 'constant', got \('best',\)",
        ),
        ({'semantics': 'both'}, "semantics must be one of 'instances', 'labels', got 'both'"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CityscapesInstanceMetric(**kwargs)
