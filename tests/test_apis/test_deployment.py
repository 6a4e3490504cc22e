"""Exported forecasters: their graphs compute what PyTorch does, and the runner what `predict` does."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from mmforecast.apis.deployment import ExportedForecaster, PartTime, export_forecaster, time_parts
from mmforecast.apis.deployment.export import _trace
from mmforecast.apis.deployment.graphs import Graph, NoGraphError
from mmforecast.apis.deployment.sessions import open_session
from mmforecast.models.predictors import ForecastContext
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

SIZE = (32, 64)
SCALES = dict(widths=((8,), (8,)), kernels=((3, 3), (3, 3)))
CONFIGS = dict(
    video=dict(
        type='VideoForecaster',
        num_past=3,
        encoder=dict(type='RGBEncoder'),
        predictor=dict(type='MultiScalePredictor', out_act='tanh', **SCALES),
        decoder=dict(type='RGBDecoder'),
        test_cfg=dict(rollout_steps=2),
    ),
    labels=dict(
        type='S2SForecaster',
        num_past=3,
        encoder=dict(type='LabelMapEncoder', num_classes=5, stride=2),
        predictor=dict(type='MultiScalePredictor', **SCALES),
        test_cfg=dict(rollout_steps=2),
    ),
    d2d=dict(
        type='D2DForecaster',
        num_past=3,
        encoder=dict(type='DistanceMapEncoder', num_classes=9),
        predictor=dict(type='D2DPredictor', widths=(8, 8), dilations=(1, 2, 1)),
        decoder=dict(type='DistanceMapDecoder'),
        test_cfg=dict(rollout_steps=2),
    ),
    motion=dict(
        type='VideoForecaster',
        num_past=3,
        encoder=dict(type='RGBEncoder'),
        predictor=dict(type='MotionForecaster'),
        decoder=dict(type='RGBDecoder'),
        test_cfg=dict(rollout_steps=2),
    ),
)
needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ('onnxruntime', 'onnxscript'))),
    reason='onnxruntime and onnxscript are not installed',
)
onnx = pytest.param('onnx', marks=[pytest.mark.slow, needs_onnx])
formats = pytest.mark.parametrize('format', ['torch-export', onnx])


def build(name, **changes):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmforecast'):
        model = MODELS.build({**CONFIGS[name], **changes}).eval()
    if name == 'motion':
        torch.nn.init.normal_(model.predictor.network.head.weight, std=0.1)
    return model


def video(count, shift=2):
    """Frames (count, H, W, 3) of a smooth pattern that moves."""
    draw = torch.Generator().manual_seed(1)
    small = torch.rand((1, 3, 6, 14), generator=draw)
    wide = torch.nn.functional.interpolate(small, (SIZE[0], SIZE[1] + shift * count), mode='bicubic')[0]
    frames = torch.stack([wide[:, :, shift * i : shift * i + SIZE[1]] for i in range(count)])
    return (255 * frames.clamp(0, 1)).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def predicted(model, frames):
    clip = torch.from_numpy(frames).permute(0, 3, 1, 2)[None].float()
    (sample,) = model.predict(clip, [ForecastDataSample(metainfo=dict(img_shape=SIZE))])
    return sample.pred_frames.numpy()


@formats
def test_the_runner_forecasts_as_predict_does(tmp_path, format):
    model = build('video')
    parts = export_forecaster(model, tmp_path, SIZE, format=format, classes=['a'])
    assert [part.reason for part in parts] == [None] * 3
    assert max(part.difference for part in parts) <= 1e-4
    runner, frames = ExportedForecaster(tmp_path, stride=2), video(6)
    assert runner.manifest['classes'] == ['a'] and runner.manifest['steps'] == 2
    out = [runner.push(frame) for frame in frames]
    assert [part is None for part in out] == [True] * 4 + [False] * 2
    for last in (4, 5):
        expected = predicted(model, frames[[last - 4, last - 2, last]])
        np.testing.assert_allclose(out[last], expected, atol=2e-2)  # of 255
    runner.reset()
    assert runner.push(frames[0]) is None


@pytest.mark.slow
@formats
@pytest.mark.parametrize('name', ['labels', 'd2d'])
def test_a_predictor_of_maps_takes_any_batch_and_size(tmp_path, format, name):
    model = build(name)
    encoder, predictor, _ = export_forecaster(model, tmp_path, SIZE, format=format)
    assert encoder.file is None and 'runs no network on frames' in encoder.reason
    assert predictor.free == {'past_0': (0, 3, 4)}
    past = torch.randn(3, 3, model.predictor.channels, 24, 40)
    (out,) = open_session(tmp_path / predictor.file)(dict(past_0=past.numpy()))
    with torch.no_grad():
        (expected,) = model.predictor([past], ForecastContext(frames=None, samples=[]))
    np.testing.assert_allclose(out, expected.numpy(), atol=1e-4)
    with pytest.raises(ValueError, match='no graph of the encoder, since .*Encoder runs no network'):
        ExportedForecaster(tmp_path)


@pytest.mark.slow
@formats
@pytest.mark.parametrize('class_scores', [None, True])  # True: the graph spreads them, too
def test_motion_is_observed_outside_of_the_graph(tmp_path, format, class_scores):
    model = build('motion')
    model.predictor.class_scores = class_scores
    _, predictor, _ = export_forecaster(model, tmp_path, SIZE, steps=3, format=format)
    assert predictor.kind == 'motion' and 'evidence' in predictor.inputs
    model.test_steps = 3
    frames = video(4)
    runner = ExportedForecaster(tmp_path)
    for frame in frames:
        out = runner.push(frame)
    expected = predicted(model, frames[1:])
    assert out.shape == (3, 3, *SIZE)
    assert np.quantile(np.abs(out - expected), 0.999) < 2e-2  # a rounding may send a pixel to its neighbor
    assert np.abs(expected - frames[-1].transpose(2, 0, 1)).mean() > 1


@pytest.mark.slow
@needs_onnx
@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('outside', ['border', 'zeros'])
@pytest.mark.parametrize('deformable', [True, False])
def test_sampling_in_onnx_equals_grid_sample(tmp_path, monkeypatch, align_corners, outside, deformable):
    monkeypatch.setattr('mmforecast.apis.deployment.warping._runs_deform_conv', lambda: deformable)

    class Sampling(torch.nn.Module):
        def forward(self, maps, grid):
            return torch.nn.functional.grid_sample(
                maps, grid, padding_mode=outside, align_corners=align_corners
            )

    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 5, 6, 11, generator=draw)
    grid = 1.3 * (2 * torch.rand(2, 6, 11, 2, generator=draw) - 1)  # a good part of it outside
    path = tmp_path / 'sampling.onnx'
    graph = Graph(Sampling(), dict(maps=maps, grid=grid), ['out'])
    _trace(graph, path, 'onnx')
    (out,) = open_session(path)(dict(maps=maps.numpy(), grid=grid.numpy()))
    np.testing.assert_allclose(out, graph.module(maps, grid).numpy(), atol=1e-5)
    content = path.read_bytes()
    assert (b'DeformConv' in content) == (deformable and outside == 'border')
    assert (b'GridSample' in content) != (b'DeformConv' in content)


def test_parts_with_a_graph_are_timed_by_turns(tmp_path):
    model = build('labels')
    parts = export_forecaster(model, tmp_path, SIZE, format='torch-export')
    threads = torch.get_num_threads()
    times = time_parts(model, tmp_path, parts, SIZE, runs=3, threads=threads + 1)
    assert [part.name for part in times] == ['predictor', 'decoder']
    assert all(len(part.pytorch) == len(part.graph) == 3 for part in times)
    assert all(part.ratio(clock) > 0 for part in times for clock in (False, True))
    assert torch.get_num_threads() == threads
    with pytest.raises(ValueError, match='runs'):
        time_parts(model, tmp_path, parts, SIZE, runs=0)


def test_the_ratio_is_the_median_over_pairs():
    part = PartTime('predictor', pytorch=[(1, 10), (2, 10), (4, 10)], graph=[(3, 10), (4, 20), (1, 15)])
    assert (part.ratio(), part.ratio(clock=True)) == (2, 1.5)  # 3, 2, 1/4 and 1, 2, 3/2
    assert (part.medians(), part.medians(clock=True)) == ((2, 3), (10, 15))


@pytest.mark.parametrize(
    'predictor, reason',
    [
        ('FlowWarp', "FlowWarp computes OpenCV's optical flow in every step"),
        ('EgoMotion', "EgoMotion computes OpenCV's optical flow in every step"),
        ('Oracle', 'Oracle looks at the true future'),
        ('CopyLast', 'CopyLast has no graph; MultiScalePredictor, D2DPredictor, F2FPredictor have one'),
    ],
)
def test_predictors_without_a_graph_say_why(tmp_path, predictor, reason):
    model = build('video', predictor=dict(type=predictor))
    with pytest.raises(NoGraphError, match=reason):
        export_forecaster(model, tmp_path, SIZE, format='torch-export')


def test_missing_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match='needs onnx, onnxscript, onnxruntime: pip install'):
        export_forecaster(build('video'), tmp_path, SIZE)


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match='format must be one of'):
        export_forecaster(build('video'), tmp_path, SIZE, format='tflite')
    batch = build('video', predictor=dict(CONFIGS['video']['predictor'], num_outputs=2))
    with pytest.raises(ValueError, match='2 steps per call; steps must be a multiple of it, got 3'):
        export_forecaster(batch, tmp_path, SIZE, steps=3, format='torch-export')
    with pytest.raises(FileNotFoundError, match='holds no exported forecaster'):
        ExportedForecaster(tmp_path)


def test_frames_of_another_size_are_refused(tmp_path):
    manifest = dict(num_past=3, size=SIZE, parts=[dict(name='predictor', file='p', kind='maps')])
    (tmp_path / 'forecaster.json').write_text(json.dumps(manifest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmforecast.apis.deployment.runner.open_session', lambda *args: None)
        runner = ExportedForecaster(tmp_path)
    for frame in (np.zeros((8, 8, 3), np.uint8), np.zeros((*SIZE, 3), np.float32)):
        with pytest.raises(ValueError, match='exported for uint8 frames of 32x64'):
            runner.push(frame)
    with pytest.raises(ValueError, match='stride must be at least 1, got 0'):
        ExportedForecaster(tmp_path, stride=0)
