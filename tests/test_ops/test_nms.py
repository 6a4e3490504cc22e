"""NMS: hand values anywhere, equal indices where the compiled extension is at hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmcv.ops import batched_nms, nms, nms_match, soft_nms

from mmforecast.ops.extension import use_extension
from mmforecast.ops.nms import BLOCK


def random_boxes(count, seed=0, side=400, grid=None):
    """Boxes and scores; on a coarse grid there are ties, equal boxes and boxes without area."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * side
    size = torch.rand(count, 2, generator=generator) * side / 4
    scores = torch.rand(count, generator=generator)
    boxes = torch.cat([corner, corner + size], 1)
    if grid:
        boxes = (boxes / grid).round() * grid
        scores = (scores * 8).round() / 8
    return boxes, scores


EDGES = {
    'none': (torch.zeros(0, 4), torch.zeros(0)),
    'one': (torch.tensor([[1.0, 2, 3, 4]]), torch.tensor([0.5])),
    'equal': (torch.tensor([[0.0, 0, 9, 9]]).repeat(5, 1), torch.full((5,), 0.5)),
    'without area': (torch.tensor([[3.0, 3, 3, 3]] * 3 + [[0.0, 3, 9, 3]] * 2), torch.arange(5) / 5.0),
    'inside out': (torch.tensor([[5.0, 5, 1, 1], [1.0, 1, 5, 5], [5.0, 5, 1, 1]]), torch.arange(3) / 3.0),
    'negative': (torch.tensor([[-9.0, -9, -1, -1], [-8.0, -9, -1, -1], [1, 1, 2, 2]]), torch.ones(3)),
    'just the threshold': (torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 5, 10, 10]]), torch.ones(3)),
}
INPUTS = {
    **EDGES,
    'random': random_boxes(300),
    'more than a block': random_boxes(2 * BLOCK + 17),
    'all on one place': random_boxes(BLOCK + 9, side=8),
    'chain': (
        torch.stack([torch.arange(700.0), torch.zeros(700), torch.arange(700.0) + 3, torch.ones(700)], 1),
        1 - torch.arange(700) / 700,
    ),
    'grid': random_boxes(400, grid=20),
}


@pytest.mark.parametrize('name', INPUTS)
@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 0.7, 1.0])
def test_nms_keeps_the_indices_of_the_compiled(compiled, kernels, by, name, offset, threshold):
    given = *INPUTS[name], threshold, offset
    (theirs, their_index), (ours, our_index) = (by(each, nms, *given) for each in (compiled, kernels))
    assert our_index.dtype == their_index.dtype
    assert our_index.tolist() == their_index.tolist()
    assert torch.equal(ours, theirs)


@given(
    st.lists(st.tuples(*[st.integers(0, 12)] * 4, st.integers(0, 3)), max_size=40),
    st.sampled_from([0.1, 0.25, 0.5, 0.6, 0.75]),
)
def test_nms_of_small_integers(compiled, rows, threshold):
    from mmforecast.ops.nms import nms as ours

    values = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    boxes, scores = values[:, :4].contiguous(), values[:, 4].contiguous()
    theirs = compiled.nms(boxes, scores, iou_threshold=threshold, offset=0)
    assert ours(boxes, scores, threshold, 0).tolist() == theirs.tolist()


def test_nms_by_hand(kernels, by):
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 9, 9], [0, 0, 4, 2]])
    scores = torch.tensor([0.9, 0.8, 0.7, 0.95])
    # IoU of the last with the first is 0.5, with the second 2/3
    assert by(kernels, nms, boxes, scores, 0.5)[1].tolist() == [3, 0, 2]
    assert by(kernels, nms, boxes, scores, 0.45)[1].tolist() == [3, 2]
    # with the last pixel inside, IoU with the first becomes 3/5, and of the first two 4/5
    assert by(kernels, nms, boxes, scores, 0.55, 1)[1].tolist() == [3, 2]


def test_a_suppressed_box_suppresses_nothing(kernels, by):
    boxes = torch.tensor([[0.0, 0, 4, 1], [1, 0, 5, 1], [2, 0, 6, 1]])
    # neighbors overlap by 3/5, the first and the last by 1/3
    assert by(kernels, nms, boxes, torch.tensor([3.0, 2, 1]), 0.5)[1].tolist() == [0, 2]


def test_nms_options_of_mmcv(kernels, by):
    boxes, scores = random_boxes(50)
    _, index = by(kernels, nms, boxes.numpy(), scores.numpy(), 0.5)
    assert isinstance(index, np.ndarray)
    _, best = by(kernels, nms, boxes, scores, 0.5, score_threshold=0.5, max_num=3)
    assert len(best) == 3 and (scores[best] > 0.5).all()
    assert best.tolist() == index[:3].tolist()


@pytest.mark.parametrize('count', [1, 300, 1500])
def test_batched_nms(compiled, kernels, by, count):
    boxes, scores = random_boxes(count)
    given = boxes, scores, torch.arange(count) % 7, dict(type='nms', iou_threshold=0.5)
    theirs, ours = (by(each, batched_nms, *given) for each in (compiled, kernels))
    assert torch.equal(ours[1], theirs[1]) and torch.equal(ours[0], theirs[0])


@pytest.mark.parametrize('name', INPUTS)
@pytest.mark.parametrize('method', ['naive', 'linear', 'gaussian'])
@pytest.mark.parametrize('offset', [0, 1])
def test_soft_nms(compiled, kernels, by, name, method, offset):
    boxes, scores = (each[:400] for each in INPUTS[name])
    given = boxes, scores, 0.3, 0.5, 0.05, method, offset
    (theirs, their_index), (ours, our_index) = (by(each, soft_nms, *given) for each in (compiled, kernels))
    assert our_index.tolist() == their_index.tolist()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_soft_nms_by_hand(kernels, by):
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2], [5, 5, 9, 9]])
    dets, index = by(kernels, soft_nms, boxes, torch.tensor([0.9, 0.8, 0.7]), 0.3, method='linear')
    assert index.tolist() == [0, 2, 1]
    assert torch.allclose(dets[:, 4], torch.tensor([0.9, 0.7, 0.4]))
    dets, index = by(kernels, soft_nms, boxes, torch.tensor([0.9, 0.8, 0.7]), 0.3, method='naive')
    assert index.tolist() == [0, 2]


@pytest.mark.parametrize('name', INPUTS)
@pytest.mark.parametrize('threshold', [0.3, 0.5])
def test_nms_match(compiled, kernels, by, name, threshold):
    boxes, scores = INPUTS[name]
    dets = torch.cat([boxes, scores[:, None]], 1)
    theirs, ours = (by(each, nms_match, dets, threshold) for each in (compiled, kernels))
    assert [group.tolist() for group in ours] == [group.tolist() for group in theirs]


def test_nms_match_by_hand(kernels, by):
    dets = torch.tensor([[0.0, 0, 4, 4, 0.8], [5, 5, 9, 9, 0.7], [0, 0, 4, 3, 0.9], [0, 0, 4, 2, 0.1]])
    groups = by(kernels, nms_match, dets, 0.5)
    assert [group.tolist() for group in groups] == [[2, 0, 3], [1]]


def test_nms_takes_half_precision(kernels):
    boxes, scores = random_boxes(60)
    with use_extension(kernels):
        index = nms(boxes.half().float(), scores, 0.5)[1]
    from mmforecast.ops.nms import nms as ours

    assert ours(boxes.half(), scores, 0.5, 0).tolist() == index.tolist()
