"""Launch of a run from its config: processes, mixed precision, resuming."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS, DefaultScope
from mmengine.runner import Runner, find_latest_checkpoint

from mmforecast.fileio.checkpoint import CheckpointError
from mmforecast.registry import MODELS
from mmforecast.utils.loader_settings import drop_worker_settings

from .runner import ForecastRunner

__all__ = ['build_runner', 'enable_amp', 'find_last_checkpoint', 'processes', 'set_resume']


def build_runner(cfg: Config) -> Runner:
    """Build the runner that the config names in ``runner_type``, by default a :class:`ForecastRunner`.

    A default hook that the config sets to None is left out, also one of this library. Data loaders with
    ``num_workers=0`` lose the settings that only workers have.

    Raises:
        ValueError: It asks for sharding, and there is no GPU.
    """
    strategy = cfg.get('strategy') or {}
    kind = strategy if isinstance(strategy, str) else str(strategy.get('type', ''))
    if kind.rpartition('.')[2] in _SHARDING and not torch.cuda.is_available():
        raise ValueError(
            f'strategy {kind!r} needs GPUs: torch shards no model without an accelerator, and it sees '
            'none here; leave out strategy and runner_type, and several processes train by DDP '
            '(docs/reliability.md)'
        )
    drop_foreign_preprocessor(cfg)
    for name, hook in list(cfg.get('default_hooks', {}).items()):
        if hook is None and name not in _HOOKS_OF_MMENGINE:  # which it would not take
            cfg.default_hooks.pop(name)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if isinstance(cfg.get(name), dict):
            drop_worker_settings(cfg[name])
    return RUNNERS.build(cfg) if 'runner_type' in cfg else ForecastRunner.from_cfg(cfg)


def drop_foreign_preprocessor(cfg: Config) -> None:
    """Drop a top-level ``data_preprocessor`` that belongs to a network inside the model; in place.

    mmseg's and mmdet's ``_base_`` models define one, and mmengine's runner would put it into the forecaster.
    It is kept where it is registered by this library.
    """
    stray = cfg.get('data_preprocessor')
    if stray is None or 'data_preprocessor' in cfg.get('model', {}):
        return
    kind = stray.get('type')
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not getattr(found, '__module__', '').startswith('mmforecast.'):
        cfg.pop('data_preprocessor')


_HOOKS_OF_MMENGINE = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)
_SHARDING = ('FSDPStrategy', 'DeepSpeedStrategy', 'ColossalAIStrategy')


@contextmanager
def processes(cfg: Config) -> Iterator[None]:
    """Join the processes of ``cfg.launcher``, and leave them at the end.

    On GPUs the runner joins them itself. On a machine without any it can't: it would select a CUDA
    device, and hand it to DDP. There this uses gloo, and changes ``cfg.model_wrapper_cfg``
    accordingly.
    """
    if cfg.launcher == 'pytorch' and not torch.cuda.is_available():
        torch.distributed.init_process_group('gloo')
        wrapper = dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )
        cfg.model_wrapper_cfg = {**wrapper, **cfg.get('model_wrapper_cfg', {}), 'device_ids': None}
    try:
        yield
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.barrier()  # gloo aborted some that left while others still talked
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def enable_amp(cfg: Config) -> None:
    """Make every optimizer of the config train in mixed precision; in place.

    Raises:
        ValueError: There is no GPU, or an optimizer wrapper is not a plain or a mixed-precision
            one.
    """
    if not torch.cuda.is_available():
        raise ValueError('--amp needs a GPU, and torch sees none; leave it out, or see CUDA_VISIBLE_DEVICES')
    for wrapper in _optim_wrappers(cfg.optim_wrapper):
        if wrapper.setdefault('type', 'OptimWrapper') not in ('OptimWrapper', 'AmpOptimWrapper'):
            raise ValueError(f"--amp works with optim_wrapper type 'OptimWrapper', not {wrapper.type!r}")
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')


def _optim_wrappers(optim_wrapper: ConfigDict) -> Iterator[ConfigDict]:
    # With a constructor for several sub-networks, each has its wrapper under its name.
    if 'optimizer' in optim_wrapper:
        yield optim_wrapper
    else:
        yield from (
            value for value in optim_wrapper.values() if isinstance(value, dict) and 'optimizer' in value
        )


def set_resume(cfg: Config, resume: str | None) -> None:
    """Make the run resume from a checkpoint; in place.

    Args:
        cfg: With its ``work_dir``.
        resume: Path of a checkpoint; 'auto' for the last one in ``work_dir``, if there is any yet;
            None for what the config says.
    """
    if resume == 'auto' or (resume is None and cfg.get('resume') and cfg.get('load_from') is None):
        resume = find_last_checkpoint(cfg.work_dir)
        cfg.resume = False
        if resume is None and is_main_process():
            print(
                f'There is no checkpoint in {cfg.work_dir} yet: training from the start.',
                flush=True,
            )
    if resume is not None:
        cfg.resume = True
        cfg.load_from = resume


def find_last_checkpoint(work_dir: str) -> str | None:
    """The checkpoint that ``work_dir/last_checkpoint`` names, None without that file.

    It is also found after ``work_dir`` was moved.

    Raises:
        CheckpointError: The checkpoint is gone.
    """
    if not os.path.exists(os.path.join(work_dir, 'last_checkpoint')):
        return None
    path = find_latest_checkpoint(work_dir)
    for candidate in (path, os.path.join(work_dir, os.path.basename(path))):
        if '://' in candidate or os.path.exists(candidate):
            return candidate
    raise CheckpointError(
        f'{work_dir}/last_checkpoint names {path}, which is gone; pass --resume <path> of another '
        'checkpoint, or remove that file to train from the start'
    )
