"""The runner of this library's tools: mmengine's, with one sentence for what can't be trained."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.runner import Runner
from torch import nn

from mmforecast.utils.unwrap import unwrap

__all__ = ['ForecastRunner']


class ForecastRunner(Runner):
    """mmengine's runner, which checks first that there is something to train."""

    def train(self) -> nn.Module:
        """Train as the config says.

        Raises:
            ValueError: The config lacks what a training needs, the model has no trainable weights, or mixed
                precision is asked for without an accelerator.
        """
        self._require_training()
        require_trainable(unwrap(self.model))
        if isinstance(self.optim_wrapper, Mapping):
            require_accelerator(self.optim_wrapper)
        return super().train()

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap the model for several processes; DistributedDataParallel needs trainable weights."""
        kind = str((model_wrapper_cfg or {}).get('type', ''))
        if self.distributed and kind.rpartition('.')[2] != 'Unwrapped':
            require_trainable(model)
        return super().wrap_model(model_wrapper_cfg, model)

    def _require_training(self) -> None:
        if self._train_loop is None:
            raise ValueError(
                'The config has no training (train_dataloader, train_cfg and optim_wrapper); score its model '
                'with tools/test.py, or add them'
            )


def require_trainable(model: nn.Module) -> None:
    """Refuse to train a model without trainable weights.

    Raises:
        ValueError: It has no weights at all, or all are frozen.
    """
    parameters = list(model.parameters())
    if any(parameter.requires_grad for parameter in parameters):
        return
    part = getattr(model, 'predictor', model)
    name = type(part).__name__
    if any(True for _ in part.parameters()):
        raise ValueError(
            f'The model has nothing to train: all {len(parameters)} weights of {type(model).__name__} are '
            'frozen; unfreeze a part (frozen_stages, freeze), or score it with tools/test.py'
        )
    raise ValueError(
        f'The model has nothing to train: {name} has no weights of its own; score it with tools/test.py'
    )


def require_accelerator(optim_wrapper: Mapping[str, Any]) -> None:
    """Refuse mixed precision where mmengine doesn't have it.

    Args:
        optim_wrapper: Config of one optimizer wrapper, or of one for each network.

    Raises:
        ValueError: A wrapper is an ``AmpOptimWrapper``, and there is only a CPU.
    """
    for place, kind in _wrapper_types(optim_wrapper, 'optim_wrapper'):
        if (
            kind.rpartition('.')[2] == 'AmpOptimWrapper'
            and get_device() == 'cpu'
            and not torch.cuda.is_available()
        ):
            raise ValueError(
                f'{place} is an AmpOptimWrapper: mixed precision needs a GPU, and torch sees none; set its '
                'type to OptimWrapper (without loss_scale and dtype), or see CUDA_VISIBLE_DEVICES'
            )


def _wrapper_types(config: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    kind = config.get('type', '')
    yield place, kind if isinstance(kind, str) else kind.__name__
    for name, value in config.items():
        if isinstance(value, Mapping) and 'optimizer' in value:
            yield from _wrapper_types(value, f'{place}.{name}')
