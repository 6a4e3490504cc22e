"""The endpoint error: 0 for the truth, known by hand elsewhere, blind where nothing is known."""

import pytest
import torch

from mmforecast.models.losses import EndpointLoss, endpoint_error


def test_the_true_field_has_no_error():
    motion = torch.tensor([3.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 12).clone()
    error, known = endpoint_error(-motion, motion)
    assert error[known].max() < 1e-5
    # 3 columns leave on the right, 1 row above
    assert known.sum() == 9 * 7 and not known[0, 0].any() and not known[0, :, 9:].any()


def test_by_hand_at_the_place_of_arrival():
    motion = torch.full((1, 2, 4, 6), float('nan'))
    motion[0, :, 1, 1] = torch.tensor([2.0, 1.0])
    field = torch.zeros(1, 2, 4, 6)
    field[0, :, 2, 3] = torch.tensor([1.0, -1.0])  # should be (-2, -1)
    error, known = endpoint_error(field, motion)
    assert known.sum() == 1 and error[0, 1, 1] == pytest.approx(3.0)
    loss = EndpointLoss(softness=4.0, relative=0.5, loss_weight=2.0)(field, motion)
    assert loss.item() == pytest.approx(2 * 5 / (1 + 0.5 * 5**0.5), rel=1e-5)


def test_a_field_of_another_size():
    motion = torch.zeros(1, 2, 8, 16)
    motion[:, 0] = 4
    field = torch.zeros(1, 2, 4, 8)
    field[:, 0] = -2  # the same in pixels twice as large
    error, known = endpoint_error(field, motion)
    assert error[known].max() < 1e-5


def test_nothing_known():
    field = torch.zeros(2, 2, 4, 4, requires_grad=True)
    loss = EndpointLoss()(field, torch.full((2, 2, 4, 4), float('nan')))
    loss.backward()
    assert loss.item() == 0 and torch.equal(field.grad, torch.zeros_like(field))


def test_gradients_are_finite_at_the_truth():
    field = torch.zeros(1, 2, 4, 4, requires_grad=True)
    EndpointLoss()(field, torch.zeros(1, 2, 4, 4)).backward()
    assert torch.isfinite(field.grad).all()


@pytest.mark.parametrize('wrong', [dict(softness=0), dict(relative=-1)])
def test_arguments(wrong):
    with pytest.raises(ValueError, match='EndpointLoss'):
        EndpointLoss(**wrong)
