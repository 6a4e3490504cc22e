"""Cityscapes' instance AP: the official script's numbers, hand values, invariances, bad input."""

from types import SimpleNamespace

import cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling as official
import numpy as np
import pytest
import torch
from cityscapesscripts.evaluation.instances2dict import instances2dict
from cityscapesscripts.helpers.labels import labels as official_labels
from PIL import Image

from mmforecast.evaluation.functional import (
    average_precision,
    match_instances,
    mean_average_precision,
    moving_from_id_map,
    moving_from_train_ids,
)
from mmforecast.structures.cityscapes import THING_LABEL_IDS, VOID_LABEL_IDS

PERSON, CAR, BUS = 0, 2, 4

pytestmark = pytest.mark.filterwarnings('ignore:`in1d` is deprecated')  # in the official script


def ours(frames, min_region_size=0):
    matches = [match_instances(*frame, min_region_size=min_region_size) for frame in frames]
    return average_precision(matches)


def theirs(frames, folder, min_region_size=0):
    """The official script on files: AP (8, 10), its mean and AP50. IndexError where it fails.

    The ground truth is TIFF, since PNG has no place for the licence plate's -1.
    """
    truth_files, pred_files = [], []
    for number, (labels, scores, masks, id_map) in enumerate(frames):
        truth_files.append(str(folder / f'{number}_gt.tif'))
        Image.fromarray(id_map.astype(np.int32)).save(truth_files[-1])
        lines = []
        for index, (label, score, mask) in enumerate(zip(labels, scores, masks)):
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f'{number}_{index}.png')
            lines.append(f'{number}_{index}.png {THING_LABEL_IDS[label]} {float(score)!r}\n')
        pred_files.append(str(folder / f'{number}_pred.txt'))
        (folder / f'{number}_pred.txt').write_text(''.join(lines))
    args = SimpleNamespace(
        **vars(official.args) | {'quiet': True, 'predictionPath': str(folder), 'instLabels': []}
    )
    args.minRegionSizes = np.array([min_region_size] * 3)
    official.setInstanceLabels(args)
    gt_instances = instances2dict(truth_files)
    matches = official.matchGtWithPreds(pred_files, truth_files, gt_instances, args)
    aps = official.evaluateMatches(matches, args)
    averages = official.computeAverages(aps, args)
    return 100 * aps[0], 100 * averages['allAp'], 100 * averages['allAp50%']


def shape(height=12, width=16, **boxes):
    """Map or mask with boxes (y1, x1, y2, x2) painted in order: keys ``_26001`` paint the id."""
    canvas = np.full((height, width), 7, dtype=np.int32)
    for key, (y1, x1, y2, x2) in boxes.items():
        canvas[y1:y2, x1:x2] = int(key[1:])
    return canvas


def mask_of(*boxes, height=12, width=16):
    mask = np.zeros((height, width), dtype=bool)
    for y1, x1, y2, x2 in boxes:
        mask[y1:y2, x1:x2] = True
    return mask


def frame(id_map, *preds):
    """A frame from (label, score, mask) triples."""
    labels, scores, masks = zip(*preds) if preds else ((), (), ())
    return (
        np.array(labels, dtype=np.int64),
        np.array(scores, dtype=np.float32),
        np.array(masks, dtype=bool).reshape(-1, *id_map.shape),
        id_map,
    )


def random_frame(rng):
    """Rectangles of every kind, and predictions that are objects grown, shrunk, moved or doubled."""
    height, width = rng.integers(8, 20, 2)
    id_map = rng.choice([7, 21, 3, 29, 0], p=[0.4, 0.3, 0.1, 0.1, 0.1]) * np.ones(
        (height, width), dtype=np.int32
    )
    boxes = []
    for number in range(rng.integers(0, 7)):
        y1, x1 = rng.integers(0, height - 2), rng.integers(0, width - 2)
        box = y1, x1, y1 + rng.integers(1, 8), x1 + rng.integers(1, 9)
        label = rng.choice([24, 26, 26, 33, 29])
        value = rng.choice([label * 1000 + number, label, rng.choice([-1, 0, 3, 9, 11])], p=[0.7, 0.2, 0.1])
        id_map[box[0] : box[2], box[1] : box[3]] = value
        boxes.append((label, box))
    preds = []
    for _ in range(rng.integers(0, 9)):
        label = rng.integers(0, 8)
        mask = np.zeros(id_map.shape, dtype=bool)
        if boxes and rng.random() < 0.8:
            label, (y1, x1, y2, x2) = boxes[rng.integers(len(boxes))]
            label = THING_LABEL_IDS.index(label) if label != 29 else CAR
            dy, dx = rng.choice([-1, 0, 0, 0, 1], 2)
            mask[max(y1 + dy, 0) : max(y2 + dy, 0), max(x1 + dx, 0) : max(x2 + dx, 0)] = True
        elif rng.random() < 0.8:
            mask[:] = rng.random(mask.shape) < rng.random()
        preds.append((label, rng.choice([0.1, 0.3, 0.5, 0.9, rng.random()]), mask))
    return frame(id_map, *preds)


