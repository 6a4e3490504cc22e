"""The training losses on the validation clips, beside the validation's scores."""

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner, autocast

from mmforecast.models.utils import loss_mode
from mmforecast.registry import HOOKS
from mmforecast.utils.seeded import seeded
from mmforecast.utils.unwrap import unwrap

__all__ = ['ValLossHook']


@HOOKS.register_module()
class ValLossHook(Hook):
    """Reports the losses that a model is trained on, of the validation clips.

    They are logged with the validation's scores, ``val_loss`` (the sum) and ``val_<name>`` for each term, so
    that ``save_best='val_loss'`` keeps the checkpoint with the least. Each is the mean over the clips, of
    the model without dropout and with the running statistics of batch norms, with the weights that are
    validated: an ``EMAHook``'s, where there is one. What a loss draws at random, such as crops, is the same
    in every validation.

    It costs one more pass over the validation clips, which need as many future frames as those of training.
    Without a change of the config: ``--cfg-options default_hooks.val_loss.type=ValLossHook``.
    """

    # Before the RuntimeInfoHook, which hands the validation's scores to the log.
    priority = 'HIGHEST'

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._clips = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Forget the last validation."""
        self._sums = {}
        self._clips = 0

    @torch.no_grad()
    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Add the losses of a batch.

        Raises:
            ValueError: The model has no losses, or can't compute them on these clips.
        """
        model = unwrap(runner.model)
        with seeded(batch_idx), autocast(enabled=getattr(runner.val_loop, 'fp16', False)):
            losses = _losses(model, data_batch)
        number = len(data_batch['inputs'])
        self._clips += number
        for name, value in losses.items():
            value = value.detach().double().cpu() * number
            self._sums[name] = self._sums.get(name, 0) + value

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Put the means over the clips of all processes into ``metrics``."""
        totals = torch.stack([*self._sums.values(), torch.tensor(float(self._clips)).double()])
        all_reduce(totals)
        *sums, clips = totals.tolist()
        metrics.update({f'val_{name}': value / clips for name, value in zip(self._sums, sums)})


def _losses(model: BaseModel, data_batch: dict) -> dict[str, torch.Tensor]:
    """Terms by name, and their sum as 'loss'."""
    try:
        with loss_mode(model):
            losses = model(**model.data_preprocessor(data_batch, False), mode='loss')
    except ValueError as error:
        raise ValueError(
            f'ValLossHook computes the training losses of the validation clips, but: {error}'
        ) from error
    return dict(model.parse_losses(losses)[1])
