"""F2F as the neck of a detector."""

import pytest
import torch

from mmforecast.models.forecasters import F2FForecaster
from mmforecast.models.necks import F2FNeck
from mmforecast.models.predictors import F2FPredictor, ForecastContext

FPN = dict(type='FPN', in_channels=[3, 5], out_channels=4, num_outs=3)
SMALL = dict(channels=4, num_levels=2, num_past=2, size_factor=1, num_scales=(3, 1))


def test_it_forecasts_what_the_fpn_makes_of_every_frame():
    neck = F2FNeck(FPN, **SMALL)
    assert type(neck.fpn).__module__ == 'mmdet.models.necks.fpn'
    maps = torch.randn(4, 3, 12, 20), torch.randn(4, 5, 6, 10)  # two clips of two frames
    fine, coarse, derived = neck(maps)
    levels = neck.fpn(maps)
    past = [level.view(2, 2, *level.shape[1:]) for level in levels[:2]]
    expected = neck.predictor(past, ForecastContext(frames=torch.zeros(0), samples=[]))
    assert torch.equal(fine, expected[0][:, 0]) and torch.equal(coarse, expected[1][:, 0])
    assert torch.equal(derived, coarse[..., ::2, ::2])
    with pytest.raises(ValueError, match='num_past=2 frames, but the batch has 3 frames'):
        neck((torch.randn(3, 3, 12, 20), torch.randn(3, 5, 6, 10)))


@pytest.mark.parametrize('prefix', ['neck.', ''])
def test_it_loads_checkpoints_with_the_former_names(prefix):
    source, neck = F2FNeck(FPN, **SMALL), F2FNeck(FPN, **SMALL)
    former = {prefix + name.replace('predictor.', ''): value for name, value in source.state_dict().items()}
    assert sum(name.startswith(f'{prefix}nets.0.scales.0.') for name in former) == 14
    module = torch.nn.ModuleDict(dict(neck=neck)) if prefix else neck
    module.load_state_dict(former, strict=True)
    for name, value in source.state_dict().items():
        assert torch.equal(neck.state_dict()[name], value), name
    neck.load_state_dict(source.state_dict(), strict=True)  # and with today's


def test_a_forecaster_config_of_the_former_name_builds_and_warns(small_detector):
    encoder = dict(type='DetectorEncoder', detector=small_detector('mask-rcnn'))
    for kind in ('F2FNeck', 'mmforecast.F2FNeck', F2FNeck):
        with pytest.warns(DeprecationWarning, match='F2FNeck of a forecaster is called F2FPredictor now'):
            model = F2FForecaster(encoder, dict(type=kind, size_factor=1))
        assert type(model.predictor) is F2FPredictor and model.predictor.channels == 16
