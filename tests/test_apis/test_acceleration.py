"""Networks that run compiled, or in bfloat16."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import acceleration
from mmforecast.apis.inferencers.acceleration import compile_networks, network_blocks, run_in_bfloat16
from mmforecast.models import MotionForecaster
from mmforecast.models.forecasters import VideoForecaster


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = VideoForecaster(
        encoder=dict(type='RGBEncoder'),
        predictor=dict(type='MultiScalePredictor', widths=((4, 4), (4, 4)), kernels=((3, 3, 3), (3, 3, 3))),
        decoder=dict(type='RGBDecoder'),
        num_past=2,
    ).eval()
    return model


def forecast(model):
    frames = torch.rand(1, 2, 3, 16, 24, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        return model(frames, None, mode='tensor')[0]


def test_blocks_are_all_that_has_weights(model):
    blocks = dict(network_blocks(model))
    assert blocks and all(name.startswith('predictor.') for name in blocks)
    inside = {id(p) for block in blocks.values() for p in block.parameters()}
    assert inside == {id(p) for p in model.predictor.parameters()}
    motion = nn.Module()
    motion.encoder, motion.predictor = nn.Module(), MotionForecaster()
    assert list(dict(network_blocks(motion))) == ['predictor.network']


def test_compiled_networks_give_the_same(model, caplog):
    expected = forecast(model)
    assert compile_networks(model, backend='eager')
    with caplog.at_level(logging.WARNING):
        assert torch.equal(forecast(model), expected)
    assert not caplog.records


def test_networks_that_cannot_be_compiled_run_as_they_are(model, monkeypatch):
    expected = forecast(model)
    said = []
    monkeypatch.setattr(acceleration, 'print_log', lambda text, **settings: said.append(text))
    names = compile_networks(model, backend='no-such-backend')
    assert torch.equal(forecast(model), expected)
    assert torch.equal(forecast(model), expected)
    assert [text.split(' runs without torch.compile, which fails on it: ')[0] for text in said] == names


def test_errors_of_a_network_are_its_own(model):
    compile_networks(model, backend='eager')
    with pytest.raises((RuntimeError, ValueError)):
        model.predictor([torch.rand(1, 2, 7, 16, 24)], None)


def test_bfloat16_is_less_exact_and_float_outside(model):
    expected = forecast(model)
    run_in_bfloat16(model)
    found = forecast(model)
    assert found.dtype == torch.float32 and not torch.equal(found, expected)
    assert (found - expected).abs().max() < 0.02 * expected.abs().max()


def test_inferencer_takes_the_switches(video_config):
    frames = np.zeros((8, 16, 24, 3), dtype=np.uint8)
    inferencer = ForecastInferencer(video_config, show_progress=False, bf16=True, compile=True)
    assert inferencer(frames)['predictions'][0]['rgb'].shape == (2, 16, 24, 3)
