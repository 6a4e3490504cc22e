"""Every config file parses, and its model, transforms, metric and hooks can be built."""

import inspect
import json
import logging
import re
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from mmengine.config import Config, ConfigDict
from mmengine.registry import HOOKS, VISUALIZERS, DefaultScope

from mmforecast.apis.evaluate import replace_parts
from mmforecast.apis.inferencers.network import MOTION
from mmforecast.datasets import BaseSequenceDataset
from mmforecast.datasets.representation_store import StoreError
from mmforecast.fileio import find_model
from mmforecast.models.forecasters import AdversarialForecaster, BaseForecaster
from mmforecast.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO
from mmforecast.weight_conversion import MMDET_SETTINGS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ALL_FILES = sorted(p for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
DETECTORS = [p for p in ALL_FILES if p.parent.name == 'detectors']  # trained by mmdet's own parts
SEGMENTORS = [p for p in ALL_FILES if p.parent.name == 'segmentors']  # by mmseg's
NECK = CONFIGS / 'f2f/f2f_as-neck_mask-rcnn_tiny_synthetic.py'  # a detector too, fed with clips
CREATIVE = [p for p in ALL_FILES if p.parent.name == 'creative_gan']  # of images, not of clips
FILES = [p for p in ALL_FILES if p not in [*DETECTORS, *SEGMENTORS, NECK, *CREATIVE]]
# Networks of the papers' sizes take seconds to build.
MARKED = [
    pytest.param(p, marks=pytest.mark.slow) if p.stem.endswith(('cityscapes', 'ucf101')) else p for p in FILES
]


def test_there_are_configs():
    assert len(FILES) >= 20
    assert {p.parent.name for p in ALL_FILES} >= {'s2s', 'f2f', 'd2d', 'video_prediction', 'detectors'}


def without_checkpoints(cfg):
    """Weights are not in the repository; nothing else is taken out."""
    if isinstance(cfg, dict):
        return {
            k: without_checkpoints(v)
            for k, v in cfg.items()
            if not (k.endswith('checkpoint') and isinstance(v, str))
        }
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(without_checkpoints(v) for v in cfg)
    return cfg


def without_timm(cfg):
    """A config with a vision transformer of mmseg, of as many channels and layers, for that of timm."""
    if isinstance(cfg, dict):
        if cfg.get('type') == 'mmforecast.TimmViT':
            assert 'vit_base_patch14' in cfg['name'] and len(cfg['layers']) == 4
            return dict(
                type='mmseg.VisionTransformer',
                img_size=(224, 448),
                patch_size=14,
                embed_dims=768,
                num_layers=4,
                out_indices=(0, 1, 2, 3),
            )
        return {key: without_timm(value) for key, value in cfg.items()}
    return cfg


# What makes a predictor small; the sizes of all are counted without memory.
SMALL = dict.fromkeys(('MaskedFeatureTransformer', 'MaskedLabelTransformer'), dict(num_layers=1))


ADVERSARIAL_KEYS = inspect.signature(AdversarialForecaster).parameters.keys() - {'args', 'kwargs'}


@lru_cache
def detector(text):
    """A detector of a config, given as JSON; most configs share one, which takes a second to build."""
    return MODELS.build(ConfigDict({'_scope_': 'mmdet', **json.loads(text)}))


def build(cfg):
    """The model of a config, with random weights."""
    model = without_timm(without_checkpoints(cfg.model.to_dict()))
    model['predictor'].update(SMALL.get(model['predictor']['type'], {}))
    if 'detector' in model.get('encoder', {}):
        model['encoder']['detector'] = detector(json.dumps(model['encoder']['detector']))
    return MODELS.build(model)


def count_parameters(path):
    """Of a config's predictor, built without memory, with the shapes that its forecaster hands to it."""
    cfg = Config.fromfile(path)
    predictor = cfg.model.predictor.to_dict()
    cfg.model.predictor = dict(type='CopyLast')
    for name in ADVERSARIAL_KEYS:
        cfg.model.pop(name, None)
    model = build(cfg)
    with torch.device('meta'):
        built = model.build_predictor(without_checkpoints(predictor), model.predictor_shapes())
    return sum(p.numel() for p in built.parameters())


@pytest.mark.parametrize('path', MARKED, ids=lambda p: f'{p.parent.name}/{p.stem}')
def test_config_builds(path):
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    model = build(cfg)
    assert isinstance(model, BaseForecaster)
    for part in ('train', 'val', 'test'):
        check_data(cfg[f'{part}_dataloader'].dataset, model, part)
    for part in ('val', 'test'):
        given = cfg[f'{part}_evaluator']
        for metric in given if isinstance(given, list) else [given]:
            METRICS.build(metric.to_dict())
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook.to_dict())
    VISUALIZERS.build(dict(cfg.visualizer.to_dict(), vis_backends=None))
    assert cfg.train_cfg.type == 'IterBasedTrainLoop'


