"""Checkpoints that are whole, safe to read, and of the right model."""

import copy
import difflib
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import CheckpointHook

from mmforecast.fileio.atomic import AtomicLocalBackend, remove_leftovers, write_atomically
from mmforecast.fileio.checkpoint import CheckpointError
from mmforecast.fileio.checkpoint_match import require_match
from mmforecast.fileio.plain_state import from_plain, to_plain
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_range
from mmforecast.utils.unwrap import unwrap

from ..accumulation import pending_gradients, resume_accumulation
from ..data_order import ResumableDataLoader
from ..interrupt import TrainingInterrupted
from ..log_filter import concerns_user
from ..resume import optimizer_names, prepare_resume, wrappers_by_name
from .best_checkpoint import BestCheckpoint

__all__ = ['ForecastCheckpointHook']


@HOOKS.register_module()
class ForecastCheckpointHook(BestCheckpoint, CheckpointHook):
    """:class:`mmengine.hooks.CheckpointHook` that loses nothing.

    - A file is written under another name and renamed when it is whole, so a checkpoint is whole or
      not there. What a killed run left of one is removed at the next start.
    - Old checkpoints are removed only after the new one is on the disk. A checkpoint that can't be
      written, on a full disk say, is logged as an error and the run continues; at the end of training
      it is raised.
    - Checkpoints hold only tensors and plain containers, so torch's ``weights_only`` reader takes
      them.
    - A checkpoint of another model is refused on loading. One to start from may lack the parts that the model
      names in ``only_trained``, such as a discriminator.
    - A resumed run takes the optimizer settings and schedules of the config, and warns of what changed. Files
      without the state of a training, such as those of ``save_best``, are refused.
    - Gradients that wait for their optimizer step (``accumulative_counts``) are saved, by one process.
    - Ctrl-C saves ``interrupted.pth`` before the run stops. A training that a hook ends early, such as
      mmengine's ``EarlyStoppingHook``, saves its last iteration, unless ``save_last=False``.

    Args:
        min_matched: Least share, in [0, 1], of the model's trainable weights that a checkpoint has
            to hold to be loaded; 0 loads anything.

    The others are those of mmengine's hook. ``save_best`` knows of every score of this library which way is
    better (:func:`~mmforecast.evaluation.score_style.known_style`), and of the others what mmengine knows;
    ``rule``, ``greater_keys`` and ``less_keys`` come before both.
    """

    def __init__(self, *args: Any, min_matched: float = 0.5, **kwargs: Any):
        check_range('ForecastCheckpointHook', 0, 1, min_matched=min_matched)
        super().__init__(*args, **kwargs)
        if self.args:  # mmengine's hook would hand them to save_checkpoint, at the first checkpoint
            raise ValueError(_unknown_argument(next(iter(self.args))))
        self.min_matched = min_matched
        self._unsaved: CheckpointError | None = None
        self._pending: dict[str, Any] = {}
        self._resumed = False
        self._trained_to: int | None = None
        self._saved_at: int | None = None

    def before_train(self, runner: Any) -> None:
        """Decide where and how checkpoints are written, and clean up after a killed run."""
        if self.backend_args is None and self.file_client_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend='atomic_local')
        runner.logger.addFilter(concerns_user)
        super().before_train(runner)
        if self._resumed:
            resume_accumulation(runner, wrappers_by_name(runner.optim_wrapper), self._pending)
            self._pending = {}
        else:
            _warn_of_earlier_run(runner)
        if isinstance(self.file_backend, AtomicLocalBackend) and is_main_process():
            for name in {*remove_leftovers(self.out_dir), *remove_leftovers(runner.work_dir)}:
                runner.logger.info(f'Removed {name}, which a killed run left half-written.')
        if not isinstance(runner.train_dataloader, ResumableDataLoader):
            runner.logger.warning(
                "Resuming this run won't be exact; for that, train_cfg needs "
                "type='EpochBasedTrainLoop' or 'IterBasedTrainLoop' of mmforecast."
            )

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Make the checkpoint plain; weights are so already."""
        if 'optimizer' in checkpoint:
            checkpoint['meta']['optimizers'] = optimizer_names(runner.optim_wrapper)
            wrappers = wrappers_by_name(runner.optim_wrapper)
            pending = pending_gradients(unwrap(runner.model), wrappers) if get_world_size() == 1 else {}
            if pending:
                checkpoint['accumulated_gradients'] = pending
        left_out: list[str] = []
        for key in checkpoint:
            if not key.endswith('state_dict'):
                checkpoint[key] = to_plain(checkpoint[key], left_out, key)
        if left_out:
            runner.logger.warning(
                f'Left out of the checkpoint, since reading them back could run code: {", ".join(left_out)}'
            )

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Refuse the checkpoint of another model, and restore what was made plain."""
        model = unwrap(runner.model)
        resumes = runner._resume and not runner._has_loaded
        # what a training starts from may have been trained without a discriminator
        may_lack = () if resumes else getattr(model, 'only_trained', ())
        match = require_match(model, checkpoint, self.min_matched, may_lack)
        if match.share < 1:
            runner.logger.warning(f'The checkpoint fits in part, the rest keeps its initial weights: {match}')
        if 'state_dict' in checkpoint:
            for key in checkpoint:
                if not key.endswith('state_dict'):
                    checkpoint[key] = from_plain(checkpoint[key])
        if resumes:
            self._resumed = True
            prepare_resume(runner, checkpoint, self.save_optimizer)
            self._pending = checkpoint.pop('accumulated_gradients', {})

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save a checkpoint when it is due, and when the user wants to stop."""
        self._trained_to = runner.iter + 1
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if getattr(runner.train_loop, 'stop_requested', False):
            self._save_and_stop(runner)

    def after_train(self, runner: Any) -> None:
        """Publish, and fail where the last checkpoint couldn't be written."""
        if self.save_last and self._unsaved is None and self._trained_to not in (None, self._saved_at):
            runner.logger.info(f'Saving a checkpoint, since training ended early, at iteration {runner.iter}.')
            step = runner.epoch if self.by_epoch else runner.iter
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))
        super().after_train(runner)
        self._raise_unsaved()

    def _save_and_stop(self, runner: Any) -> None:
        name = 'interrupted.pth'
        path = self.file_backend.join_path(self.out_dir, name)
        with self._undone_on_failure(runner, path):
            self._write(runner, name, meta=dict(epoch=runner.epoch, iter=runner.iter + 1))
        self._raise_unsaved()
        raise TrainingInterrupted(
            f'Training stopped after iteration {runner.iter + 1} and saved {path}; continue with --resume.'
        )

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict) -> None:
        name = self.filename_tmpl.format(step)
        with self._undone_on_failure(runner, self.file_backend.join_path(self.out_dir, name)):
            outdated = self._keep(runner, step)
            self._write(runner, name, meta)
            for old in outdated:
                self._remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old)))

    def _write(self, runner: Any, name: str, meta: dict) -> None:
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomically(os.path.join(runner.work_dir, 'last_checkpoint'), self.last_ckpt.encode())
        self._unsaved = None
        self._saved_at = meta['iter']

    def _keep(self, runner: Any, step: int) -> list[int]:
        """Record that ``step`` is to be kept, and return the steps to remove for it."""
        if self.max_keep_ckpts <= 0:
            return []
        steps = [kept for kept in self.keep_ckpt_ids if kept != step] + [step]
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(steps)  # drops the oldest
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return steps[: -len(self.keep_ckpt_ids)]

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)

    @contextmanager
    def _undone_on_failure(self, runner: Any, path: str) -> Iterator[None]:
        """If the disk fails, log it and continue as if the checkpoint had not been due."""
        attributes = {
            name: copy.copy(value)
            for name, value in vars(self).items()
            if name in ('last_ckpt', 'keep_ckpt_ids', 'best_ckpt_path', 'best_ckpt_path_dict')
        }
        noted = dict(runner.message_hub.runtime_info)
        try:
            yield
        except OSError as error:
            vars(self).update(attributes)
            runner.message_hub.runtime_info.clear()
            runner.message_hub.runtime_info.update(noted)
            last = (
                f'the last whole checkpoint is {self.last_ckpt}'
                if self.last_ckpt
                else 'there is none before it'
            )
            self._unsaved = CheckpointError(
                f'Could not write {path}: {error.strerror or error}; {last}. Make room on '
                'that disk; a run that ended continues with --resume.'
            )
            runner.logger.error(f'{self._unsaved} Training continues without it.')

    def _raise_unsaved(self) -> None:
        if self._unsaved is not None:
            raise self._unsaved


def _unknown_argument(name: str) -> str:
    known = [
        key for key in inspect.signature(CheckpointHook.__init__).parameters if key not in ('self', 'kwargs')
    ]
    close = difflib.get_close_matches(name, [*known, 'min_matched'], n=1)
    hint = f'; did you mean {close[0]}?' if close else '.'
    return f'ForecastCheckpointHook takes no argument {name!r}{hint}'


def _warn_of_earlier_run(runner: Any) -> None:
    note = os.path.join(runner.work_dir, 'last_checkpoint')
    if is_main_process() and os.path.exists(note):
        with open(note) as handle:
            last = handle.read().strip()
        runner.logger.warning(
            f'{runner.work_dir} holds checkpoints of an earlier run, the last of which is '
            f'{os.path.basename(last)}: this run overwrites those of the same name. --resume continues the '
            'earlier run; --work-dir names another folder.'
        )
