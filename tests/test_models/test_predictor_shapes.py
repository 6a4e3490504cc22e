"""Shapes are said once: the model and its encoder hand them to the predictor."""

import pytest
import torch
import torch.nn as nn

from mmforecast.models.encoders import BaseEncoder
from mmforecast.models.forecasters import BaseForecaster, D2DForecaster, F2FForecaster, S2SForecaster
from mmforecast.models.forecasters.shapes import accepted_arguments, complete_config
from mmforecast.models.predictors import BasePredictor, CopyLast
from mmforecast.registry import MODELS

STACK = dict(widths=((4,), (4,)), kernels=((3, 3), (3, 3)))
MULTI_SCALE = dict(type='MultiScalePredictor', **STACK)


class Anything(BasePredictor):
    """Takes what the base class takes, by keyword."""

    def __init__(self, hidden: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, past, context):
        return [self.weight.sum() * maps[:, -1:] for maps in past]


class TwoMaps(Anything):
    num_past = 2


def forecaster(predictor, kind=BaseForecaster, **kwargs):
    parts = dict(encoder=dict(type='RGBEncoder'), decoder=dict(type='RGBDecoder'), **kwargs)
    return kind(predictor=predictor, **parts)


def shapes(predictor):
    return predictor.num_past, predictor.channels, predictor.num_levels


@pytest.mark.parametrize('predictor', [MULTI_SCALE, dict(type=Anything), dict(type='CopyLast')])
def test_they_come_from_the_model_and_the_encoder(predictor):
    assert shapes(forecaster(predictor, num_past=3).predictor) == (3, 3, 1)


@pytest.mark.parametrize('variant, given, out', [('S2S', 5, 5), ('XS2S', 8, 5), ('XS2XS', 8, 8)])
def test_variants_of_s2s_have_their_own(variant, given, out):
    encoder = dict(type='LabelMapEncoder', num_classes=5)
    model = S2SForecaster(encoder, MULTI_SCALE, variant=variant)
    assert (model.predictor.channels, model.predictor.out_channels) == (given, out)


def test_pyramids_of_a_detector(small_detector):
    encoder = dict(type='DetectorEncoder', detector=small_detector('mask-rcnn'), levels=('P4', 'P5'))
    for predictor in ('FeatureFusion', 'WarpCorrectPredictor'):
        assert shapes(F2FForecaster(encoder, dict(type=predictor)).predictor) == (4, 16, 2)


def test_the_objects_of_distance_maps_are_no_level_of_the_predictor():
    assert shapes(D2DForecaster(dict(type='DistanceMapEncoder'), dict(type=Anything)).predictor) == (4, 9, 1)


def test_a_config_may_say_the_same():
    same = dict(type=Anything, num_past=4, channels=3, num_levels=1)
    assert shapes(forecaster(same).predictor) == (4, 3, 1)


@pytest.mark.parametrize('name, owner', [('num_past', 'the model'), ('channels', 'the representation')])
@pytest.mark.parametrize('predictor', [MULTI_SCALE, dict(type=Anything), dict(type='CopyLast')])
def test_a_contradiction_is_one_sentence(predictor, name, owner):
    message = (
        rf'^BaseForecaster: \w+ was built for {name}=7, but {owner} has {name}=\d; '
        rf"leave {name} out of the predictor's config, or make them agree$"
    )
    with pytest.raises(ValueError, match=message):
        forecaster({**predictor, name: 7})


def test_a_fixed_shape_of_a_class_is_kept_and_checked(small_detector):
    assert forecaster(dict(type=TwoMaps), num_past=2).predictor.num_past == 2
    with pytest.raises(ValueError, match='TwoMaps was built for num_past=2, but the model has num_past=4'):
        forecaster(dict(type=TwoMaps))
    with pytest.raises(ValueError, match='TwoMaps: num_past must be 2, got 3'):
        TwoMaps(num_past=3)
    encoder = dict(type='DetectorEncoder', detector=small_detector('mask-rcnn'))
    with pytest.raises(ValueError, match='MultiScalePredictor was built for num_levels=1, but the rep'):
        F2FForecaster(encoder, MULTI_SCALE)


def test_only_arguments_that_a_class_takes_are_handed_over():
    def build(num_past):
        return CopyLast()

    assert accepted_arguments(build) == {'num_past'}
    assert {'hidden', 'num_past', 'channels', 'losses', 'init_cfg'} <= accepted_arguments(TwoMaps)
    known = dict(num_past=2, channels=3)
    assert complete_config(dict(type=build), known) == dict(type=build, num_past=2)
    assert complete_config(dict(type='NoSuchPredictor'), known) == dict(type='NoSuchPredictor')


def test_an_encoder_that_does_not_tell_leaves_the_shape_to_the_predictor():
    class Quiet(BaseEncoder):
        from_rgb = True

        def encode(self, frames, samples):
            return [frames]

    model = BaseForecaster(dict(type=Quiet), dict(type='CopyLast'), dict(type='RGBDecoder'))
    assert shapes(model.predictor) == (4, None, None)


def test_former_names_work_and_warn():
    with pytest.warns(DeprecationWarning, match='in_channels of MultiScalePredictor is called channels now'):
        assert forecaster(dict(MULTI_SCALE, in_channels=3)).predictor.channels == 3
    with pytest.warns(DeprecationWarning, match='num_channels of PrecomputedEncoder is called channels now'):
        model = S2SForecaster(dict(type='PrecomputedEncoder', num_channels=5), dict(type='CopyLast'))
    with pytest.warns(DeprecationWarning, match='num_channels of an encoder'):
        assert model.encoder.num_channels == model.encoder.channels == 5


# Names of the losses.

L1 = dict(l1=dict(type='mmdet.L1Loss'))


@pytest.mark.parametrize(
    'levels, scales, names',
    [
        (1, 1, ['loss_l1']),
        (2, 1, ['loss_l1_l0', 'loss_l1_l1']),
        (1, 2, ['loss_l1_s0', 'loss_l1_s1']),
        (2, 2, ['loss_l1_l0_s0', 'loss_l1_l0_s1', 'loss_l1_l1_s0', 'loss_l1_l1_s1']),
    ],
)
def test_losses_are_named_by_level_and_scale(levels, scales, names):
    maps = [[torch.randn(2, 3, 4, 8, 8) for _ in range(scales)] for _ in range(levels)]
    truth = [[torch.zeros_like(m) for m in level] for level in maps]
    losses = Anything(losses=L1).compute_losses(maps, truth)
    assert list(losses) == names
    expected = [m.abs().mean() for level in maps for m in level]
    torch.testing.assert_close(list(losses.values()), expected)


def test_the_base_class_trains_a_predictor_of_few_lines():
    net = MODELS.build(dict(type=Anything, losses=L1))
    past = [torch.randn(1, 4, 2, 8, 8), torch.randn(1, 4, 2, 4, 4)]
    losses, future = net.loss_and_predict(past, [maps[:, :1] for maps in past], None)
    sum(losses.values()).backward()
    assert net.weight.grad.abs().sum() > 0
    assert all(torch.equal(new, 2 * maps[:, -1:]) for new, maps in zip(future, past, strict=True))
    with pytest.raises(ValueError, match='^Anything: losses is empty, so there is nothing to train on; set'):
        Anything().loss_and_predict(past, past, None)