@pytest.mark.parametrize('path', [p for p in FILES if '_adv' in p.stem], ids=lambda p: p.stem)
def test_baselines_have_nothing_of_an_adversary(path):
    model = Config.fromfile(path).model.to_dict()
    kept = replace_parts(model, dict(predictor=dict(type='CopyLast')))
    assert 'discriminator' in model and not kept.keys() & ADVERSARIAL_KEYS
    assert MODELS.build(kept).discriminator is None


@pytest.mark.parametrize('path', DETECTORS, ids=lambda p: p.stem)
def test_detector_config_builds(path):
    """Its data and metric read an annotation file, which isn't here."""
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    head = detector(json.dumps(without_checkpoints(cfg.model.to_dict()))).roi_head
    assert head.bbox_head.num_classes == head.mask_head.num_classes == 8
    for part in ('train', 'val', 'test'):
        dataset = cfg[f'{part}_dataloader'].dataset
        assert len(DATASETS.get(dataset.type).METAINFO['classes']) == 8
        for transform in dataset.pipeline:
            built = TRANSFORMS.build(transform.to_dict())
            if 'Resize' in transform.type:  # mmcv's leaves masks as they are
                assert isinstance(getattr(built, 'resize', built), TRANSFORMS.get('mmdet.Resize'))
    assert METRICS.get(cfg.val_evaluator.type) and METRICS.get(cfg.test_evaluator.type)
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook.to_dict())


@pytest.mark.parametrize('path', SEGMENTORS, ids=lambda p: p.stem)
def test_segmentor_config_builds(path):
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    model = MODELS.build(without_timm(cfg.model.to_dict()))
    assert model.decode_head.num_classes == 19
    small, vit = path.stem.endswith('synthetic'), 'VisionTransformer' in type(model.backbone).__name__
    parts = [model.neck, model.decode_head] if vit and not small else [model]
    count = sum(p.numel() for part in parts for p in part.parameters())
    assert count < (1e6 if small else 1.8e7)  # 2 MB in half precision
    frames = torch.zeros(1, 3, 128, 256) if small or not vit else torch.zeros(1, 3, 112, 224)
    size = (64, 128) if small or vit else (32, 64)
    size = (128, 256) if small and vit else size
    assert model.eval()(frames, mode='tensor').shape == (1, 19, *size)
    for part in ('train', 'val', 'test'):
        dataset = cfg[f'{part}_dataloader'].dataset
        assert DATASETS.get(dataset.type).METAINFO['classes'] == CITYSCAPES_METAINFO['classes']
        for transform in dataset.pipeline:
            TRANSFORMS.build(transform.to_dict())
    assert METRICS.get(cfg.val_evaluator.type) and METRICS.get(cfg.test_evaluator.type)


def test_neck_config_builds():
    cfg = Config.fromfile(NECK)
    model = detector(json.dumps(without_checkpoints(cfg.model.to_dict())))
    assert model.data_preprocessor.num_past == model.neck.num_past
    model.num_past, model.train_steps, model.test_steps = model.neck.num_past, 1, 1
    for part in ('train', 'val', 'test'):
        check_data(cfg[f'{part}_dataloader'].dataset, model, part)
    assert METRICS.build(cfg.val_evaluator.to_dict()) and cfg.test_evaluator == cfg.val_evaluator
    # Only the forecasting networks learn, and every other part starts from the detector's weights.
    learning = {name.split('.')[0] for name, _ in model.named_parameters()} - {'neck'}
    assert set(cfg.optim_wrapper.paramwise_cfg.custom_keys) == {*learning, 'neck.fpn'}
    for part in (*(cfg.model[name] for name in learning), cfg.model.neck.fpn):
        assert part.init_cfg.type == 'Pretrained'