@pytest.mark.parametrize('seed', range(30))
def test_equal_to_the_official_script_on_random_frames(tmp_path, seed):
    rng = np.random.default_rng(seed)
    frames = [random_frame(rng) for _ in range(rng.integers(2, 7))]
    min_region_size = int(rng.choice([0, 8, 20]))
    # The script stops where a class has objects, but no prediction that counts. In this frame, every
    # class has one that is wrong.
    truth = shape(_26001=(6, 0, 12, 8))
    frames.append(frame(truth, *((label, 0.05, mask_of((0, 0, 3, 3))) for label in range(8))))
    expected, mean, mean50 = theirs(frames, tmp_path, min_region_size)
    ap = ours(frames, min_region_size)
    np.testing.assert_allclose(ap, expected, atol=1e-6)
    assert mean_average_precision(ap) == pytest.approx(mean, abs=1e-6)
    assert mean_average_precision(ap[:, :1]) == pytest.approx(mean50, abs=1e-6)


CAR_BOX = (2, 2, 6, 7)  # 20 pixels
ADVERSARIAL = {
    'doubles with equal scores': (
        shape(_26001=CAR_BOX),
        [(CAR, 0.5, mask_of(CAR_BOX))] * 3,
    ),
    'the better mask has the lower score': (
        shape(_26001=CAR_BOX),
        [(CAR, 0.9, mask_of((2, 2, 6, 6))), (CAR, 0.4, mask_of(CAR_BOX))],
    ),
    'one prediction over two objects': (
        shape(_26001=CAR_BOX, _26002=(2, 7, 6, 12)),
        [(CAR, 0.9, mask_of((2, 2, 6, 12)))],
    ),
    'IoU of exactly one half is not above it': (
        shape(_26001=(0, 0, 2, 4)),
        [(CAR, 0.9, mask_of((0, 0, 1, 4))), (CAR, 0.8, mask_of((5, 5, 7, 7)))],
    ),
    'a small group counts twice as ignored': (
        shape(_26=(0, 0, 1, 4), _26001=CAR_BOX),
        [(CAR, 0.9, mask_of((0, 0, 1, 12))), (CAR, 0.7, mask_of(CAR_BOX))],
    ),
    'groups of another class do not excuse': (
        shape(_24=(0, 0, 3, 12), _26001=CAR_BOX, _24001=(8, 0, 12, 6)),
        [
            (CAR, 0.9, mask_of((0, 0, 2, 8))),
            (CAR, 0.8, mask_of(CAR_BOX)),
            (PERSON, 0.3, mask_of((0, 0, 2, 8))),
            (PERSON, 0.2, mask_of((8, 0, 12, 6))),
        ],
    ),
    'void, caravan and license plate': (
        np.where(np.eye(12, 16, dtype=bool), -1, shape(_3=(0, 0, 3, 16), _29=(3, 0, 6, 16))),
        [
            (CAR, 0.9, mask_of((0, 0, 3, 9))),
            (CAR, 0.8, mask_of((2, 0, 5, 9))),
            (CAR, 0.7, mask_of((5, 4, 9, 9))),
        ],
    ),
    'an instance of caravan is background': (
        shape(_29001=(0, 0, 6, 8), _26001=(8, 2, 12, 7)),
        [(CAR, 0.9, mask_of((0, 0, 6, 8))), (CAR, 0.8, mask_of((8, 2, 12, 7)))],
    ),
    'smaller than the minimum': (
        shape(_26001=(0, 0, 3, 3), _26002=CAR_BOX),
        [
            (CAR, 0.9, mask_of((0, 0, 3, 3))),
            (CAR, 0.8, mask_of((0, 0, 3, 4))),
            (CAR, 0.7, mask_of(CAR_BOX)),
        ],
    ),
    'empty masks': (
        shape(_26001=CAR_BOX, _24001=(8, 0, 12, 6)),
        [(CAR, 0.9, mask_of()), (PERSON, 0.9, mask_of()), (CAR, 0.5, mask_of((8, 0, 12, 6)))],
    ),
    'nothing predicted': (shape(_26001=CAR_BOX), []),
    'other classes predicted': (shape(_26001=CAR_BOX), [(BUS, 0.9, mask_of(CAR_BOX))]),
}


