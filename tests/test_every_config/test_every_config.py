"""Every shipped config trains, validates and resumes through ``tools/train.py``, on tiny data of its layout.

A config is run as it is but for its size: batches, crops of the data, widths of the largest networks and
numbers of detections; and but for files of weights, which the networks' own initialization replaces.
"""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmforecast.utils.source_configs import first_source

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
NAMES = sorted(
    path.relative_to(CONFIGS).with_suffix('').as_posix()
    for path in CONFIGS.glob('*/*.py')
    if path.parent.name != '_base_'
)
# One of each family in the fast suite; F2F trains in tests/test_engine/test_val_loss_hook.py there.
FAST = {
    's2s/s2s_last_tiny_synthetic',
    'd2d/d2d_warp_tiny_synthetic',
    'video_prediction/multiscale_gdl-l1_tiny_camvid',
    'creative_gan/dcgan_tiny_textures-64',
}
# Forecasters of motion, which need no training.
NOTHING_TO_TRAIN = [
    'motion/f2f_yolox-nano_cached_driving',
    'motion/f2f_yolox-nano_driving',
    'motion/s2s_cgnet_camvid',
    'motion/s2s_labels_synthetic',
    'motion/s2s_cgnet_driving',
    'motion/video',
    'motion/video_clips',
]
MARKED = [
    name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
    for name in NAMES
    if name not in NOTHING_TO_TRAIN
]
# What is set wherever a part of the model has it.
SMALL = dict(
    base_channels=8, num_images=84, size_factor=1, depth=18, with_cp=False, nms_pre=50, max_per_img=20
)
# What is set in parts of these types, whether the config names it or not; a function is given the part.
SMALL_TYPES = dict(
    DCGANGenerator=dict(base_channels=32),  # a multiple of 32 at 256x256
    CANGenerator=dict(base_channels=32),
    CANDiscriminator=dict(head_channels=32),
    MaskedFeatureTransformer=dict(embed_dims=24, num_layers=1, num_heads=2),
    MaskedLabelTransformer=dict(embed_dims=24, num_layers=1, num_heads=2),
    TimmViT=dict(pretrained=False),
    StackGANGenerator=dict(base_channels=8, num_blocks=1),
    MaskStyleGenerator=dict(base_channels=8),
    MultiScaleDiscriminator=dict(hidden=lambda part: ((32, 16),) * len(part.get('widths', '1234'))),
)
WEIGHTS = ('checkpoint', 'coarsest_from')
SHIPPED = 'zoo://motion-forecaster_varied_street'


def shrink(node, path=()):
    """Options that make a config small: (dotted name, value)."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    of_type = SMALL_TYPES.get(node.get('type'), {}) if isinstance(node, dict) else {}
    for key, value in of_type.items():
        yield '.'.join((*path, key)), value(node) if callable(value) else value
    for key, value in items:
        name = (*path, str(key))
        if key in of_type:
            continue
        if key in WEIGHTS and isinstance(value, str) and value != SHIPPED and not os.path.exists(value):
            yield '.'.join(name), None
        elif key == 'init_cfg' and isinstance(value, dict) and value.get('type') == 'Pretrained':
            if not os.path.exists(value['checkpoint']):
                yield '.'.join(name), None
        elif key == 'size_factor' and node.get('init') == 'copy':
            continue  # which needs the width
        elif key in SMALL and isinstance(value, int) and 'backbone' not in path:
            yield '.'.join(name), SMALL[key]
        elif key == 'size' and 'ClipRandomCrop' == node.get('type') and max(value) > 128:
            yield '.'.join(name), (64, 64)
        elif key == 'crop_size' and path[-1:] == ('train_cfg',) and max(value or (0,)) > 32:
            yield '.'.join(name), (16, 32)
        elif key in ('scale', 'scales') and 'Resize' in node.get('type', '') and np.max(value) > 512:
            yield '.'.join(name), (256, 128) if key == 'scale' else [(256, 128)]
        elif isinstance(value, dict | list | tuple):
            yield from shrink(value, name)


def options_of(cfg):
    """All options for a run of one iteration."""
    options = dict(shrink(cfg._to_lazy_dict() if hasattr(cfg, '_to_lazy_dict') else cfg))
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(loader) is not None:
            options[f'{loader}.batch_size'] = 2 if loader == 'train_dataloader' else 1
            options[f'{loader}.num_workers'] = 0
            options[f'{loader}.persistent_workers'] = False
            if loader != 'train_dataloader':
                options[f'{loader}.dataset.indices'] = 2
    if cfg.get('load_from') and not os.path.exists(cfg.load_from):
        options['load_from'] = None
    options['train_cfg.val_interval'] = 1
    options['default_hooks.logger.interval'] = 1
    options['default_hooks.checkpoint.interval'] = 1
    return options


@pytest.fixture(autouse=True)
def without_checkpoints(tmp_path):
    """Leave no checkpoints: those of all configs take 25 GB together."""
    yield
    for path in tmp_path.rglob('*.pth'):
        path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize('name', NOTHING_TO_TRAIN)
def test_config_with_nothing_to_train_is_scored(name, workspace, run_tool, monkeypatch, tmp_path, request):
    monkeypatch.chdir(workspace)
    path = f'configs/{name}.py'
    cfg = Config.fromfile(path)
    settings = options_of(cfg)
    if any(step.type == 'LoadClipFeatures' for step in cfg.test_dataloader.dataset.pipeline):
        settings['model.encoder.checkpoint'] = request.getfixturevalue('driving_features')
    options = [f'{key}={value}'.replace(' ', '') for key, value in settings.items()]
    run_tool('test.py', path, 'none', '--out', tmp_path / 'scores.json', '--cfg-options', *options)
    assert json.loads((tmp_path / 'scores.json').read_text())


@pytest.mark.parametrize('name', MARKED)
def test_config_trains_validates_and_resumes(
    name, workspace, run_tool, monkeypatch, tmp_path, scalars, request
):
    monkeypatch.chdir(workspace)
    path = f'configs/{name}.py'
    cfg = Config.fromfile(path)
    if 'TimmViT' in str(cfg.model):
        pytest.importorskip('timm')
    settings = options_of(cfg)
    source = first_source(cfg.train_dataloader.dataset)
    if source.get('data_root') == 'data/long_street':
        request.getfixturevalue('long_street')
    if any(step.type == 'LoadClipFeatures' for step in source.pipeline):
        stores = {
            'data/driving_10hz': 'driving_features',
            'data/synthetic_street': 'street_features',
            'data/cityscapes': 'stored_features',
        }
        store = 'segmentor_features' if 'segmentor' in cfg.model.encoder else stores[source.data_root]
        settings['model.encoder.checkpoint'] = request.getfixturevalue(store)
    options = [f'{key}={value}'.replace(' ', '') for key, value in settings.items()]
    for iterations in (1, 2):
        run = ['--work-dir', tmp_path, '--cfg-options', f'train_cfg.max_iters={iterations}', *options]
        run_tool('train.py', path, *(['--resume'] if iterations == 2 else []), *run)
        assert (tmp_path / f'iter_{iterations}.pth').is_file()
    logged = scalars(tmp_path)
    steps = [row for row in logged if any(key.startswith(('loss', 'd_loss', 'loss_disc')) for key in row)]
    assert len(steps) == 2
    for row in logged:
        assert not [key for key, value in row.items() if 'loss' in key and not math.isfinite(value)]
    if cfg.get('val_dataloader') is not None:
        assert len(logged) == 4  # two steps, each with a validation