def check_data(dataset, model, part):
    """The dataset's class exists, its pipeline builds, and its clips fit the model."""
    if 'datasets' in dataset:
        for source in dataset.datasets:
            check_data(source, model, part)
        return
    assert issubclass(DATASETS.get(dataset.type), BaseSequenceDataset)
    assert dataset.num_past == model.num_past
    steps = model.train_steps if part == 'train' else model.test_steps
    assert dataset.num_future == steps
    for transform in dataset.pipeline:
        assert part != 'train' or transform.type != 'ClipCameraSpeed'  # for scores alone
        try:
            TRANSFORMS.build(transform.to_dict())
        except StoreError as error:  # what is stored of Cityscapes isn't here
            assert transform.type in ('LoadClipScores', 'LoadClipFeatures')
            assert transform.store in str(error)


@pytest.mark.parametrize(
    'name, parameters',
    [
        ('s2s/s2s_2scale_cityscapes', 1_654_950),
        ('s2s/s2s_2scale_ar-ft_cityscapes', 1_654_950),
        ('s2s/s2s_2scale_tiny_synthetic', 1_654_950),
        ('s2s/s2s_1scale_cityscapes', 699_795),
        ('s2s/x2x_2scale_cityscapes', 1_255_558),
        ('video_prediction/multiscale_l2_ucf101', 12_569_740),
        ('video_prediction/multiscale_adv-gdl_ft64_ucf101', 12_569_740),
        ('video_prediction/1scale_l2_ucf101', 8_287_363),
        ('video_prediction/multiscale_l2_tiny_clips', 223_644),
        ('d2d/d2d_cityscapes', 789_769),
        ('d2d/d2d_ar-ft_cached_cityscapes', 789_769),
        ('d2d/d2d_tiny_synthetic', 789_769),
        ('f2f/f2f5_cityscapes', 10_816_000),
        ('f2f/f2f2_cityscapes', 10_816_000 + 2 * 10_947_072),
        ('f2f/f2f_mask-rcnn_r50-fpn_cityscapes', 65_158_144),
        ('f2f/f2f_mask-rcnn_r50-fpn_shared_cityscapes', 10_816_000),
        ('f2f/f2f_retinanet_r50-fpn_cityscapes', 5 * 10_816_000),
    ],
)
def test_paper_configs_have_the_paper_size(name, parameters):
    assert count_parameters(CONFIGS / f'{name}.py') == parameters


FINE_TUNING = [*(CONFIGS / 's2s').glob('*ar-ft*.py'), *(CONFIGS / 'f2f').glob('*_ar_*.py')]


@pytest.mark.parametrize('path', sorted(FINE_TUNING), ids=lambda p: p.stem)
def test_fine_tuning_is_a_short_config_by_inheritance(path):
    lines = path.read_text().splitlines()
    assert len(lines) < 15 and any(line.startswith('_base_') for line in lines)
    cfg = Config.fromfile(path)
    assert cfg.model.train_cfg.rollout_steps == 3 and cfg.load_from
    assert cfg.model.predictor.get('coarsest_from') is None  # it starts from load_from


