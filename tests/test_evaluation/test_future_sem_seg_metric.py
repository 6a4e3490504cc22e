"""The metric of forecast label maps: keys, hand values, processes, bad input."""

import multiprocessing

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData

from mmforecast.evaluation import FutureSemSegMetric
from mmforecast.evaluation.functional import confusion_matrix, mean_iou
from mmforecast.evaluation.metrics import future_sem_seg_metric
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

META = {'classes': ('road', 'building', 'car'), 'moving_ids': (2,)}


def make_sample(pred, truth=None, reference=None, num_past=2, labelled=None, **meta):
    """A clip whose past is void; ``pred``, ``truth`` and ``reference`` are (n, H, W) lists."""
    sample = ForecastDataSample(
        metainfo={
            'sequence_id': 'street/7',
            'frame_names': ['a', 'b', 'c'],
            'num_past': num_past,
            'stride': 3,
            'fps': 17.0,
            **meta,
        }
    )
    sample.pred_sem_seg = PixelData(data=torch.tensor(pred))
    if truth is not None:
        truth = torch.tensor(truth, dtype=torch.uint8)
        past = torch.full((num_past, *truth.shape[1:]), 255, dtype=torch.uint8)
        sample.gt_sem_seg = PixelData(data=torch.cat([past, truth]))
        labelled = [True] * len(truth) if labelled is None else labelled
        sample.set_metainfo({'labelled': [False] * num_past + labelled})
    if reference is not None:
        sample.ref_sem_seg = PixelData(data=torch.tensor(reference))
    return sample


def evaluate(samples, meta=META, **kwargs):
    metric = METRICS.build({'type': 'FutureSemSegMetric', **kwargs})
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = meta
    for sample in samples:
        evaluator.process(data_samples=[sample], data_batch={})
    return evaluator.evaluate(len(samples))


def random_samples(number, steps=2, seed=0):
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 3, (number, 3, steps, 6, 8))
    return [make_sample(*(part.tolist() for part in parts)) for parts in maps]


def test_hand_values_of_every_key():
    # Step 1: right in 3 of 4 pixels against truth, in all against the segmentor. Step 2: road is
    # half right, car is missed by one of two pixels.
    sample = make_sample(
        pred=[[[0, 0, 1, 1]], [[0, 2, 1, 2]]],
        truth=[[[0, 1, 1, 1]], [[0, 0, 2, 2]]],
        reference=[[[0, 0, 1, 1]], [[0, 2, 255, 2]]],
    )
    result = evaluate([sample])
    expected = {
        't+1/mIoU': (50 + 200 / 3) / 2,
        't+1/IoU-MO': np.nan,
        't+2/mIoU': (50 + 100 / 3) / 2,
        't+2/IoU-MO': 100 / 3,
        'mIoU': (50 + 100 / 3) / 2,
        'IoU-MO': 100 / 3,
        'aAcc': 50,
        'mAcc': 50,
        'SEG/t+1/mIoU': 100,
        'SEG/t+1/IoU-MO': np.nan,
        'SEG/t+2/mIoU': 100,
        'SEG/t+2/IoU-MO': 100,
        'SEG/mIoU': 100,
        'SEG/IoU-MO': 100,
        'SEG/aAcc': 100,
        'SEG/mAcc': 100,
    }
    assert result == pytest.approx(expected, nan_ok=True)


def test_dicts_and_objects_score_alike():
    samples = random_samples(4)
    metric = FutureSemSegMetric()
    metric.dataset_meta = META
    metric.process({}, samples)
    assert metric.evaluate(4) == evaluate(samples)


def test_the_data_set_is_scored_not_the_mean_of_clips():
    samples = [
        make_sample([[[0, 0, 0, 0]]], [[[0, 0, 0, 1]]]),
        make_sample([[[1, 1, 0, 0]]], [[[1, 1, 1, 1]]]),
    ]
    # Road: 3 hits of 3 true and 6 predicted pixels. Building: 2 hits of 5 true, none too many.
    assert evaluate(samples)['mIoU'] == pytest.approx((50 + 40) / 2)
    assert evaluate(samples[::-1]) == pytest.approx(evaluate(samples), nan_ok=True)


