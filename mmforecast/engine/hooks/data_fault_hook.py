"""A report of the files that a training could not use."""

import json
import os
from typing import Any

import mmengine.runner
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook

from mmforecast.fileio.atomic import write_atomically
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_positive

from ..data_order import ResumableDataLoader
from ..data_watch import Faults, find_sources, merge_faults

__all__ = ['DataFaultHook']


@HOOKS.register_module()
class DataFaultHook(Hook):
    """Counts and names the files in whose place other items were taken (``on_corrupt='skip'`` of a dataset).

    A warning comes at the end of each epoch, in training by iterations after each ``interval`` and at the
    end, and only where there was a fault since the last one. All processes and workers are counted.
    ``corrupt_files.json`` in the work dir has all of this run so far: ``replaced``, from path to ``times``
    and ``reason``, and ``left_out``, from path to the reason, of files left out from the start.

    Args:
        interval: iterations, for training by iterations.
        most: Files that a warning names.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, most: int = 10):
        check_positive('DataFaultHook', interval=interval, most=most)
        self.interval = interval
        self.most = most
        self.replaced: Faults = {}
        self.left_out: dict[str, str] = {}

    def before_train(self, runner: Any) -> None:
        """Record what the datasets left out."""
        for source in find_sources(runner.train_dataloader.dataset):
            self.left_out.update(getattr(source, 'unreadable', {}))
        if self.left_out:
            self._write(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Report at intervals where there are no epochs."""
        by_iterations = isinstance(runner.train_loop, mmengine.runner.IterBasedTrainLoop)
        if by_iterations and self.every_n_train_iters(runner, self.interval):
            self._report(runner, f'Up to iteration {runner.iter + 1}')

    def after_train_epoch(self, runner: Any) -> None:
        """Report at the end of an epoch, or of training by iterations."""
        by_iterations = isinstance(runner.train_loop, mmengine.runner.IterBasedTrainLoop)
        when = f'Up to iteration {runner.iter}' if by_iterations else f'Epoch {runner.epoch + 1}'
        self._report(runner, when)

    def _report(self, runner: Any, when: str) -> None:
        if not isinstance(runner.train_dataloader, ResumableDataLoader):
            return
        new: Faults = {}
        for faults in all_gather_object(runner.train_dataloader.take_faults()):
            merge_faults(new, faults)
        if not new:
            return
        merge_faults(self.replaced, new)
        times = sum(count for count, _ in new.values())
        often = sorted(new.items(), key=lambda entry: (-entry[1][0], entry[0]))
        named = ' '.join(f'({count}x) {reason}' for _, (count, reason) in often[: self.most])
        rest = f' And {len(often) - self.most} more.' if len(often) > self.most else ''
        runner.logger.warning(
            f'{when}: {len(new)} files could not be used, and {times} times another item took the '
            f'place of theirs: {named}{rest} All are in {self._write(runner)}.'
        )

    def _write(self, runner: Any) -> str:
        path = os.path.join(runner.work_dir, 'corrupt_files.json')
        if is_main_process():
            content = dict(
                replaced={
                    name: dict(times=count, reason=reason)
                    for name, (count, reason) in sorted(self.replaced.items())
                },
                left_out=self.left_out,
            )
            write_atomically(path, (json.dumps(content, indent=2) + '\n').encode())
        return path
