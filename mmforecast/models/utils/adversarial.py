"""The adversarial training step, once for every system: D steps with G frozen, then G steps with D frozen."""

from typing import Any

import torch
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from mmforecast.registry import MODEL_WRAPPERS


class AdversarialTrainMixin:
    """Trains a ``BaseModel`` against its child ``discriminator``; comes before BaseModel in the bases.

    ``forward`` answers two more modes, each with a dict of losses and of values to log:
    'loss_discriminator', which lets no gradient into the generator, and 'loss_generator'. One
    ``train_step`` runs ``discriminator_steps`` of the first and then ``generator_steps`` of the second, all
    on the same batch unless ``split_batch`` is set, each with fresh noise where the model draws any. A model
    whose ``discriminator`` is None is trained as any other.

    Attributes:
        generator_name: Child that is trained against ``discriminator``; both are the keys of the
            optimizer wrappers.
        discriminator_steps, generator_steps: Backward passes per training step, at least 1. Each is an
            optimizer step, unless the optimizer wrapper accumulates gradients (``accumulative_counts``).
        split_batch: Whether the discriminator is trained on the first half of a batch and the generator on the
            second, so that neither sees what the other was just trained on.
    """

    generator_name: str = 'generator'
    discriminator_steps: int = 1
    generator_steps: int = 1
    split_batch: bool = False
    discriminator: nn.Module | None

    def train_step(self, data: Any, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        if self.discriminator is None:
            return super().train_step(data, optim_wrapper)
        return adversarial_step(self, self, data, optim_wrapper)

    def begin_step(self, **data: Any) -> None:
        """Prepare what both networks' passes of a training step need of one batch.

        Called before the passes, in the context (such as mixed precision) of the generator's optimizer; not
        with ``split_batch``, where they have no batch in common.

        Args:
            data: The batch as ``forward`` gets it.
        """

    def end_step(self) -> None:
        """Drop what ``begin_step`` prepared; called after the passes, also where one of them fails."""

    def after_generator_step(self) -> None:
        """Called after each step of the generator's optimizer, e.g. to average the weights."""

    def backward_passes(self, name: str) -> int:
        """Return the number of backward passes of one network, by its name, in one training step."""
        return self.discriminator_steps if name == 'discriminator' else self.generator_steps


@MODEL_WRAPPERS.register_module()
class AdversarialDistributedDataParallel(MMDistributedDataParallel):
    """DistributedDataParallel for models with an :class:`AdversarialTrainMixin`.

    It always looks for unused parameters, since each step uses one network's alone. Buffers are each
    process's own, since the two modes of a step would overwrite each other's batch statistics;
    checkpoints hold those of the first process.
    """

    def __init__(self, module: BaseModel, **kwargs):
        kwargs.setdefault('broadcast_buffers', False)
        super().__init__(module=module, **{**kwargs, 'find_unused_parameters': True})

    def train_step(self, data: Any, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        if self.module.discriminator is None:
            return super().train_step(data, optim_wrapper)
        return adversarial_step(self, self.module, data, optim_wrapper)


def adversarial_step(
    caller: nn.Module, model: BaseModel, data: Any, optim_wrapper: OptimWrapperDict
) -> dict[str, Tensor]:
    """Train the discriminator of ``model``, then its generator, on one batch.

    Args:
        caller: ``model`` itself, or what wraps it: forward passes go through it.
        data: A batch as the data loader gives it.

    Returns:
        Everything to log of the last step of either network; 'loss' is their sum.
    """
    names = ('discriminator', model.generator_name)
    _check_optimizers(optim_wrapper, names)
    data = model.data_preprocessor(data, True)
    parts = _halves(data) if model.split_batch else (data, data)
    try:
        if not model.split_batch:
            with optim_wrapper[model.generator_name].optim_context(model):
                model.begin_step(**data)
        return _passes(caller, model, parts, optim_wrapper)
    finally:
        model.end_step()


def _passes(
    caller: nn.Module, model: BaseModel, parts: tuple[dict, dict], optim_wrapper: OptimWrapperDict
) -> dict[str, Tensor]:
    """The discriminator's passes on the first of two batches, and then the generator's on the second."""
    names = ('discriminator', model.generator_name)
    log_vars = {}
    for name, other, repeats, part in (
        (names[0], names[1], model.discriminator_steps, parts[0]),
        (names[1], names[0], model.generator_steps, parts[1]),
    ):
        mode = 'loss_discriminator' if name == 'discriminator' else 'loss_generator'
        with _Frozen(getattr(model, other)):
            for _ in range(repeats):
                logs = _optimize(caller, model, part, mode, optim_wrapper[name])
                # with gradient accumulation not every backward pass ends in a step
                if name != 'discriminator' and optim_wrapper[name].should_update():
                    model.after_generator_step()
        total = log_vars.get('loss', 0) + logs.pop('loss')
        log_vars.update(logs, loss=total)
    return log_vars


def _halves(data: dict) -> tuple[dict, dict]:
    """Both halves of a batch, a dict of tensors and lists with one entry per item."""
    sizes = {len(value) for value in data.values() if value is not None}
    if len(sizes) != 1 or max(sizes) % 2:
        raise ValueError(
            f'split_batch trains each network on half of a batch, so its size must be even, got '
            f'{sorted(sizes)}; set an even batch_size of train_dataloader'
        )
    half = max(sizes) // 2
    cuts = (slice(None, half), slice(half, None))
    first, second = (
        {name: None if value is None else value[cut] for name, value in data.items()} for cut in cuts
    )
    return first, second


def _optimize(
    caller: nn.Module, model: BaseModel, data: dict, mode: str, optimizer: OptimWrapper
) -> dict[str, Tensor]:
    with optimizer.optim_context(caller):
        losses = caller(**data, mode=mode)
    loss, logs = model.parse_losses(losses)
    optimizer.update_params(loss)
    return logs


class _Frozen:
    """No gradients for the parameters of ``module`` inside; those frozen before stay so after."""

    def __init__(self, module: nn.Module):
        self.parameters = [p for p in module.parameters() if p.requires_grad]

    def __enter__(self) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    def __exit__(self, *args) -> None:
        for parameter in self.parameters:
            parameter.requires_grad_(True)


def _check_optimizers(optim_wrapper: Any, names: tuple[str, str]) -> None:
    given = list(optim_wrapper.keys()) if isinstance(optim_wrapper, OptimWrapperDict) else None
    if given is None or set(given) != set(names):
        raise ValueError(
            f'adversarial training needs one optimizer each for {names[1]} and {names[0]}, got '
            f'{"a single one" if given is None else given}; set optim_wrapper=dict('
            f"constructor='MultiOptimWrapperConstructor', {names[1]}=dict(optimizer=...), "
            f'{names[0]}=dict(optimizer=...))'
        )


def real_fake_accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Share of logits on the right side of 0, real ones above and fake ones below, in [0, 1]."""
    right = torch.cat(((real > 0).flatten(), (fake < 0).flatten()))
    return right.float().mean().detach()


@torch.no_grad()
def real_fake_scalars(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """To log of logits: ``d_real`` and ``d_fake``, mean sigmoids, and ``d_accuracy``."""
    return dict(
        d_real=real.sigmoid().mean(),
        d_fake=fake.sigmoid().mean(),
        d_accuracy=real_fake_accuracy(real, fake),
    )
