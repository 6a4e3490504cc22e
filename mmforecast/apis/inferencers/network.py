"""Forecasters over any detector of mmdet or segmentor of mmseg, composed from the network's own config."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.fileio import find_model
from mmforecast.fileio.zoo import PREFIX
from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.registry import DATASETS, MODELS
from mmforecast.utils.removed_configs import require_config
from mmforecast.utils.source_configs import first_source

from ..evaluate import SCOPE, load_config

__all__ = ['compose', 'frame_scale', 'kind_of_network', 'name_classes', 'open_config']

# What forecasts, by the kind of network: the one place to change it. Nothing in it was trained on the network
# or the video.
MOTION: dict[str, dict] = dict(
    detector=dict(
        predictor=dict(type='CopyLast'), decoder=dict(type='FlowInstanceDecoder', mode='ego-motion')
    ),
    segmentor=dict(
        predictor=dict(type='MotionForecaster', checkpoint='zoo://motion-forecaster_varied_street')
    ),
)
NUM_PAST = 3
NUM_FUTURE = 3
STRIDE = 3
_LIBRARIES = ('mmdet', 'mmseg')
_RESIZES = ('Resize', 'FixScaleResize')


def open_config(model: str, weights: str | None) -> tuple[Config, str | None]:
    """The config of a name, and its weights.

    Args:
        model: Path of a config, or the name of a model in a zoo, see :func:`~mmforecast.fileio.find_model`.
        weights: Path of a checkpoint. None takes those that a zoo publishes of its model, 'zoo://<name>',
            which are downloaded when they are read.

    Raises:
        ValueError: There is neither such a file nor such a model.
        FileNotFoundError: A former release had this config.
    """
    require_config(model)
    if Path(model).is_file():
        return load_config(model), weights
    try:
        found = find_model(model)
    except ValueError as error:
        raise ValueError(f'there is no config file {model}, and {error}') from error
    return load_config(str(found.config)), weights or f'{PREFIX}{found.name}'


def kind_of_network(cfg: Config) -> str | None:
    """'detector' or 'segmentor', if the model of a config is one of mmdet or mmseg; else None."""
    model = cfg.get('model') or {}
    built = _class_of(model.get('type'), (model.get('_scope_'), cfg.get('default_scope')))
    if built is None or issubclass(built, BaseForecaster):
        return None
    from mmdet.models.detectors import BaseDetector
    from mmseg.models.segmentors import BaseSegmentor

    kinds = dict(detector=BaseDetector, segmentor=BaseSegmentor)
    return next((kind for kind, base in kinds.items() if issubclass(built, base)), None)


def compose(cfg: Config, kind: str, checkpoint: str | None) -> Config:
    """The config of a forecaster over a detector or segmentor.

    Frames are resized as the test pipeline of the network says; detectors keep their own classes.

    Args:
        cfg: A config of mmdet or mmseg, of which ``model`` suffices.
        kind: 'detector' or 'segmentor'.
        checkpoint: Path of the network's weights, or 'zoo://<name>'.

    Raises:
        ValueError: There is no checkpoint, or the network needs more than frames.
    """
    model = cfg.model.to_dict()
    if checkpoint is None:
        raise ValueError(
            f'{cfg.filename or "the config"} is that of a {kind} ({model["type"]}): give the path of its '
            'weights, too'
        )
    if 'language_model' in model:
        raise ValueError(f'{model["type"]} needs a text besides each frame, which no forecaster here gives it')
    if 'data_preprocessor' in cfg:
        model.setdefault('data_preprocessor', cfg.data_preprocessor.to_dict())
    scale = frame_scale(cfg)
    resize = [] if scale is None else [dict(type='ClipResize', scale=scale, keep_ratio=_keeps_ratio(cfg))]
    composed = dict(
        default_scope=SCOPE,
        model=dict(
            **(_over_detector if kind == 'detector' else _over_segmentor)(model, checkpoint),
            **MOTION[kind],
            num_past=NUM_PAST,
        ),
        test_dataloader=dict(
            dataset=dict(
                type='VideoFolderDataset',
                data_root='',
                num_past=NUM_PAST,
                num_future=NUM_FUTURE,
                stride=STRIDE,
                metainfo=_class_meta(cfg),
                pipeline=[*resize, dict(type='PackForecastInputs')],
            )
        ),
    )
    return Config(composed, filename=cfg.filename)


def _over_detector(model: dict, checkpoint: str) -> dict:
    return dict(
        type='F2FForecaster',
        encoder=dict(type='DetectorEncoder', detector=model, classes='own', checkpoint=checkpoint),
        test_cfg=dict(rollout_steps=NUM_FUTURE, reference=True),
    )


def _over_segmentor(model: dict, checkpoint: str) -> dict:
    # What only its training uses, and initial weights that the checkpoint replaces.
    model = {**model, **dict.fromkeys(model.keys() & {'auxiliary_head', 'pretrained'})}
    return dict(
        type='S2SForecaster',
        encoder=dict(type='SegmentorEncoder', segmentor=model, checkpoint=checkpoint),
        test_cfg=dict(rollout_steps=NUM_FUTURE),
    )


def frame_scale(cfg: Config) -> tuple[int, int] | None:
    """(width, height) that the test pipeline of a detector or segmentor resizes frames to or into."""
    scale = _resize_step(cfg).get('scale')
    if scale is None or isinstance(scale[0], (list, tuple)):
        return None
    return int(scale[0]), int(scale[1])


def name_classes(model: BaseForecaster, meta: Mapping) -> dict:
    """The metainfo of a dataset with the classes of the network that a composed forecaster is over.

    They are those that its checkpoint names, or else those of ``meta``, which its config names; where their
    number is another than the network's, they are left out.

    Args:
        model: The forecaster. The classes of a ``DetectorEncoder`` are set, too.
        meta: With the keys 'classes' and 'palette', or without.
    """
    encoder = model.encoder
    # mmdet 3.0rc wrote CLASSES and PALETTE
    own = {key.lower(): value for key, value in (getattr(encoder.network, 'dataset_meta', None) or {}).items()}
    known = {**meta, **{key: own[key] for key in ('classes', 'palette') if own.get(key)}}
    if isinstance(encoder, DetectorEncoder):
        if len(known.get('classes') or ()) == len(encoder.instance_classes):
            encoder.instance_classes = tuple(known['classes'])
        return dict(known, instance_classes=encoder.instance_classes)
    for key in ('classes', 'palette'):
        if len(known.get(key) or ()) != encoder.channels:
            known.pop(key, None)
    return known


def _class_of(name: Any, scopes: tuple) -> type | None:
    """The class that ``type`` of a config means, in the first of the scopes that has it."""
    if inspect.isclass(name):
        return name
    if not isinstance(name, str):
        return None
    scopes = dict.fromkeys((*filter(None, scopes), SCOPE, *_LIBRARIES))
    with DefaultScope.overwrite_default_scope(SCOPE):
        found = map(MODELS.get, [name] if '.' in name else [f'{scope}.{name}' for scope in scopes])
        return next(filter(inspect.isclass, found), None)


def _resize_step(cfg: Config) -> Mapping:
    """The first transform of a test pipeline that resizes; {} without one."""
    pipeline = cfg.get('test_pipeline')
    if pipeline is None and cfg.get('test_dataloader'):
        pipeline = first_source(cfg.test_dataloader.dataset).get('pipeline')
    for step in pipeline or ():
        name = getattr(step.get('type'), '__name__', str(step.get('type')))
        if name.rpartition('.')[2] in _RESIZES:
            return step
    return {}


def _keeps_ratio(cfg: Config) -> bool:
    return bool(_resize_step(cfg).get('keep_ratio', False))


def _class_meta(cfg: Config) -> dict:
    """Classes and palette of the test dataset of a config, as far as it says them."""
    if not cfg.get('test_dataloader'):
        return {}
    source = first_source(cfg.test_dataloader.dataset)
    kind = source.get('type')
    scopes = (cfg.get('default_scope'), *_LIBRARIES)
    names = [kind, *(f'{scope}.{kind}' for scope in scopes)] if isinstance(kind, str) else []
    found = [kind] if inspect.isclass(kind) else [DATASETS.get(name) for name in names]
    meta = next((dict(entry.METAINFO) for entry in found if getattr(entry, 'METAINFO', None)), {})
    meta = {**meta, **(source.get('metainfo') or {})}
    return {key.lower(): value for key, value in meta.items() if key.lower() in ('classes', 'palette')}
