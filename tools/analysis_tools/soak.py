"""Train a config for some minutes, and report whether its memory grows."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from mmengine.config import DictAction
from mmengine.hooks import Hook
from scipy.stats import theilslopes

from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import cli_errors
from mmforecast.engine import launch
from mmforecast.utils.checks import check_above, check_at_least

EXAMPLES = """examples:
  python tools/analysis_tools/soak.py configs/s2s/s2s_2scale_tiny_synthetic.py --minutes 30
  # status 1 where memory grows faster than that
  python tools/analysis_tools/soak.py CONFIG --minutes 30 --max-growth 20
"""

WARM_UP = 1 / 3  # of the time: caches fill, the allocator settles


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--interval', type=float, default=1, help='seconds between two readings')
    parser.add_argument(
        '--max-growth', type=float, help='MB an hour, lower bound of the slope, that is a leak'
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def memory_mb(pid: str = 'self') -> float:
    """Memory of a process and its children, pages that several share counted once, in MB of 2**20 bytes."""
    process = Path('/proc', pid)
    try:
        lines = (process / 'smaps_rollup').read_text().splitlines()
        children = [
            child for task in (process / 'task').iterdir() for child in (task / 'children').read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        if pid == 'self':
            raise OSError('soak.py reads /proc/self/smaps_rollup, which only Linux has') from None
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
    return own / 2**10 + sum(map(memory_mb, children))


class SoakHook(Hook):
    """Reads the memory at intervals, and ends the training when the time is over.

    Attributes:
        readings: (seconds since the first iteration, iterations, MB).
    """

    priority = 'LOWEST'

    def __init__(self, seconds: float, interval: float):
        self.seconds, self.interval = seconds, interval
        self.readings = []
        self.start = None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        now = time.monotonic()
        self.start = self.start or now
        last = self.readings[-1][0] if self.readings else -self.interval
        if now - self.start - last >= self.interval:
            self.readings.append((now - self.start, runner.iter + 1, memory_mb()))
        if now - self.start >= self.seconds:
            runner.train_loop.stop_training = True


def growth(readings) -> tuple[float, float, float]:
    """MB an hour after the warm-up: the median of all slopes (Theil-Sen), and its 95% interval."""
    seconds, _, memory = np.array(readings).T
    settled = seconds >= WARM_UP * seconds[-1]
    if settled.sum() < 5:
        raise ValueError(
            f'{settled.sum()} readings after the warm-up are too few: give more --minutes, or a smaller '
            '--interval'
        )
    slope, _, low, high = theilslopes(memory[settled], seconds[settled] / 3600)
    return float(slope), float(low), float(high)


def soak(cfg, seconds: float, interval: float):
    """The readings of a training of so many seconds, without validation and checkpoints."""
    for part in ('val', 'test'):
        for kind in ('dataloader', 'cfg', 'evaluator'):
            cfg.pop(f'{part}_{kind}', None)
    cfg.train_cfg = {k: v for k, v in cfg.train_cfg.items() if not k.startswith('val_')}
    cfg.train_cfg['max_epochs' if 'max_epochs' in cfg.train_cfg else 'max_iters'] = 10**9
    cfg.default_hooks.checkpoint.interval = 10**9
    cfg.default_hooks.checkpoint.save_last = False
    cfg.log_level = 'ERROR'
    hook = SoakHook(seconds, interval)
    with tempfile.TemporaryDirectory() as cfg.work_dir:
        runner = launch.build_runner(cfg)
        runner.register_hook(hook)
        runner.train()
    return hook.readings


def main():
    args = parse_args()
    check_above('soak', 0, minutes=args.minutes)
    check_at_least('soak', 0, interval=args.interval)
    memory_mb()  # complains before the training
    readings = soak(load_config(args.config, args.cfg_options), 60 * args.minutes, args.interval)
    slope, low, high = growth(readings)
    seconds, iterations, last = readings[-1]
    memory = [mb for *_, mb in readings]
    print(
        f'{args.config}: {iterations} iterations in {seconds:.0f} s; memory {memory[0]:.0f} MB at first, '
        f'{last:.0f} MB at the end, {max(memory):.0f} MB at most; after the first third it grows by '
        f'{slope:.1f} MB an hour (95% interval {low:.1f} to {high:.1f}, {len(readings)} readings), '
        f'{slope * seconds / 3600 / iterations * 1000:.3f} MB in 1000 iterations'
    )
    if args.max_growth is not None and low > args.max_growth:
        print(f'That is more than {args.max_growth} MB an hour.')
        sys.exit(1)


if __name__ == '__main__':
    with cli_errors():
        main()
