"""Training for a given processor time, so that networks of different speed compare."""

import time
from typing import Any

from mmengine.hooks import Hook

from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_above

__all__ = ['ProcessorTimeHook']


@HOOKS.register_module()
class ProcessorTimeHook(Hook):
    """Ends training after the iteration in which the process has used up its processor time.

    Processor time is that of all threads of this process, so it hardly depends on what else the machine does.
    The iteration becomes the last one: ``max_iters`` of the loop is lowered to it, and checkpoints and
    pictures of the last iteration are written as usual. A resumed run gets the whole time again.

    Args:
        seconds: Above 0.
    """

    priority = 'VERY_HIGH'  # before the hooks that act on the last iteration

    def __init__(self, seconds: float):
        check_above('ProcessorTimeHook', 0, seconds=seconds)
        self.seconds = seconds
        self._begin = 0.0

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self._begin = time.process_time()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        used = time.process_time() - self._begin
        last = runner.iter + 1
        if used < self.seconds or last >= runner.max_iters:
            return
        runner.train_loop._max_iters = last
        runner.logger.info(f'Training ends at iteration {last}, after {used:.0f} s of processor time.')
