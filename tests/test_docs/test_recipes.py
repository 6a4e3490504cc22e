"""The recipes of docs/extend.md: written to files as they stand, trained for a step, and asked to forecast."""

import re
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper

from mmforecast.registry import DATASETS, MODELS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / 'docs/extend.md').read_text()
BLOCKS = {name: code for code, name in re.findall(r'```python\n(# (\S+\.py)\n.*?)```', PAGE, re.S)}
MOST_LINES = 25  # of a config
MOST_LINES_OF_CODE = 30
TITLES = (
    'Another backbone under F2F',
    'Another segmentor under S2S',
    'A new predictor',
    'A recurrent predictor',
    'A new loss',
    'Your own dataset',
)
PREFIX = dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence')  # of the street


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    """The configs of the repository with those of the page beside them, and its modules importable."""
    root = tmp_path_factory.mktemp('project')
    shutil.copytree(REPOSITORY / 'configs', root / 'configs', ignore=shutil.ignore_patterns('*.pth', '*.md'))
    for name, code in BLOCKS.items():
        assert not (root / name).exists(), f'{name} is a file of the repository'
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(code)
    modules = [Path(name).stem for name in BLOCKS if '/' not in name]
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))
    for name in modules:
        sys.modules.pop(name, None)
    for registry, name in ((MODELS, 'DampedMotion'), (MODELS, 'ConvLSTM'), (MODELS, 'CharbonnierLoss')):
        registry.module_dict.pop(name, None)
    DATASETS.module_dict.pop('MyVideos', None)


@pytest.fixture(scope='module')
def own_videos(tmp_path_factory):
    """Two videos of 21 frames in each split, 32x48, with label maps of three classes."""
    root = tmp_path_factory.mktemp('own')
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for video in ('a', 'b'):
            for kind, most, channels in (('frames', 256, (3,)), ('labels', 3, ())):
                folder = root / split / kind / video
                folder.mkdir(parents=True)
                for frame in range(21):
                    small = rng.integers(0, most, (4, 6, *channels), dtype=np.uint8)
                    big = small.repeat(8, axis=0).repeat(8, axis=1)
                    cv2.imwrite(str(folder / f'{frame:03d}.png'), big)
    return root


def load(project, name, **options):
    cfg = Config.fromfile(project / name)
    cfg.merge_from_dict(options)
    return cfg


def clip_of(cfg):
    """The first clip of the config's training data, as a batch of one."""
    return pseudo_collate([DATASETS.build(cfg.train_dataloader.dataset.to_dict())[0]])


def train_and_forecast(cfg, steps):
    """One training step changes weights and gives finite losses; the forecast has ``steps`` steps."""
    model = MODELS.build(cfg.model.to_dict())
    batch = clip_of(cfg)
    before = {name: value.clone() for name, value in model.predictor.state_dict().items()}
    losses = model.train().train_step(batch, build_optim_wrapper(model, cfg.optim_wrapper.copy()))
    assert all(torch.isfinite(value).all() for value in losses.values())
    after = model.predictor.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    (sample,) = model.eval().test_step(batch)
    assert model.test_steps == steps
    return model, losses, sample


def test_the_page_has_the_recipes_and_they_are_short():
    assert re.findall(r'^## (.+)$', PAGE, re.M) == list(TITLES)
    for name, code in BLOCKS.items():
        lines = [line for line in code.splitlines()[1:] if line.strip()]
        assert len(lines) <= (MOST_LINES if '/' in name else MOST_LINES_OF_CODE), name
        assert Path(name).stem in PAGE.replace(code, ''), f'nothing on the page uses {name}'
    assert len(re.findall('```python', PAGE)) == len(BLOCKS)


def test_another_backbone_under_f2f(project, street_root):
    detector = Config.fromfile(project / 'configs/detectors/mask-rcnn_mobilenet_tiny_synthetic.py').model
    cfg = load(
        project,
        'configs/f2f/f2f_mobilenet_tiny_synthetic.py',
        **{
            'model.encoder.checkpoint': None,
            'model.encoder.size': (64, 128),
            'model.test_cfg.rollout_steps': 1,
            'train_dataloader.dataset.data_root': str(street_root),
        },
    )
    model, losses, sample = train_and_forecast(cfg, 1)
    assert type(model.encoder.detector.backbone).__name__ == 'MobileNetV2'
    trained = MODELS.build(detector).state_dict()
    model.encoder.detector.load_state_dict(trained)  # strictly: what the first config trains fits
    assert len(sample.pred_instances) == 1


def test_another_segmentor_under_s2s(project, street_root):
    cfg = load(
        project,
        'configs/s2s/s2s_2scale_segformer_cityscapes.py',
        **{
            'model.encoder.checkpoint': None,
            'train_dataloader.dataset.data_root': str(street_root),
            'train_dataloader.dataset.pipeline.1.size': (64, 64),
            'train_dataloader.dataset.data_prefix': PREFIX,
            'model.test_cfg': dict(rollout_steps=1, reference=False),
        },
    )
    model, losses, sample = train_and_forecast(cfg, 1)
    assert type(model.encoder.segmentor.backbone).__name__ == 'MixVisionTransformer'
    assert 'loss_gdl_s1' in losses and sample.pred_sem_seg.data.shape == (1, 64, 64)


