"""The forecaster that a user names, and checks that it can forecast any video."""

from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.utils.load_network import weights_to_train
from mmforecast.registry import DATASETS
from mmforecast.utils.config_options import merge_options
from mmforecast.utils.source_configs import first_source
from mmforecast.visualization import instance_classes

from ..compare import baselines_of
from ..evaluate import SCOPE, load_config
from ..shipped import SYSTEMS, shipped_file
from .clips import ClipPlan
from .network import compose, frame_scale, kind_of_network, open_config

__all__ = [
    'Choice',
    'check_device',
    'choose',
    'dataset_meta',
    'require_rgb',
    'require_trained',
    'run_info',
]


@dataclass
class Choice:
    """The forecaster to run.

    Attributes:
        cfg: The whole config.
        weights: Path of the checkpoint, or None.
        baseline: Name of the baseline that replaces the predictor, or None.
        title: Its name in pictures.
        note: What to expect of shipped weights, or how a network is used; or None.
        network: 'detector' or 'segmentor' if the forecaster was composed over one, or None.
        frame_scale: (width, height) that its frames are resized to fit, as in the network's own test pipeline.
    """

    cfg: Config
    weights: str | None
    baseline: str | None
    title: str
    note: str | None = None
    network: str | None = None
    frame_scale: tuple[int, int] | None = None

    @property
    def changes(self) -> dict | None:
        """The keys of the config's model that the baseline replaces."""
        if self.baseline is None:
            return None
        changes = baselines_of(self.cfg)[self.baseline]
        # A composed forecaster may have a decoder that moves what it reads; those of baselines read alone.
        return changes if self.network is None else {'decoder': None, **changes}


def choose(
    model: str | Config,
    weights: str | None = None,
    baseline: str | None = None,
    options: dict | None = None,
) -> Choice:
    """Read the config that ``model`` names.

    Args:
        model: Path of a config, a Config, a shipped system ('video', 'f2f', 's2s' or 'd2d'), or the name of a
            model of mmdet's or mmseg's zoo. The config may be that of a forecaster, detector or segmentor.
        weights: Path of a checkpoint; None or 'none': those shipped with a system or published in a zoo, or
            none.
        baseline: As for :class:`Choice`.
        options: Dotted keys that are merged into the config of the forecaster.

    Raises:
        ValueError: There is no such model, the config is of none of these, there is no such baseline, or it is
            given weights.
        DownloadError: Weights of a zoo cannot be downloaded.
    """
    weights = None if weights is None or weights.lower() == 'none' else weights
    shipped = SYSTEMS.get(model) if isinstance(model, str) else None
    if shipped is not None:
        cfg = load_config(shipped_file(shipped.config), options)
        if weights is None and baseline is None:
            baseline = shipped.baseline
            weights = shipped.weights and shipped_file(shipped.weights)
            return Choice(cfg, weights, baseline, shipped.title, shipped.note)
    else:
        cfg, weights = open_config(model, weights) if isinstance(model, str) else (model.copy(), weights)
        kind = kind_of_network(cfg)
        if kind is not None:
            return _over_network(cfg, kind, weights, baseline, options)
        merge_options(cfg, options)
    _check(cfg, weights, baseline)
    return Choice(cfg, weights, baseline, baseline or _name(cfg), shipped and _note(shipped, baseline))


def _over_network(
    cfg: Config, kind: str, weights: str | None, baseline: str | None, options: dict | None
) -> Choice:
    """The forecaster over a detector or segmentor; arguments as for :func:`choose`."""
    composed = compose(cfg, kind, weights)
    merge_options(composed, options)
    _check(composed, None, baseline)
    what = 'objects of the detector' if kind == 'detector' else 'label maps of the segmentor'
    how = f'the {baseline} baseline' if baseline else 'the motion of the camera and of what it sees'
    learned = baseline is None and composed.model.predictor.get('checkpoint') is not None
    training = 'as learned on a synthetic street' if learned else 'which was not trained'
    note = f'{what} are moved on by {how}, {training}'
    return Choice(composed, None, baseline, baseline or _name(cfg), note, kind, frame_scale(cfg))


def _name(cfg: Config) -> str:
    return (cfg.filename or 'forecast').rpartition('/')[2].removesuffix('.py')


def _note(shipped, baseline: str | None) -> str | None:
    return None if baseline is None else f'the {baseline} baseline of {shipped.config}'


def _check(cfg: Config, weights: str | None, baseline: str | None) -> None:
    if not (cfg.get('model') and cfg.get('test_dataloader')):
        raise ValueError(
            f'{cfg.filename} has no model or no test_dataloader, whose pipeline and stride are used to '
            'forecast a video: give the config of a forecaster, such as those in configs/f2f, of a detector '
            'of mmdet, or of a segmentor of mmseg'
        )
    baselines = baselines_of(cfg)
    if baseline is not None and baseline not in baselines:
        raise ValueError(f'{cfg.model.type} has no baseline {baseline!r}; choose from {", ".join(baselines)}')
    if baseline is not None and weights is not None:
        raise ValueError(
            f'the baseline {baseline} has nothing to train, so it takes no weights: leave {weights} out, '
            'or leave the baseline out'
        )


def require_rgb(model: BaseForecaster, filename: str | None) -> None:
    """Raise a ValueError if the encoder does not work on RGB frames."""
    if model.encoder.from_rgb:
        return
    works = ', '.join(system.config for system in SYSTEMS.values())
    raise ValueError(
        f'the {type(model.encoder).__name__} of {filename or "this config"} takes what it forecasts from '
        'a data set (labels, or stored scores), which a video of your own does not have: use a config '
        'whose encoder works on RGB frames (SegmentorEncoder, DetectorEncoder, DetectorMapEncoder, '
        f'DistanceMapEncoder with a detector, RGBEncoder), such as {works}'
    )


def require_trained(model: nn.Module, baselines: list[str]) -> None:
    """Refuse to forecast with random weights; parts with a ``checkpoint`` have loaded theirs."""
    learns = weights_to_train(model)
    if learns:
        raise ValueError(
            f'the model has {len(learns)} weights to train ({learns[0]}, ...) and none were given: name '
            f'a checkpoint, or a baseline without any ({", ".join(baselines)})'
        )


def check_device(device: str | None) -> None:
    """Raise a ValueError if there is no such device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split('\n')[0].split('. ')[0]
        raise ValueError(f'device={device!r} cannot be used ({reason}): give cpu') from error


def dataset_meta(cfg: Config) -> dict:
    """Classes and colors of the test dataset of a config, whose files need not be there."""
    source = first_source(cfg.test_dataloader.dataset.to_dict())
    settings = dict(source, lazy_init=True, pipeline=[])
    with DefaultScope.overwrite_default_scope(SCOPE):
        try:
            return dict(DATASETS.build(settings).metainfo)
        except OSError:  # a list of files that is missing
            return dict(getattr(DATASETS.get(settings['type']), 'METAINFO', {}))


def run_info(choice: Choice, plan: ClipPlan, source, meta: dict) -> dict:
    """The part of a JSON file of forecasts that says how they were made."""
    return dict(
        video=dict(path=source.path, num_frames=source.num_frames, fps=source.fps),
        config=choice.cfg.filename,
        weights=choice.weights if choice.network is None else choice.cfg.model.encoder.checkpoint,
        baseline=choice.baseline,
        note=choice.note,
        num_past=plan.num_past,
        horizon=plan.horizon,
        stride=plan.stride,
        classes=meta.get('classes'),
        instance_classes=instance_classes(meta),
    )