@pytest.mark.parametrize('name', ADVERSARIAL)
def test_equal_to_the_official_script_on_hard_cases(tmp_path, name):
    id_map, preds = ADVERSARIAL[name]
    # The second frame keeps the class counted, and has scores between those of the first.
    easy = frame(shape(_26001=CAR_BOX, _26002=(7, 7, 11, 12)), (CAR, 0.75, mask_of(CAR_BOX)))
    frames = [frame(id_map, *preds), easy]
    np.testing.assert_allclose(ours(frames, 10), theirs(frames, tmp_path, 10)[0], atol=1e-6)


def test_hand_values_of_a_curve():
    # Three cars; scores 0.9 right, 0.8 wrong, 0.7 right. Points of (recall, precision) by falling
    # score: (1/3, 1), (1/3, 1/2), (2/3, 2/3), and the artificial (0, 1).
    id_map = shape(_26001=(0, 0, 4, 4), _26002=(0, 5, 4, 9), _26003=(0, 10, 4, 14))
    ap = ours(
        [
            frame(
                id_map,
                (CAR, 0.9, mask_of((0, 0, 4, 4))),
                (CAR, 0.8, mask_of((6, 0, 10, 4))),
                (CAR, 0.7, mask_of((0, 5, 4, 9))),
            )
        ]
    )
    widths = np.array([2 / 3 - 1 / 3, 2 / 3 - 1 / 3, 1 / 3 - 0, 1 / 3 - 0]) / 2
    expected = 100 * widths @ [2 / 3, 1 / 2, 1, 1]
    np.testing.assert_allclose(ap[CAR], expected)
    assert np.isnan(np.delete(ap, CAR, axis=0)).all()
    assert mean_average_precision(ap) == pytest.approx(expected)


def test_thresholds_by_hand():
    # IoU 12 / 16 = 0.75: above the five thresholds up to 0.7, not above 0.75 itself.
    id_map = shape(_26001=(0, 0, 4, 4))
    ap = ours([frame(id_map, (CAR, 0.9, mask_of((0, 0, 4, 3))))])
    np.testing.assert_allclose(ap[CAR], [100] * 5 + [0] * 5)
    assert mean_average_precision(ap) == 50
    assert mean_average_precision(ap[:, :1]) == 100


def test_matches_by_hand():
    id_map = shape(_3=(0, 0, 2, 16), _26=(4, 0, 8, 4), _26001=(8, 8, 12, 12))
    matches = match_instances(
        *frame(
            id_map,
            (CAR, 0.9, mask_of((0, 0, 2, 4))),  # on void
            (CAR, 0.8, mask_of((4, 0, 8, 2))),  # on the group
            (CAR, 0.7, mask_of((8, 8, 12, 12))),  # the car
            (CAR, 0.6, mask_of((8, 8, 12, 12))),  # the car again
            (BUS, 0.5, mask_of((8, 8, 12, 12))),  # not a bus
            (CAR, 0.4, mask_of()),
        ),
        min_region_size=16,
    )
    assert matches.labels.tolist() == [CAR] * 4 + [BUS]
    assert (matches.right == [False, False, True, False, False]).all()
    assert (matches.wrong == [False, False, False, True, True]).all()
    assert matches.num_objects.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    # One pixel more to ask for, and the car needs no finding; nor is finding it twice wrong.
    matches = match_instances(*frame(id_map, *[(CAR, 0.7, mask_of((8, 8, 12, 12)))] * 2), min_region_size=17)
    assert not matches.right.any() and not matches.wrong.any() and not matches.num_objects.any()


