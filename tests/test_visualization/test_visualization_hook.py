"""The hook that draws while a model is validated or tested."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.visualization import Visualizer
from PIL import Image

from mmforecast.engine.hooks.visualization_hook import ForecastVisualizationHook
from mmforecast.visualization import ForecastLocalVisualizer


@pytest.fixture
def runner(tmp_path):
    visualizer = ForecastLocalVisualizer(
        vis_backends=[{'type': 'LocalVisBackend'}], save_dir=str(tmp_path), panel_height=32
    )
    visualizer.dataset_meta = {'classes': ('road', 'car'), 'palette': [(0, 0, 0), (200, 100, 0)]}
    return SimpleNamespace(visualizer=visualizer, log_dir=str(tmp_path), iter=300)


@pytest.fixture
def batch(make_clip):
    """What the runner hands over: clips as packed, and the samples that the model returned."""
    sample, frames = make_clip()
    inputs = torch.from_numpy(frames).permute(0, 3, 1, 2)
    return {'data_batch': {'inputs': [inputs]}, 'outputs': [sample]}


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_files_of_every_interval(runner, batch, tmp_path):
    hook = ForecastVisualizationHook(draw=True, interval=2, out_dir='pictures')
    hook.before_run(runner)
    for batch_idx in range(4):
        batch['outputs'][0].set_metainfo({'sequence_id': f'city/{batch_idx}'})
        hook.after_val_iter(runner, batch_idx, **batch)
    hook.after_test_iter(runner, 0, **batch)
    assert files(tmp_path / 'pictures') == [
        'test/000300_city_3_000003.gif',
        'test/000300_city_3_000003.png',
        'val/000300_city_0_000003.gif',
        'val/000300_city_0_000003.png',
        'val/000300_city_2_000003.gif',
        'val/000300_city_2_000003.png',
    ]
    with Image.open(tmp_path / 'pictures/val/000300_city_0_000003.gif') as gif:
        assert gif.n_frames == 4


def test_backends_take_strips_without_an_out_dir(runner, batch, tmp_path):
    ForecastVisualizationHook(draw=True).after_val_iter(runner, 0, **batch)
    assert [path for path in files(tmp_path / 'vis_data') if path.endswith(('png', 'gif'))] == [
        'val_city_0_000003_300.gif',
        'vis_image/val_city_0_000003_300.png',
    ]


def test_draws_nothing_unless_told_to(runner, batch, tmp_path):
    hook = ForecastVisualizationHook(out_dir='pictures')
    hook.before_run(SimpleNamespace(visualizer=Visualizer()))
    hook.after_val_iter(runner, 0, **batch)
    assert not (tmp_path / 'pictures').exists()


def test_works_without_frames_and_without_label_maps(runner, batch, tmp_path):
    hook = ForecastVisualizationHook(draw=True, out_dir='pictures')
    batch['data_batch']['inputs'] = [torch.zeros(4, 3, 0, 0, dtype=torch.uint8)]
    hook.after_test_iter(runner, 0, **batch)
    assert len(files(tmp_path / 'pictures')) == 2
    del batch['outputs'][0].pred_sem_seg
    batch['outputs'][0].set_metainfo({'sequence_id': 'other'})
    hook.after_test_iter(runner, 0, **batch)
    assert files(tmp_path / 'pictures')[2:] == ['test/000300_other_000003.png']


def test_instances_are_animated_below_label_maps(runner, batch, make_instance_clip, tmp_path):
    hook = ForecastVisualizationHook(draw=True, out_dir='pictures')
    sizes = []
    for with_labels, with_instances in [(True, False), (False, True), (True, True)]:
        sample, other = batch['outputs'][0].clone(), make_instance_clip()[0]
        if with_instances:
            sample.gt_instance_map = other.gt_instance_map
            sample.pred_instances = other.pred_instances
        if not with_labels:
            del sample.pred_sem_seg
        hook.after_test_iter(runner, 0, batch['data_batch'], [sample])
        with Image.open(tmp_path / 'pictures/test/000300_city_0_000003.gif') as gif:
            assert gif.n_frames == 4
            sizes.append(gif.size)
    labels, instances, both = sizes
    assert len({width for width, _ in sizes}) == 1
    legend, header = 23, 52
    assert instances[1] == labels[1] - legend
    assert both[1] == labels[1] + instances[1] - header - 8


def test_forecast_frames_have_a_strip_and_an_animation(runner, batch, tmp_path):
    hook = ForecastVisualizationHook(draw=True, out_dir='pictures')
    sample = batch['outputs'][0]
    del sample.pred_sem_seg, sample.gt_sem_seg
    sample.pred_frames = torch.full((2, 3, 16, 32), 128.0)
    hook.after_test_iter(runner, 0, **batch)
    stem = tmp_path / 'pictures/test/000300_city_0_000003'
    with Image.open(f'{stem}.gif') as gif, Image.open(f'{stem}.png') as strip:
        assert gif.n_frames == 4
        assert strip.size[1] == 31 + 2 * (32 + 8)  # truth and forecast


def test_a_visualizer_of_another_kind_is_refused_before_the_run():
    hook = ForecastVisualizationHook(draw=True)
    with pytest.raises(TypeError, match='the runner has a Visualizer: set visualizer=dict'):
        hook.before_run(SimpleNamespace(visualizer=Visualizer()))


@pytest.mark.parametrize(
    'kwargs, message',
    [({'interval': 0}, 'interval must be an integer >= 1'), ({'fps': 0}, 'fps must be above 0')],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ForecastVisualizationHook(**kwargs)
