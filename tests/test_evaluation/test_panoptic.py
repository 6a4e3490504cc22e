"""Panoptic quality: hand cases, invariances, and the official script where it is installed."""

import json
import time

import cv2
import numpy as np
import pytest
import torch

from mmforecast.evaluation.functional import (
    PANOPTIC_GROUPS,
    mean_panoptic_quality,
    panoptic_counts,
    panoptic_quality,
)
from mmforecast.structures import panoptic_from_id_map
from mmforecast.structures.cityscapes import EVALUATED_CLASSES, MOVING_TRAIN_IDS

ROAD, CAR = 0, 13  # train ids
IDS = {'0': 0, 'T': 26001, 'U': 26002, 'S': 7, 'G': 26}
# Prediction and target (T, U: two cars, S: road, G: a group of cars, 0: void), then iou, TP, FP and FN of car
# and of road, and PQ over both.
CASES = [
    ('TTSS', 'TTSS', (1, 1, 0, 0), (1, 1, 0, 0), 1),
    ('0000SSSS', 'TTTTSSSS', (0, 0, 0, 1), (1, 1, 0, 0), 0.5),
    ('TT00SSSS', 'TTTTSSSS', (0, 0, 1, 1), (1, 1, 0, 0), 0.5),  # IoU = 0.5 is no match
    ('TTT0SSSS', 'TTTTSSSS', (0.75, 1, 0, 0), (1, 1, 0, 0), 0.875),
    ('TTTTSSSS', '000TSSSS', (1, 1, 0, 0), (1, 1, 0, 0), 1),
    ('TTTTSSSS', '000SSSSS', (0, 0, 0, 0), (0.8, 1, 0, 0), 0.8),  # 3/4 of the car on void
    ('TTSSSS', 'TSSSSS', (0, 0, 1, 1), (0.8, 1, 0, 0), 0.4),
    ('TTUUSSSS', 'TTGGSSSS', (1, 1, 0, 0), (1, 1, 0, 0), 1),
    ('TTSSSSSS', 'TTGGSSSS', (1, 1, 0, 0), (4 / 6, 1, 0, 0), 5 / 6),
    ('TTUUSSSS', 'TTTTSSSS', (0, 0, 2, 1), (1, 1, 0, 0), 0.5),
    # half on void is not more than half
    ('TTTTSSSS', '00SSSSSS', (0, 0, 1, 0), (4 / 6, 1, 0, 0), 1 / 3),
]


def as_map(text):
    return np.array([[IDS[letter] for letter in text]])


def mean_of_all(counts):
    return mean_panoptic_quality(counts, PANOPTIC_GROUPS[''])


@pytest.mark.parametrize(('pred', 'target', 'car', 'road', 'quality'), CASES)
def test_hand_cases(pred, target, car, road, quality):
    counts = panoptic_counts(as_map(pred), as_map(target))
    np.testing.assert_allclose(counts[CAR], car, atol=1e-6)
    np.testing.assert_allclose(counts[ROAD], road, atol=1e-6)
    assert mean_of_all(counts)[0] == pytest.approx(100 * quality, abs=1e-6)


def test_crowd_of_another_class_is_no_excuse():
    # a person's group under a predicted car
    counts = panoptic_counts(np.array([[26001, 26001, 7]]), np.array([[24, 24, 7]]))
    assert counts[CAR].tolist() == [0, 0, 1, 0]
    assert counts[11].tolist() == [0, 0, 0, 0]  # an unmatched crowd is not missed


def test_scores_and_groups():
    """SQ is the mean IoU of matches, RQ the F1 score; PQ = SQ * RQ of a class, not of the means."""
    counts = panoptic_counts(as_map('TTT0SSSS'), as_map('TTTTSSSS'))
    counts += panoptic_counts(as_map('0000SSSS'), as_map('TTTTSSSS'))
    scores = panoptic_quality(counts)
    np.testing.assert_allclose(scores[CAR], [50, 75, 200 / 3])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1] * scores[:, 2] / 100)
    assert np.isnan(scores).all(axis=1).sum() == 17
    assert mean_panoptic_quality(counts, PANOPTIC_GROUPS['-things']) == pytest.approx((50, 75, 200 / 3))
    assert mean_panoptic_quality(counts, PANOPTIC_GROUPS['-stuff']) == pytest.approx((100, 100, 100))
    quality, segmentation, recognition = mean_of_all(counts)
    assert quality == pytest.approx(75) != pytest.approx(segmentation * recognition / 100)
    assert all(np.isnan(mean_panoptic_quality(counts, [11, 12])))