def test_equal_to_the_functional_form_on_random_maps():
    samples = random_samples(5)
    result = evaluate(samples)
    for step in range(2):
        conf = sum(
            confusion_matrix(sample.pred_sem_seg.data[step], sample.gt_sem_seg.data[2 + step], 3)
            for sample in samples
        )
        assert result[f't+{step + 1}/mIoU'] == mean_iou(conf)
        assert result[f't+{step + 1}/IoU-MO'] == mean_iou(conf, [2])


def test_clips_are_parted_by_the_speed_of_the_camera():
    wrong = make_sample([[[1, 1]]], reference=[[[0, 0]]], camera_speed=0.2)
    half = make_sample([[[0, 1]]], reference=[[[0, 0]]], camera_speed=0.1)
    result = evaluate([wrong, half], by_speed=True)
    assert result['SEG/mIoU/speed-low'] == pytest.approx(50)  # road: 1 of 2
    assert result['SEG/mIoU/speed-mid'] == 0
    assert 'SEG/mIoU/speed-high' not in result
    with pytest.raises(ValueError, match='ClipCameraSpeed'):
        evaluate([make_sample([[[0]]], reference=[[[0]]])], by_speed=True)


def test_what_is_scored_can_be_chosen():
    samples = random_samples(2)
    full = evaluate(samples)
    last = evaluate(samples, steps='last', iou_kinds='SEG', moving_ids=[0, 1], prefix='val')
    assert set(last) == {'val/SEG/mIoU', 'val/SEG/IoU-MO', 'val/SEG/aAcc', 'val/SEG/mAcc'}
    assert last['val/SEG/mIoU'] == full['SEG/mIoU']
    assert last['val/SEG/IoU-MO'] != full['SEG/IoU-MO']
    assert not any('MO' in key for key in evaluate(samples, meta={'classes': META['classes']}))


def test_scores_of_each_class():
    # Road: 1 hit of 2 true and 1 predicted. Car: 1 hit of 2 true and 2 predicted, or of 3 pixels in all.
    sample = make_sample([[[0, 2, 1, 2]]], [[[0, 0, 2, 2]]], reference=[[[0, 2, 2, 2]]])
    result = evaluate([sample], classwise=True)
    expected = {
        'IoU/road': 50,
        'IoU/building': np.nan,
        'IoU/car': 100 / 3,
        'Acc/road': 50,
        'Acc/building': np.nan,
        'Acc/car': 50,
        'SEG/IoU/road': 100,
        'SEG/IoU/building': np.nan,
        'SEG/IoU/car': 200 / 3,
        'SEG/Acc/road': 100,
        'SEG/Acc/building': np.nan,
        'SEG/Acc/car': 200 / 3,
    }
    assert result == pytest.approx({**evaluate([sample]), **expected}, nan_ok=True)
    assert result['mIoU'] == pytest.approx(np.nanmean([result[f'IoU/{name}'] for name in META['classes']]))
    only_first = make_sample([[[0]], [[0]]], [[[0]], [[0]]], labelled=[True, False])
    assert not any(key.startswith('IoU/') for key in evaluate([only_first], classwise=True))


def test_steps_without_labels_have_no_ground_truth_keys():
    maps = [[[0, 1]], [[1, 0]]]
    only_first = make_sample(maps, maps, reference=maps, labelled=[True, False])
    result = evaluate([only_first])
    assert result['t+1/mIoU'] == 100
    assert result['SEG/mIoU'] == 100
    assert not {'mIoU', 'IoU-MO', 'aAcc', 't+2/mIoU'} & set(result)


