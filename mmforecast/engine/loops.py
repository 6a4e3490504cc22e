"""Training loops: mmengine's two, made to resume exactly.

They take mmengine's names and arguments. Registered here, they are what
``train_cfg=dict(type='EpochBasedTrainLoop', ...)`` means under ``default_scope='mmforecast'``;
'mmengine.EpochBasedTrainLoop' is the other one.

Everything random in a training step is a function of (seed, process, iteration), and everything
random in its data one of (seed, epoch, position), see :mod:`.data_order`. So a checkpoint needs no
generator states, of no process and no worker: the numbers of the epoch and the iteration suffice.
"""

from contextlib import nullcontext
from typing import Any

import mmengine.runner
from mmengine.dist import get_dist_info, get_rank
from torch import nn
from torch.utils.data import DataLoader

from mmforecast.registry import LOOPS

from .data_order import MODEL_STREAM, ResumableDataLoader, seed_generators
from .interrupt import StopRequest

__all__ = ['EpochBasedTrainLoop', 'IterBasedTrainLoop']

# Where the message hub, and so the checkpoint, keeps what determines the data.
_ORDER = 'data_order'
_EPOCH_START = 'epoch_start'


class _ResumableLoop:
    """What both loops share; comes before mmengine's class in the bases."""

    _endless: bool

    def __init__(self, runner: 'mmengine.runner.Runner', dataloader: DataLoader | dict, *args, **kwargs):
        if isinstance(dataloader, dict):
            diff_rank_seed = runner._randomness_cfg.get('diff_rank_seed', False)
            dataloader = runner.build_dataloader(dataloader, seed=runner.seed, diff_rank_seed=diff_rank_seed)
        self._stop = StopRequest()
        super().__init__(runner, ResumableDataLoader(dataloader, runner.seed, self._endless), *args, **kwargs)

    @property
    def stop_requested(self) -> bool:
        """Whether the user asked, by Ctrl-C or SIGTERM, to stop after this iteration."""
        return self._stop.pending

    def run(self) -> nn.Module:
        """Train from where the runner is to the end."""
        self._same_epochs = self._restore_data_order()
        self._warn_if_finished()
        # Several processes would must agree on the iteration to stop after.
        with self._stop if get_dist_info()[1] == 1 else nullcontext():
            try:
                return self._run()
            except RuntimeError as error:
                death = self.dataloader.worker_death(error)
                if death is None:
                    raise
                raise death from error
            finally:
                self.dataloader.stop_workers()

    def run_iter(self, *args) -> None:
        # Not the generators' state but a new seed per iteration: what validation or a hook draws
        # changes nothing.
        seed_generators(MODEL_STREAM, self.runner.seed, get_rank(), self._iter)
        super().run_iter(*args)

    def _warn_if_finished(self) -> None:
        """Say so where a resumed run has nothing left to do."""
        done, most = (self._iter, self._max_iters) if self._endless else (self._epoch, self._max_epochs)
        if done and done >= most:
            unit = 'iter' if self._endless else 'epoch'
            self.runner.logger.warning(
                f'Nothing is left to train: the checkpoint is of {unit} {done} and max_{unit}s={most}; raise '
                f'train_cfg.max_{unit}s to continue.'
            )

    def _restore_data_order(self) -> bool:
        """Take the data order of the checkpoint, or record ours for it.

        Returns:
            Whether an epoch has as many iterations as in the run that is resumed.
        """
        here = dict(
            seed=self.dataloader.seed,
            epoch_length=len(self.dataloader),
            batch_size=self.dataloader.batch_sampler.batch_size,
            world_size=get_dist_info()[1],
        )
        hub = self.runner.message_hub
        there = {**here, **hub.runtime_info.get(_ORDER, {})} if self._iter else here
        self.dataloader.reseed(there['seed'])
        hub.update_info(_ORDER, dict(here, seed=there['seed']))
        changed = [name for name in ('epoch_length', 'batch_size', 'world_size') if there[name] != here[name]]
        if changed:
            self.runner.logger.warning(
                'The data comes in another order than in the run that is resumed: '
                + ', '.join(f'{name} was {there[name]} and is {here[name]}' for name in changed)
            )
        return 'epoch_length' not in changed


@LOOPS.register_module()
class EpochBasedTrainLoop(_ResumableLoop, mmengine.runner.EpochBasedTrainLoop):
    """mmengine's loop of epochs, resuming exactly, in the middle of an epoch too."""

    _endless = False

    def _run(self) -> nn.Module:
        return mmengine.runner.EpochBasedTrainLoop.run(self)

    def run_epoch(self) -> None:
        """Iterate one epoch, or the rest of the one that was interrupted."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        first = self._trained_batches()
        self.dataloader.batch_sampler.seek(self._epoch, first)
        for idx, data_batch in enumerate(self.dataloader, first):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _trained_batches(self) -> int:
        """How many batches of this epoch were trained before an interruption."""
        hub = self.runner.message_hub
        started = hub.runtime_info.get(_EPOCH_START, {})
        if self._iter and self._same_epochs and started.get('epoch') == self._epoch:
            return self._iter - started['iter']
        hub.update_info(_EPOCH_START, dict(epoch=self._epoch, iter=self._iter))
        return 0


@LOOPS.register_module()
class IterBasedTrainLoop(_ResumableLoop, mmengine.runner.IterBasedTrainLoop):
    """mmengine's loop of iterations, resuming exactly, without loading the data it skips.

    A sampler that ends begins its next epoch at once, with the same workers.
    """

    _endless = True

    def _run(self) -> Any:
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.dataloader.batch_sampler.seek(0, self._iter)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._decide_current_val_interval()
            if (
                self.runner.val_loop is not None
                and self._iter >= self.val_begin
                and (self._iter % self.val_interval == 0 or self._iter == self._max_iters)
            ):
                self.runner.val_loop.run()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model
