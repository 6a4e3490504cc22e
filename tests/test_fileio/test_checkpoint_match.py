import pytest
import torch
from torch import nn

from mmforecast.fileio import CheckpointError, match_state_dict, require_match


def net(frozen=False, width=4):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, width))
    if frozen:
        model[0].requires_grad_(False)
    return model


def test_same_model_matches_wholly():
    match = match_state_dict(net(), net().state_dict())
    assert match.share == 1 and len(match.found) == 6
    assert not match.missing and not match.reshaped and not match.unexpected


def test_prefix_of_ddp_is_ignored():
    state_dict = {f'module.{name}': value for name, value in net().state_dict().items()}
    assert match_state_dict(net(), state_dict).share == 1


def test_shapes_and_names_are_told():
    state_dict = net(width=5).state_dict()
    state_dict['head.weight'] = state_dict.pop('0.weight')
    match = match_state_dict(net(), state_dict)
    assert match.missing == ['0.weight'] and match.unexpected == ['head.weight']
    assert match.reshaped == [
        '2.weight ((5, 3) instead of (4, 3))',
        '2.bias ((5,) instead of (4,))',
    ]
    assert match.share == pytest.approx(3 / 6)
    assert str(match).startswith(
        '3 of 6 trainable weights of the model are in it; missing: 0.weight; of another shape'
    )


def test_frozen_part_alone_is_another_model():
    """A shared frozen encoder must not hide that the predictor is missing."""
    encoder_only = {name: value for name, value in net().state_dict().items() if name.startswith('0.')}
    assert match_state_dict(net(frozen=True), encoder_only).share == 0
    assert match_state_dict(net(), encoder_only).share == pytest.approx(2 / 6)


def test_another_model_is_refused():
    other = nn.Sequential(nn.Linear(7, 7), nn.Tanh(), nn.Tanh(), nn.Linear(7, 7)).state_dict()
    with pytest.raises(
        CheckpointError,
        match=r'another model: only 0 of 6 .*missing: 1.weight, 1.bias, 2.weight and '
        r'1 more; of another shape: 0.weight \(\(7, 7\) instead of \(3, 2\)\), 0.bias.*; unknown '
        r"to the model: 3.weight, 3.bias. .*init_cfg=dict\(type='Pretrained'",
    ):
        require_match(net(), dict(state_dict=other), min_matched=0.5)
    assert require_match(net(), other, min_matched=0).share == 0  # bare weights, and the way round


def test_exactly_the_least_share_passes():
    half = dict(list(net().state_dict().items())[:2] + list(net().state_dict().items())[2:3])
    assert require_match(net(), half, min_matched=0.5).share == 0.5
    half.popitem()
    with pytest.raises(CheckpointError):
        require_match(net(), half, min_matched=0.5)


class Duel(nn.Module):
    def __init__(self):
        super().__init__()
        self.player = nn.Linear(2, 3)
        self.judge = net()


def test_a_part_may_be_lacking_but_not_be_that_of_another():
    model = Duel()
    whole = model.state_dict()
    player = {name: value for name, value in whole.items() if name.startswith('player.')}
    assert require_match(model, player, 0.5, may_lack=['judge']).share == 2 / 8
    assert require_match(model, {f'module.{name}': player[name] for name in player}, 1, ['judge'])
    with pytest.raises(CheckpointError, match='only 2 of 8'):
        require_match(model, player, 0.5)
    with pytest.raises(CheckpointError, match='only 3 of 8'):  # some of its weights: it counts
        require_match(model, dict(player, **{'judge.0.weight': whole['judge.0.weight']}), 0.5, ['judge'])
    judge = {name: value for name, value in whole.items() if name.startswith('judge.')}
    with pytest.raises(CheckpointError, match='only 0 of 8'):
        require_match(model, {'head.weight': whole['player.weight']}, 0.5, ['judge'])
    assert require_match(model, judge, 0.5, ['judge']).share == 6 / 8


def test_no_weights_at_all():
    with pytest.raises(CheckpointError, match="no 'state_dict'"):
        require_match(net(), dict(meta=dict(epoch=1)), min_matched=0.5)
    assert require_match(nn.Identity(), dict(state_dict={}), min_matched=1).share == 1


def test_many_names_are_cut():
    model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(5)])
    assert 'missing: 0.weight, 0.bias, 1.weight and 7 more' in str(match_state_dict(model, {}))
    assert torch.is_tensor(model[0].weight)
