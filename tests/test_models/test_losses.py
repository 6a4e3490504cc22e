import pytest
import torch

from mmforecast.models.losses import (
    GDLoss,
    ScoreCrossEntropyLoss,
    gradient_difference_loss,
    score_cross_entropy,
)
from mmforecast.registry import MODELS

# Target gradients: rows |4-1|=3, |6-2|=4, |5-3|=2 and columns 1, 1, 2, 1; prediction's are all 0
# except one pixel of 3 at the middle of the first row.
TARGET = torch.tensor([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]])[None, None]
PRED = torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])[None, None]


def test_gdl_hand_values():
    # rows: |3-0| + |4-3| + |2-0| = 6 over 3 pairs; columns: |1-3| + |1-3| + |2-0| + |1-0| = 7 over 4.
    assert gradient_difference_loss(PRED, TARGET, reduction='sum').item() == pytest.approx(13)
    assert gradient_difference_loss(PRED, TARGET).item() == pytest.approx(6 / 3 + 7 / 4)
    # alpha 2: rows 9 + 1 + 4 = 14; columns 4 + 4 + 4 + 1 = 13.
    assert gradient_difference_loss(PRED, TARGET, alpha=2).item() == pytest.approx(14 / 3 + 13 / 4)
    each = gradient_difference_loss(PRED, TARGET, reduction='none')[0, 0]
    assert each.tolist() == [[0, 2, 2], [3, 1 + 2, 2 + 1]]


def test_gdl_of_a_constant_offset_is_zero_and_row_and_column_pairing_is_the_same():
    maps = torch.rand(2, 5, 7, 4)
    assert gradient_difference_loss(maps, maps + 3).item() == pytest.approx(0, abs=1e-6)
    other = torch.rand_like(maps)
    direct = gradient_difference_loss(maps, other, reduction='sum')
    turned = gradient_difference_loss(maps.mT, other.mT, reduction='sum')
    assert direct.item() == pytest.approx(turned.item(), rel=1e-6)


@pytest.mark.parametrize('channels', [1, 3, 19])
@pytest.mark.parametrize('alpha', [1, 2, 3])
def test_gdl_equals_a_loop_over_pixels(channels, alpha):
    pred, target = torch.rand(2, 1, channels, 4, 5, dtype=torch.float64)
    expected = 0.0
    for c in range(channels):
        for i in range(4):
            for j in range(5):
                y, p = target[0, c], pred[0, c]
                if i:
                    expected += abs(abs(y[i, j] - y[i - 1, j]) - abs(p[i, j] - p[i - 1, j])) ** alpha
                if j:
                    expected += abs(abs(y[i, j] - y[i, j - 1]) - abs(p[i, j] - p[i, j - 1])) ** alpha
    loss = GDLoss(alpha=alpha, reduction='sum', loss_weight=2)
    assert loss(pred, target).item() == pytest.approx(2 * float(expected))
    assert loss(pred.requires_grad_(), target).requires_grad


@pytest.mark.parametrize('kwargs', [dict(alpha=0), dict(alpha=1.5), dict(alpha=True), dict(reduction='avg')])
def test_gdl_refuses_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        MODELS.build(dict(type='GDLoss', **kwargs))


def test_gdl_refuses_bad_shapes():
    with pytest.raises(ValueError, match='same shape'):
        gradient_difference_loss(torch.rand(1, 1, 4, 4), torch.rand(1, 2, 4, 4))
    with pytest.raises(ValueError, match='2x2'):
        gradient_difference_loss(torch.rand(1, 1, 1, 4), torch.rand(1, 1, 1, 4))


def test_score_cross_entropy_is_entropy_at_the_target_and_larger_elsewhere():
    target = torch.randn(2, 4, 3, 3)
    probability = target.softmax(1)
    entropy = -(probability * probability.log()).sum(1).mean()
    assert score_cross_entropy(target, target).item() == pytest.approx(entropy.item(), rel=1e-5)
    assert score_cross_entropy(torch.randn_like(target), target) > entropy
    # Softmax ignores a shift of all scores of a pixel.
    assert score_cross_entropy(target + 7, target).item() == pytest.approx(entropy.item(), rel=1e-5)


def test_score_cross_entropy_hand_value_and_temperature():
    target = torch.tensor([50.0, 0.0]).view(1, 2, 1, 1)  # as good as certain
    pred = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)
    log1pe2 = torch.log1p(torch.tensor(2.0).exp()).item()
    assert score_cross_entropy(pred, target).item() == pytest.approx(log1pe2, rel=1e-5)
    warm = ScoreCrossEntropyLoss(temperature=2.0, loss_weight=3.0)
    assert warm(pred, target).item() == pytest.approx(
        3 * torch.log1p(torch.tensor(1.0).exp()).item(), rel=1e-5
    )
    with pytest.raises(ValueError, match='temperature'):
        ScoreCrossEntropyLoss(temperature=0)


def test_class_weights_scale_their_class_and_move_the_decision():
    target, pred = torch.randn(2, 2, 3, 4, 4)
    plain = score_cross_entropy(pred, target)
    double = ScoreCrossEntropyLoss(class_weight=[2.0, 2.0, 2.0])(pred, target)
    assert double.item() == pytest.approx(2 * plain.item(), rel=1e-6)
    # A pixel that is class 1 in 40 % of the cases: the best constant answer is class 0, or class 1
    # once class 1 weighs twice as much (0.6 against 0.8).
    cases = torch.full((10, 2, 1, 1), -50.0)
    cases[:6, 0] = cases[6:, 1] = 50.0
    for weight, winner in ((1.0, 0), (2.0, 1)):
        loss = ScoreCrossEntropyLoss(class_weight=[1.0, weight])
        answer = torch.zeros(1, 2, 1, 1, requires_grad=True)
        for _ in range(200):
            (grad,) = torch.autograd.grad(loss(answer.expand(10, -1, -1, -1), cases), answer)
            answer = (answer - grad).detach().requires_grad_()
        assert answer.argmax(1).item() == winner