@pytest.mark.parametrize(
    'name, level, optimizer, rate, batch, iterations',
    [
        ('f2f5', 'P5', 'SGD', 0.01, 4, 59_440),
        ('f2f4', 'P4', 'SGD', 0.005, 1, 238_000),
        ('f2f3', 'P3', 'SGD', 0.01, 1, 238_000),
        ('f2f2', 'P2', 'Adam', 5e-5, 1, 89_250),
        ('f2f5_ar', 'P5', 'SGD', 5e-4, 1, 178_500),
        ('f2f4_ar', 'P4', 'SGD', 1e-4, 1, 29_750),
        ('f2f3_ar', 'P3', 'SGD', 2e-4, 1, 29_750),
        ('f2f2_ar', 'P2', 'Adam', 1e-5, 1, 29_750),
    ],
)
def test_f2f_is_trained_as_the_authors_do(name, level, optimizer, rate, batch, iterations):
    cfg = Config.fromfile(CONFIGS / 'f2f' / f'{name}_cityscapes.py')
    assert cfg.model.encoder.levels == (level,)
    assert cfg.model.predictor.num_scales == ((3,) if level == 'P2' else (1,))
    expected = dict(SGD=dict(momentum=0.9, nesterov=True), Adam=dict(betas=(0.9, 0.999)))
    given = cfg.optim_wrapper.optimizer.to_dict()
    assert given == dict(type=optimizer, lr=rate, **expected[optimizer])
    assert 'param_scheduler' not in cfg  # a constant rate
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    assert cfg.train_cfg.max_iters == iterations
    assert cfg.train_cfg.max_iters % cfg.default_hooks.checkpoint.interval == 0
    started = cfg.model.predictor.get('coarsest_from')
    assert (started is None) == (name == 'f2f5' or name.endswith('_ar'))


def test_checkpoints_of_other_configs_are_the_last_ones_of_their_training():
    named = {
        pair for path in ALL_FILES for pair in re.findall(r'work_dirs/([\w-]+)/iter_(\d+)', path.read_text())
    }
    assert len(named) >= 5
    for stem, iteration in named:
        (other,) = [p for p in ALL_FILES if p.stem == stem]
        assert Config.fromfile(other).train_cfg.max_iters == int(iteration)


def started_from():
    """Configs whose training starts from another's weights, with that; paper sizes in the slow suite."""
    for path in FILES:
        found = re.search(r"^load_from = 'work_dirs/([\w-]+)/", path.read_text(), re.MULTILINE)
        if found:
            marks = () if re.search('tiny|small', path.stem) else (pytest.mark.slow,)
            yield pytest.param(path, found[1], marks=marks, id=path.stem)


@pytest.mark.parametrize('path, other', list(started_from()))
def test_a_training_can_start_from_the_weights_that_its_config_names(path, other):
    """Through the hook that refuses those of another model."""
    cfg = Config.fromfile(path)
    (start,) = [p for p in ALL_FILES if p.stem == other]
    weights = build(Config.fromfile(start)).state_dict()
    runner = SimpleNamespace(model=build(cfg), logger=logging.getLogger('start'), _resume=False)
    HOOKS.build(cfg.default_hooks.checkpoint.to_dict()).after_load_checkpoint(runner, dict(state_dict=weights))
    predictor = {name for name in runner.model.state_dict() if name.startswith('predictor.')}
    assert predictor <= weights.keys()


def zoo_networks(node):
    """The configs of networks and the name of the zoo's model that their weights are of."""
    if isinstance(node, dict):
        checkpoint = node.get('checkpoint')
        if isinstance(checkpoint, str) and checkpoint.startswith('zoo://'):
            for network in {'detector', 'segmentor'} & node.keys():
                yield checkpoint, network, json.dumps(node[network], sort_keys=True)
        for value in node.values():
            yield from zoo_networks(value)


def shapes_of(scope, network):
    network = {key: value for key, value in network.items() if key != 'pretrained'}
    with torch.device('meta'), DefaultScope.overwrite_default_scope(scope):
        model = MODELS.build(ConfigDict(_scope_=scope, **network))
    return {name: tuple(value.shape) for name, value in model.state_dict().items() if 'auxiliary' not in name}


@pytest.mark.slow
def test_weights_of_the_zoos_fit_the_networks_that_start_from_them():
    named = {entry for path in ALL_FILES for entry in zoo_networks(Config.fromfile(path).model.to_dict())}
    assert {checkpoint for checkpoint, _, _ in named} == {
        'zoo://mask-rcnn_r50_fpn_1x_cityscapes',
        'zoo://faster-rcnn_r50_fpn_1x_cityscapes',
        'zoo://pspnet_r50-d8_4xb2-80k_cityscapes-512x1024',
    }
    for checkpoint, network, text in named:
        model = find_model(checkpoint)
        assert model.url.endswith('.pth')
        scope = dict(detector='mmdet', segmentor='mmseg')[network]
        own = shapes_of(scope, {key: value for key, value in json.loads(text).items() if key != '_scope_'})
        assert own == shapes_of(scope, Config.fromfile(model.config).model.to_dict())


