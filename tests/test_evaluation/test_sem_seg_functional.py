"""The maths of segmentation scores: hand values, mmseg's own, invariances and bounds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmseg.evaluation import IoUMetric

from mmforecast.evaluation.functional import (
    confusion_matrix,
    iou_per_class,
    mean_class_accuracy,
    mean_iou,
    per_class_accuracy,
    pixel_accuracy,
    row_shares,
)

# Truth and forecast of one 2x4 image with three classes; worked out by hand below.
TARGET = np.array([[0, 0, 0, 1], [1, 1, 255, 2]], dtype=np.uint8)
PRED = np.array([[0, 0, 1, 1], [1, 0, 2, 7]], dtype=np.int64)
CONF = np.array([[2, 1, 0, 0], [1, 2, 0, 0], [0, 0, 0, 1]])


def test_confusion_matrix_by_hand():
    conf = confusion_matrix(PRED, TARGET, num_classes=3)
    assert conf.dtype == np.int64
    np.testing.assert_array_equal(conf, CONF)


def test_confusion_matrix_reads_tensors_of_any_integer_type():
    conf = confusion_matrix(torch.from_numpy(PRED).int(), torch.from_numpy(TARGET), num_classes=3)
    np.testing.assert_array_equal(conf, CONF)


def test_ignored_pixels_are_ignored_whatever_the_index():
    target = np.array([0, 1, 1])
    conf = confusion_matrix(np.array([1, 1, 0]), target, num_classes=2, ignore_index=0)
    np.testing.assert_array_equal(conf, [[0, 0, 0], [1, 1, 0]])


def test_negative_predictions_are_errors_of_the_true_class():
    conf = confusion_matrix(np.array([-1, 0]), np.array([0, 0]), num_classes=1)
    np.testing.assert_array_equal(conf, [[1, 1]])
    assert iou_per_class(conf)[0] == 50


def test_scores_by_hand():
    # Unions: class 0 has 3 true + 3 predicted - 2, class 1 the same, class 2 one true pixel.
    np.testing.assert_allclose(iou_per_class(CONF), [50, 50, 0])
    assert mean_iou(CONF) == pytest.approx(100 / 3)
    assert mean_iou(CONF, [0, 2]) == pytest.approx(25)
    assert pixel_accuracy(CONF) == pytest.approx(100 * 4 / 7)
    np.testing.assert_allclose(per_class_accuracy(CONF), [200 / 3, 200 / 3, 0])
    assert mean_class_accuracy(CONF) == pytest.approx(400 / 9)


def test_a_class_without_true_pixels_is_skipped_even_if_predicted():
    conf = confusion_matrix(np.array([0, 0, 0, 1]), np.zeros(4, dtype=int), num_classes=3)
    np.testing.assert_array_equal(iou_per_class(conf), [75, np.nan, np.nan])
    assert mean_iou(conf) == 75
    assert mean_class_accuracy(conf) == 75
    assert np.isnan(mean_iou(conf, [1, 2]))


def test_no_pixel_at_all_scores_nan():
    conf = np.zeros((3, 4), dtype=np.int64)
    assert np.isnan([mean_iou(conf), pixel_accuracy(conf), mean_class_accuracy(conf)]).all()


@pytest.mark.parametrize('num_classes', [2, 19])
def test_equal_to_mmseg(num_classes):
    rng = np.random.default_rng(num_classes)
    target = rng.integers(0, num_classes, (3, 40, 50))
    target[:, :2] = 255
    pred = np.where(rng.random(target.shape) < 0.6, target, rng.integers(0, num_classes, target.shape))
    pred[:, 5, :9] = num_classes + 3
    conf = confusion_matrix(pred, target, num_classes)
    areas = IoUMetric.intersect_and_union(
        torch.from_numpy(pred), torch.from_numpy(target), num_classes, ignore_index=255
    )
    theirs = IoUMetric.total_area_to_metrics(*areas, ['mIoU'])
    np.testing.assert_allclose(iou_per_class(conf), 100 * theirs['IoU'], rtol=1e-5)
    np.testing.assert_allclose(per_class_accuracy(conf), 100 * theirs['Acc'], rtol=1e-5)
    assert pixel_accuracy(conf) == pytest.approx(100 * theirs['aAcc'], rel=1e-5)


label_pairs = st.integers(1, 6).flatmap(
    lambda num_classes: st.tuples(
        st.just(num_classes),
        st.lists(
            st.tuples(st.integers(-1, num_classes + 1), st.sampled_from([*range(num_classes), 255])),
            min_size=1,
            max_size=60,
        ),
    )
)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(label_pairs, st.randoms(use_true_random=False))
def test_bounds_and_invariances(case, random):
    num_classes, pairs = case
    pred, target = np.array(pairs).T
    conf = confusion_matrix(pred, target, num_classes)
    assert conf.sum() == (target != 255).sum()

    # Pixels may come in any order, and images one by one.
    order = random.sample(range(len(pairs)), len(pairs))
    half = len(pairs) // 2
    parts = [confusion_matrix(pred[part], target[part], num_classes) for part in (order[:half], order[half:])]
    np.testing.assert_array_equal(sum(parts), conf)

    iou, accuracy = iou_per_class(conf), per_class_accuracy(conf)
    present = np.isin(np.arange(num_classes), target)
    np.testing.assert_array_equal(np.isnan(iou), ~present)
    assert ((iou[present] >= 0) & (iou[present] <= accuracy[present])).all()
    assert (accuracy[present] <= 100).all()

    # Naming the classes otherwise changes no mean.
    names = np.array(random.sample(range(num_classes), num_classes))
    valid = (pred >= 0) & (pred < num_classes)
    renamed = confusion_matrix(
        np.where(valid, names[np.where(valid, pred, 0)], -1),
        np.where(target == 255, 255, names[np.where(target == 255, 0, target)]),
        num_classes,
    )
    np.testing.assert_allclose(mean_iou(renamed), mean_iou(conf))
    np.testing.assert_allclose(mean_class_accuracy(renamed), mean_class_accuracy(conf))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0, 1, 2, 255]), min_size=1, max_size=40))
def test_target_against_itself_is_perfect(labels):
    conf = confusion_matrix(np.array(labels), np.array(labels), num_classes=3)
    perfect = np.nan if set(labels) == {255} else 100
    np.testing.assert_array_equal([mean_iou(conf), pixel_accuracy(conf), mean_class_accuracy(conf)], perfect)


def test_bad_input_is_named():
    labels = np.zeros((2, 3), dtype=int)
    with pytest.raises(ValueError, match=r'pred has shape \(2, 2\) but target has \(2, 3\)'):
        confusion_matrix(labels[:, :2], labels, 3)
    with pytest.raises(ValueError, match='labels from 0 to 33, but the classes are 0 to 2'):
        confusion_matrix(np.zeros(2, dtype=int), np.array([0, 33]), 3)
    with pytest.raises(TypeError, match='pred must hold integer class ids, got float64'):
        confusion_matrix(labels / 2, labels, 3)
    with pytest.raises(ValueError, match=r'classes holds \[3\]'):
        mean_iou(CONF, [0, 3])
    with pytest.raises(ValueError, match=r'conf must be counts.*got \(2, 4\)'):
        iou_per_class(np.zeros((2, 4)))


def test_shares_of_each_true_class():
    shares = row_shares(np.array([[3, 1, 0], [0, 0, 0]]))
    assert shares[0].tolist() == [75, 25, 0]
    assert np.isnan(shares[1]).all()