def test_the_logged_tables_name_seconds_and_classes(monkeypatch):
    logged = []
    monkeypatch.setattr(future_sem_seg_metric, 'print_log', lambda text, **_: logged.append(text))
    evaluate([make_sample([[[0, 1]], [[1, 0]]], [[[0, 1]], [[1, 1]]])])
    by_step, by_class = (text.strip().splitlines() for text in logged)
    assert [line.split()[:3] for line in by_step[2:]] == [
        ['t+1', '0.18', '100.00'],
        ['t+2', '0.35', '50.00'],
    ]
    assert [line.split() for line in by_class[2:]] == [
        ['road', '-', '-'],
        ['building', '50.00', '50.00'],
        ['car', '-', '-'],
    ]


def test_nothing_to_score_is_an_error():
    maps = [[[0, 1]]]
    with pytest.raises(ValueError, match='nothing to score in 1 clip: .*labels on a forecast'):
        evaluate([make_sample(maps, maps, labelled=[False])])
    with pytest.raises(ValueError, match="nothing to score in 1 clip: .*'SEG'"):
        evaluate([make_sample(maps, maps)], iou_kinds=['SEG'])


def test_too_long_a_horizon_names_both_ways_out():
    sample = make_sample([[[0, 1]]] * 3, [[[0, 1]]])
    with pytest.raises(
        ValueError,
        match=(
            r"clip 'street/7' .*predicts 3 steps but the clip carries 1 future frame: set "
            r'num_future=3 in the dataset or test_cfg.rollout_steps=1'
        ),
    ):
        evaluate([sample])
    with pytest.raises(ValueError, match='predicts 2 steps but ref_sem_seg holds 1 step'):
        evaluate([make_sample([[[0, 1]]] * 2, reference=[[[0, 1]]])])


def test_bad_samples_are_named():
    with pytest.raises(ValueError, match='predicted label maps are 1x3 .*compare with are 1x2'):
        evaluate([make_sample([[[0, 1, 1]]], [[[0, 1]]])])
    sample = make_sample([[[0, 1]]], [[[0, 1]]])
    with pytest.raises(ValueError, match=r"needs dataset_meta\['classes'\]"):
        evaluate([sample], meta={})
    with pytest.raises(ValueError, match=r'differ in their number of forecast steps: \[1, 2\]'):
        evaluate([sample, make_sample([[[0, 1]]] * 2, [[[0, 1]]] * 2)])
    del sample.pred_sem_seg
    with pytest.raises(ValueError, match="clip 'street/7' .* has no pred_sem_seg"):
        evaluate([sample])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        ({'iou_kinds': ['gt']}, "iou_kinds must be one or more of 'GT', 'SEG', got .'gt'"),
        ({'iou_kinds': []}, r"iou_kinds must be one or more of 'GT', 'SEG', got \(\)"),
        ({'steps': 'first'}, "steps must be one of 'all', 'last', got 'first'"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        FutureSemSegMetric(**kwargs)


def score_share(rank, store, samples, results):
    """Score the samples that mmengine's DefaultSampler deals to a process: by turns, then the first again."""
    torch.distributed.init_process_group('gloo', init_method=f'file://{store}', rank=rank, world_size=2)
    metric = FutureSemSegMetric()
    metric.dataset_meta = META
    dealt = [*range(len(samples)), 0][rank::2]
    metric.process({}, [samples[index] for index in dealt])
    results.put(metric.evaluate(len(samples)))
    torch.distributed.destroy_process_group()


def test_two_processes_score_as_one(tmp_path):
    """Five clips on two processes: the sampler repeats one, which must not count twice."""
    samples = [sample.to_dict() for sample in random_samples(5)]
    context = multiprocessing.get_context('fork')  # everything is imported already
    results = context.Queue()
    workers = [
        context.Process(target=score_share, args=(rank, tmp_path / 'store', samples, results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    expected = evaluate(samples)
    assert found == [expected, expected]
    # The set is small enough for the repeated clip to show if it were counted.
    assert evaluate([*samples, samples[0]]) != expected