def test_the_released_detector_gets_all_settings_it_needs():
    cfg = Config.fromfile(CONFIGS / 'f2f/f2f_mask-rcnn_r50-fpn_detectron_cityscapes.py')
    given = cfg.model.encoder.detector.to_dict()
    assert ConfigDict(given) == ConfigDict(Config._merge_a_into_b(MMDET_SETTINGS, given))


def test_metafiles_name_existing_configs():
    index = yaml.safe_load((CONFIGS.parent / 'model-index.yml').read_text())['Import']
    assert sorted(index) == sorted(str(p.relative_to(CONFIGS.parent)) for p in CONFIGS.rglob('metafile.yml'))
    for name in index:
        content = yaml.safe_load((CONFIGS.parent / name).read_text())
        collections = {entry['Name'] for entry in content['Collections']}
        for entry in content['Models']:
            assert entry['In Collection'] in collections
            path = CONFIGS.parent / entry['Config']
            assert path.stem == entry['Name'] and path in ALL_FILES


@pytest.mark.slow
def test_metafiles_tell_the_parameters():
    counted = 0
    for path in CONFIGS.rglob('metafile.yml'):
        for entry in yaml.safe_load(path.read_text())['Models']:
            given = entry.get('Metadata', {}).get('Parameters')
            if given is not None:
                assert given == count_parameters(CONFIGS.parent / entry['Config']), entry['Name']
                counted += 1
    assert counted > 20


def test_frames_over_a_segmentor_of_cityscapes_have_its_classes():
    """Configs can't import the table."""
    cfg = Config.fromfile(str(CONFIGS / 's2s/s2s_warp_pspnet_frames.py'))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        given = loader.dataset.metainfo
        assert tuple(given.classes) == CITYSCAPES_METAINFO['classes']
        assert tuple(map(tuple, given.palette)) == CITYSCAPES_METAINFO['palette']
        assert tuple(given.moving_ids) == CITYSCAPES_METAINFO['moving_ids']


IMAGES = (
    *('clothing_64', 'fashion_mnist', 'garments_64', 'rtw_256', 'textures_64'),
    'synthetic_street_stills',
)
CLIPS = [p for p in sorted((CONFIGS / '_base_/datasets').glob('*.py')) if p.stem not in IMAGES]


@pytest.mark.parametrize('path', CLIPS, ids=lambda p: p.stem)
def test_data_sets_of_clips_share_one_skeleton_of_loaders(path):
    assert len(CLIPS) >= 11
    if path.stem == 'clip_loaders':
        return
    text = path.read_text()
    assert re.search(r"^_base_ = './\w+\.py'$", text, re.M) and 'sampler' not in text
    cfg, skeleton = Config.fromfile(path), Config.fromfile(path.with_name('clip_loaders.py'))
    for part in ('train', 'val', 'test'):
        assert cfg[f'{part}_dataloader'].sampler == skeleton[f'{part}_dataloader'].sampler
        assert cfg[f'{part}_dataloader'].dataset.get('test_mode', False) == (part != 'train')
    assert cfg.test_dataloader == cfg.val_dataloader


@pytest.mark.parametrize('path', ALL_FILES, ids=lambda p: f'{p.parent.name}/{p.stem}')
def test_config_begins_with_what_it_is_and_gives_differences_only(path):
    lines = path.read_text().splitlines()
    header = list(takewhile(lambda line: line.startswith('#'), lines))
    assert header and header[0].startswith('# ') and header[0][2].isalnum()
    assert any(line.startswith('_base_ = ') for line in lines)
    assert not any(line.startswith('default_scope') for line in lines)  # of _base_/default_runtime.py


def test_predict_forecasts_label_maps_as_the_configs_do():
    """Configs can't import the table."""
    motion = Config.fromfile(str(CONFIGS / '_base_/models/motion.py')).motion.to_dict()
    assert motion == MOTION['segmentor']['predictor']