def test_predictions_of_which_none_counts_find_nothing():
    """Where the official script stops with an IndexError, recall is 0, and so is the AP."""
    id_map = shape(_3=(0, 0, 3, 16), _26001=CAR_BOX)
    ap = ours([frame(id_map, (CAR, 0.9, mask_of((0, 0, 2, 4))))])
    assert (ap[CAR] == 0).all()


def test_objects_against_themselves_are_perfect_and_order_is_of_no_account():
    rng = np.random.default_rng(3)
    id_map = rng.choice([7, *(label * 1000 + n for label in THING_LABEL_IDS for n in (0, 1))], (40, 50))
    ids = np.unique(id_map[id_map >= 1000])
    preds = [(THING_LABEL_IDS.index(value // 1000), rng.random(), id_map == value) for value in ids]
    assert (ours([frame(id_map, *preds)]) == 100).all()
    frames = [random_frame(rng) for _ in range(6)]
    shuffled = []
    for labels, scores, masks, truth in frames[::-1]:
        order = rng.permutation(len(labels))
        shuffled.append((labels[order], scores[order], masks[order], truth))
    np.testing.assert_allclose(ours(shuffled), ours(frames))


def test_tensors_and_arrays_match_alike():
    arrays = random_frame(np.random.default_rng(1))
    tensors = [torch.from_numpy(np.ascontiguousarray(part)) for part in arrays]
    np.testing.assert_array_equal(ours([tensors]), ours([arrays]))


def test_nothing_to_find_scores_nan():
    assert np.isnan(average_precision([])).all()
    assert average_precision([]).shape == (8, 10)
    ap = ours([frame(shape(), (CAR, 0.9, mask_of(CAR_BOX)))])
    assert np.isnan(ap).all() and np.isnan(mean_average_precision(ap))


def test_more_objects_than_a_byte_can_count():
    id_map = np.arange(26000, 26600, dtype=np.int32).reshape(20, 30)
    preds = [(CAR, 0.5, id_map == value) for value in (26000, 26255, 26599)]
    matches = match_instances(*frame(id_map, *preds), min_region_size=1)
    assert matches.right.all() and matches.num_objects[CAR] == 600


def test_void_and_classes_are_those_of_cityscapes():
    assert set(VOID_LABEL_IDS) == {label.id for label in official_labels if label.ignoreInEval}
    things = [label.id for label in official_labels if label.hasInstances and not label.ignoreInEval]
    assert list(THING_LABEL_IDS) == things


def test_moving_objects_of_id_map_and_train_ids():
    id_map = np.array([[7, 26, 26003, 24001, 33000], [29, 29001, 3, -1, 23]], dtype=np.int32)
    expected = [[0, 3, 3, 1, 8], [255, 255, 255, 255, 0]]
    assert moving_from_id_map(id_map).tolist() == expected
    train_ids = torch.tensor([0, 10, 11, 13, 18, 19, 255, -1])
    assert moving_from_train_ids(train_ids).tolist() == [0, 0, 1, 3, 8, 0, 0, 0]
    assert moving_from_train_ids(train_ids[:7].byte()).tolist() == [0, 0, 1, 3, 8, 0, 0]


def test_bad_input_is_named():
    labels, scores, masks, id_map = frame(shape(), (CAR, 0.9, mask_of(CAR_BOX)))
    with pytest.raises(ValueError, match='must be of one length, got 1, 0 and 1'):
        match_instances(labels, scores[:0], masks, id_map)
    with pytest.raises(ValueError, match=r'bool \(N, 12, 16\) as the id map is, got float64'):
        match_instances(labels, scores, masks / 2, id_map)
    with pytest.raises(ValueError, match=r'got bool \(1, 12, 8\)'):
        match_instances(labels, scores, masks[:, :, :8], id_map)
    with pytest.raises(ValueError, match='labels must be 0 to 7, got 11 to 11'):
        match_instances(labels + 9, scores, masks, id_map)
    with pytest.raises(ValueError, match='ids from 7 to 34000, but those of Cityscapes'):
        match_instances(labels, scores, masks, shape(_34000=CAR_BOX))
    with pytest.raises(ValueError, match='ids from -2 to 7, but those of Cityscapes'):
        moving_from_id_map(shape(**{'_-2': CAR_BOX}))
    with pytest.raises(ValueError, match='iou_thresholds must be at least 0.5, got 0.3'):
        match_instances(labels, scores, masks, id_map, iou_thresholds=[0.3, 0.5])