def test_a_new_predictor(project, street_root):
    cfg = load(
        project,
        'configs/s2s/s2s_damped_tiny_synthetic.py',
        **{'train_dataloader.dataset.data_root': str(street_root)},
    )
    model, losses, sample = train_and_forecast(cfg, 3)
    assert sum(weights.numel() for weights in model.predictor.parameters()) == 19
    assert 'loss_l1' in losses and sample.pred_sem_seg.data.shape == (3, 64, 64)
    torch.nn.init.ones_(model.predictor.share)  # undamped: the straight line on
    past = torch.tensor([3.0, 5.0]).view(1, 2, 1, 1, 1).expand(1, 2, 19, 2, 2)
    (future,) = model.predictor([past], None)
    assert future.shape == (1, 1, 19, 2, 2) and (future == 7).all()


FOLDER_OF_FRAMES = dict(videos=None, drop_repeats=None, frame_fps=25.0)
# The same predictor over labels, RGB frames, distance maps with objects, and a detector's pyramid.
OVER = {
    's2s/s2s_2scale_tiny_synthetic': (19, 1),
    'video_prediction/multiscale_l2_tiny_clips': (3, 1),
    'd2d/d2d_tiny_synthetic': (9, 1),
    'f2f/f2f_tiny_synthetic': (64, 4),
}


def conv_lstm_over(project, name, **options):
    """A config of at most 12 lines over another base, as the recipe writes it."""
    recipe = BLOCKS['configs/f2f/f2f_conv-lstm_tiny_synthetic.py']
    path = project / 'configs' / f'{name}_conv-lstm.py'
    path.write_text(recipe.replace('./f2f_tiny_synthetic.py', f'./{Path(name).name}.py'))
    assert len(recipe.splitlines()) <= 12
    return load(project, path.relative_to(project), **options)


@pytest.mark.parametrize('name', OVER)
def test_a_recurrent_predictor_over_any_encoder(project, street_root, own_videos, name):
    root = own_videos / 'train/frames' if name.startswith('video') else street_root
    options = {'train_dataloader.dataset.data_root': str(root), 'model.test_cfg.rollout_steps': 2}
    if name.startswith('video'):
        options.update({f'train_dataloader.dataset.{k}': v for k, v in FOLDER_OF_FRAMES.items()})
    if name.startswith('f2f'):
        options.update({'model.encoder.checkpoint': None, 'model.encoder.size': (64, 128)})
    cfg = conv_lstm_over(project, name, **options)
    model, losses, _ = train_and_forecast(cfg, 2)
    predictor = model.predictor
    assert (predictor.channels, predictor.num_levels) == OVER[name]
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_a_whole_contribution(project):
    """The test of the page passes, and its entry of the metafile is true."""
    load(project, 'configs/f2f/f2f_conv-lstm_tiny_synthetic.py')  # imports it
    scope: dict = {}
    exec(BLOCKS['tests/test_models/test_recurrent.py'], scope)
    tests = [value for name, value in scope.items() if name.startswith('test_')]
    for test in tests:
        test()
    (entry,) = yaml.safe_load(re.search(r'```yaml\n(.*?)```', PAGE, re.S).group(1))
    (written,) = [name for name in BLOCKS if name.endswith(f'{entry["Name"]}.py')]
    assert tests and entry['Config'] == written
    net = MODELS.build(dict(type='ConvLSTM', channels=64, num_levels=4))
    assert entry['Metadata']['Parameters'] == sum(p.numel() for p in net.parameters())


def test_a_new_loss(project, street_root):
    cfg = load(
        project,
        'configs/s2s/s2s_charbonnier_tiny_synthetic.py',
        **{
            'train_dataloader.dataset.data_root': str(street_root),
            'model.predictor.widths': ((8,), (8,)),
            'model.predictor.kernels': ((3, 3), (3, 3)),
        },
    )
    model, losses, _ = train_and_forecast(cfg, 3)
    assert {'loss_charbonnier_s0', 'loss_charbonnier_s1', 'loss_gdl_s0'} <= set(losses)
    loss = model.predictor.losses['charbonnier']
    assert loss(torch.ones(2), torch.ones(2)).item() == pytest.approx(loss.eps)
    assert loss(torch.zeros(1), torch.full((1,), 4.0)).item() == pytest.approx(4, abs=1e-4)


def test_a_data_set_of_ones_own(project, own_videos):
    cfg = load(
        project,
        'configs/s2s/s2s_warp_my_videos.py',
        **{
            'train_dataloader.dataset.data_root': str(own_videos / 'train'),
            'val_dataloader.dataset.data_root': str(own_videos / 'val'),
        },
    )
    train, val = (DATASETS.build(cfg[f'{part}_dataloader'].dataset.to_dict()) for part in ('train', 'val'))
    assert len(train) == len(val) == 2 * 3  # 21 frames, and a clip of 7 frames spans 19
    assert val.fps == 25.0 and val.metainfo['classes'] == ('road', 'car', 'rest')
    model, losses, sample = train_and_forecast(cfg, 3)
    assert sample.pred_sem_seg.data.shape == (3, 32, 48) and sample.pred_sem_seg.data.max() <= 2


def test_a_folder_of_frames_of_ones_own(project, own_videos):
    cfg = load(
        project,
        'configs/video_prediction/multiscale_gdl-l1_my_frames.py',
        **{
            'train_dataloader.dataset.data_root': str(own_videos / 'train/frames'),
            'model.test_cfg': dict(rollout_steps=1),
        },
    )
    _, _, sample = train_and_forecast(cfg, 1)
    assert sample.pred_frames.shape == (1, 3, 32, 32)
