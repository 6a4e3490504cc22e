"""Checkpoints that are whole, safe to read, and of the right model."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from mmforecast.evaluation.score_style import known_style
from mmforecast.fileio.atomic import AtomicLocalBackend, remove_leftovers, write_atomically
from mmforecast.fileio.checkpoint import CheckpointError
from mmforecast.fileio.checkpoint_match import require_match
from mmforecast.fileio.plain_state import from_plain, to_plain
from mmforecast.registry import HOOKS
from mmforecast.utils.unwrap import unwrap

from ..data_order import ResumableDataLoader
from ..interrupt import TrainingInterrupted

__all__ = ['ForecastCheckpointHook']


@HOOKS.register_module()
class ForecastCheckpointHook(CheckpointHook):
    """:class:`mmengine.hooks.CheckpointHook` that loses nothing.

    - A file is written under another name and renamed when it is whole, so a checkpoint is whole or
      not there. What a killed run left of one is removed at the next start.
    - Old checkpoints are removed only after the new one is on the disk. A checkpoint that can't be
      written, on a full disk say, is logged as an error and the run goes on; at the end of training
      it is raised.
    - Checkpoints hold only tensors and plain containers, so torch's ``weights_only`` reader takes
      them.
    - A checkpoint of another model is refused on loading.
    - Ctrl-C saves ``interrupted.pth`` before the run stops.

    Args:
        min_matched: Least share, in [0, 1], of the model's trainable weights that a checkpoint has
            to hold to be loaded; 0 loads anything.

    The others are those of mmengine's hook. ``save_best`` knows of every score of this library which way is
    better (:func:`~mmforecast.evaluation.score_style.known_style`), and of the others what mmengine knows;
    ``rule``, ``greater_keys`` and ``less_keys`` come before both.
    """

    def __init__(self, *args: Any, min_matched: float = 0.5, **kwargs: Any):
        if not 0 <= min_matched <= 1:
            raise ValueError(f'min_matched has to lie in [0, 1], got {min_matched}')
        super().__init__(*args, **kwargs)
        self.min_matched = min_matched
        self._unsaved: CheckpointError | None = None

    def _init_rule(self, rules: list[str | None], key_indicators: list[str]) -> None:
        # mmengine's method takes what is still None from greater_keys and less_keys, by parts of names.
        rules = rules * len(key_indicators) if len(rules) == 1 else rules
        rules = [rule or self._known_rule(key) for rule, key in zip(rules, key_indicators)]
        try:
            super()._init_rule(rules, key_indicators)
        except ValueError as error:
            raise ValueError(
                f'save_best: {error} Add rule="greater" or rule="less" to the checkpoint hook.'
            ) from error

    def _known_rule(self, key: str) -> str | None:
        style, listed = known_style(key), (*self.greater_keys, *self.less_keys)
        if style is None or key.lower() in map(str.lower, listed):
            return None
        return {'max': 'greater', 'min': 'less'}[style.best]

    def before_train(self, runner: Any) -> None:
        """Settle where and how checkpoints are written, and clear up after a killed run."""
        if self.backend_args is None and self.file_client_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend='atomic_local')
        super().before_train(runner)
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
        match = require_match(model, checkpoint, self.min_matched)
        if match.share < 1:
            runner.logger.warning(f'The checkpoint fits in part, the rest keeps its initial weights: {match}')
        if 'state_dict' in checkpoint:
            for key in checkpoint:
                if not key.endswith('state_dict'):
                    checkpoint[key] = from_plain(checkpoint[key])

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save where it is time to, and where the user wants to stop."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if getattr(runner.train_loop, 'stop_requested', False):
            self._save_and_stop(runner)

    def after_train(self, runner: Any) -> None:
        """Publish, and fail where the last checkpoint couldn't be written."""
        super().after_train(runner)
        self._raise_unsaved()

    def _save_and_stop(self, runner: Any) -> None:
        name = 'interrupted.pth'
        path = self.file_backend.join_path(self.out_dir, name)
        with self._undone_on_failure(runner, path):
            self._write(runner, name, meta=dict(epoch=runner.epoch, iter=runner.iter + 1))
        self._raise_unsaved()
        raise TrainingInterrupted(
            f'Training stopped after iteration {runner.iter + 1} and saved {path}; go on with --resume.'
        )

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict) -> None:
        name = self.filename_tmpl.format(step)
        with self._undone_on_failure(runner, self.file_backend.join_path(self.out_dir, name)):
            outdated = self._keep(runner, step)
            self._write(runner, name, meta)
            for old in outdated:
                self._remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old)))

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        # mmengine's method removes the old best before it writes the new one.
        backend = self.file_backend
        self.file_backend = _LateRemoval(backend)
        try:
            with self._undone_on_failure(runner, 'the best checkpoint'):
                super()._save_best_checkpoint(runner, metrics)
                outdated = set(self.file_backend.removed) - {self.last_ckpt, *self._best_paths()}
                self.file_backend = backend
                for path in outdated:
                    self._remove(path)
        finally:
            self.file_backend = backend

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

    def _keep(self, runner: Any, step: int) -> list[int]:
        """Note that ``step`` is to be kept, and return the steps that have to go for it."""
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

    def _best_paths(self) -> list[str]:
        paths = [
            getattr(self, 'best_ckpt_path', None),
            *getattr(self, 'best_ckpt_path_dict', {}).values(),
        ]
        return [path for path in paths if path is not None]

    @contextmanager
    def _undone_on_failure(self, runner: Any, path: str) -> Iterator[None]:
        """Where the disk fails, log it and go on as if the checkpoint had not been due."""
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
                'that disk; a run that ends goes on with --resume.'
            )
            runner.logger.error(f'{self._unsaved} Training goes on without it.')

    def _raise_unsaved(self) -> None:
        if self._unsaved is not None:
            raise self._unsaved


class _LateRemoval:
    """A file backend that only notes which files were to be removed."""

    def __init__(self, backend: Any):
        self._backend = backend
        self.removed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.removed.append(path)

    rmtree = remove