def random_maps(seed, height=64, width=96):
    """A plausible truth with void, crowds, stuff and things, and a prediction that resembles it."""
    rng = np.random.default_rng(seed)
    labels = [row.label_id for row in EVALUATED_CLASSES]
    maps = []
    for shift in (0, 3):
        ids = np.full((height, width), 7)
        ids[: height // 2] = 23
        box_rng = np.random.default_rng(seed)
        for number in range(14):
            top, left = box_rng.integers(0, height - 24), box_rng.integers(0, width - 24)
            tall, wide = box_rng.integers(4, 20, 2)
            label = labels[box_rng.integers(len(labels))]
            thing = labels.index(label) in MOVING_TRAIN_IDS
            crowd = box_rng.random() < 0.25 and not shift
            value = label if not thing or crowd else label * 1000 + number
            ids[top + shift : top + shift + tall, left : left + wide] = value
        if not shift:
            ids[rng.random((height, width)) < 0.02] = 0
            ids[:, :10] = 0
        else:
            things = (ids < 1000) & np.isin(ids, [labels[index] for index in MOVING_TRAIN_IDS])
            ids[things] = 0  # a prediction has no crowds
        maps.append(ids)
    return maps[1], maps[0]


def plain_counts(pred, target):
    """The definition, segment by segment."""
    counts = np.zeros((19, 4))
    index = {row.label_id: number for number, row in enumerate(EVALUATED_CLASSES)}
    category = lambda value: index[value if value < 1000 else value // 1000]  # noqa: E731
    is_crowd = lambda value: value < 1000 and category(value) in MOVING_TRAIN_IDS  # noqa: E731
    found, missed = set(), set()
    for true in set(np.unique(target)) - {0}:
        if is_crowd(true):
            continue
        missed.add(true)
        for value in set(np.unique(pred)) - {0}:
            a, b = pred == value, target == true
            iou = (a & b).sum() / ((a | b) & ~(a & (target == 0))).sum()
            if category(value) == category(true) and iou > 0.5:
                counts[category(value)] += [iou, 1, 0, 0]
                found.add(value)
                missed.discard(true)
    for value in set(np.unique(pred)) - {0} - found:
        mask = pred == value
        crowd = [v for v in np.unique(target[mask]) if v and is_crowd(v) and category(v) == category(value)]
        if np.isin(target[mask], [0, *crowd]).mean() <= 0.5:
            counts[category(value), 2] += 1
    for true in missed:
        counts[category(true), 3] += 1
    return counts


@pytest.mark.parametrize('seed', range(8))
def test_equals_the_definition(seed):
    pred, target = random_maps(seed)
    counts = panoptic_counts(pred, target)
    np.testing.assert_allclose(counts, plain_counts(pred, target), atol=1e-9)
    assert counts[:, 1:].sum(axis=0).all()  # matches, false and missed ones all occur
    # neither the numbers of instances nor the order of pixels matter
    renumbered = np.where(pred >= 1000, pred // 1000 * 1000 + 999 - pred % 1000, pred)
    np.testing.assert_allclose(panoptic_counts(renumbered, target), counts)
    order = np.random.default_rng(0).permutation(pred.size)
    shuffled = [torch.from_numpy(maps.ravel()[order].reshape(pred.shape)) for maps in (pred, target)]
    np.testing.assert_allclose(panoptic_counts(*shuffled), counts)


@pytest.mark.parametrize('seed', range(3))
def test_the_truth_scores_100(seed):
    _, target = random_maps(seed)
    quality = panoptic_quality(panoptic_counts(target, target))
    # crowds are segments of no class that counts: what is left of a class is 100, or nothing
    assert set(np.unique(quality[~np.isnan(quality)])) == {100}


def test_pairs_are_told_apart_across_rows_and_ids():
    """The largest ids, one pixel each, and runs that go on from row to row."""
    pred = np.array([[33999, 33998], [33998, 7]])
    counts = panoptic_counts(pred, pred)
    assert counts[18].tolist() == [2, 2, 0, 0]
    assert counts[0].tolist() == [1, 1, 0, 0]


def test_bad_maps():
    good = as_map('TTSS')
    with pytest.raises(ValueError, match='one size'):
        panoptic_counts(good, good[:, :3])
    with pytest.raises(TypeError, match='pred must hold integer ids'):
        panoptic_counts(good.astype(float), good)
    assert not panoptic_counts(good[:, :0], good[:, :0]).any()
    for value in (-1, 34000, 4, 7001, 29001):
        with pytest.raises(ValueError, match=f'target holds {value}.*panoptic_from_id_map'):
            panoptic_counts(good, np.full_like(good, value))


def test_truth_of_instance_ids():
    """Void is what Cityscapes doesn't evaluate: ego vehicle, license plate, caravans with and without n."""
    ids = torch.tensor([[-1, 1, 4, 7, 26, 26003, 29, 29001, 30000, 33999]], dtype=torch.int32)
    wanted = [[0, 0, 0, 7, 26, 26003, 0, 0, 0, 33999]]
    found = panoptic_from_id_map(ids)
    assert found.tolist() == wanted and found.dtype == torch.int32
    assert panoptic_from_id_map(ids.numpy()).tolist() == wanted
    with pytest.raises(ValueError, match='instanceIds'):
        panoptic_from_id_map(torch.tensor([[34000]]))


def test_large_maps_take_no_time():
    pred, target = (np.kron(maps, np.ones((16, 20), np.int64)) for maps in random_maps(0))
    panoptic_counts(pred, target)
    start = time.process_time()
    panoptic_counts(pred, target)
    assert time.process_time() - start < 1  # about 0.05 s; a loop over segments takes seconds


def test_equals_the_official_script(tmp_path):
    """Cityscapes' script on files; it has panopticapi's arithmetic."""
    official = pytest.importorskip('cityscapesscripts.evaluation.evalPanopticSemanticLabeling')
    total, files = np.zeros((19, 4)), {'gt': [], 'pred': []}
    for seed in range(6):
        pred, target = random_maps(seed)
        total += panoptic_counts(pred, target)
        for kind, ids in (('pred', pred), ('gt', target)):
            folder = tmp_path / kind
            folder.mkdir(exist_ok=True)
            rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).astype(np.uint8)
            assert cv2.imwrite(str(folder / f'{seed}.png'), rgb[..., ::-1])
            segments = [
                dict(
                    id=int(value),
                    category_id=int(value if value < 1000 else value // 1000),
                    iscrowd=int(value in (24, 25, 26, 27, 28, 31, 32, 33)),
                    area=int((ids == value).sum()),
                )
                for value in np.unique(ids)
                if value
            ]
            entry = dict(image_id=str(seed), file_name=f'{seed}.png', segments_info=segments)
            files[kind].append(entry)
    categories = [dict(id=row.label_id, name=row.name, isthing=int(row.moving)) for row in EVALUATED_CLASSES]
    for kind, entries in files.items():
        content = dict(annotations=entries, categories=categories, images=[])
        (tmp_path / f'{kind}.json').write_text(json.dumps(content))
    places = [str(tmp_path / name) for name in ('gt.json', 'gt', 'pred.json', 'pred')]
    results = official.evaluatePanoptic(*places, str(tmp_path / 'results.json'))
    for name, group in (('All', ''), ('Things', '-things'), ('Stuff', '-stuff')):
        found = [100 * results[name][score] for score in ('pq', 'sq', 'rq')]
        np.testing.assert_allclose(mean_panoptic_quality(total, PANOPTIC_GROUPS[group]), found, atol=1e-9)
