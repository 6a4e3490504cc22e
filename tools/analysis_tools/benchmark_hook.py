"""What one hook of a config costs per training step: steps with and without it by turns, in one process."""

import argparse
import copy
import statistics
import tempfile
import time

from mmengine.config import DictAction
from mmengine.runner import Runner

from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import cli_errors
from mmforecast.engine import IterBasedTrainLoop
from mmforecast.registry import LOOPS
from mmforecast.utils.checks import check_choice, check_positive

EXAMPLES = """examples:
  python tools/analysis_tools/benchmark_hook.py configs/s2s/s2s_2scale_tiny_synthetic.py
  python tools/analysis_tools/benchmark_hook.py CONFIG --hook data_faults --blocks 20
"""

# What the steps have no need of.
UNUSED = [f'{part}_{kind}' for part in ('val', 'test') for kind in ('dataloader', 'cfg', 'evaluator')]


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--hook', default='divergence', help='its name in default_hooks')
    parser.add_argument('--blocks', type=int, default=10, help='alternating blocks of each kind')
    parser.add_argument('--steps', type=int, default=10, help='training steps per block')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


@LOOPS.register_module(force=True)  # tests run this file twice in one process
class HookLoop(IterBasedTrainLoop):
    """Trains on the same batches, with and without a hook by turns, and times both."""

    def __init__(self, *args, blocks: int, steps: int, hook: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.blocks, self.steps, self.hook = blocks, steps, hook

    def _run(self):
        runner = self.runner
        hook = next(hook for hook in runner.hooks if type(hook).__name__ == self.hook)
        runner.call_hook('before_train')
        runner.call_hook('before_train_epoch')
        runner.model.train()
        batches = [next(self.dataloader_iterator) for _ in range(self.steps)]
        place, times, watched = runner.hooks.index(hook), {True: [], False: []}, True
        for block in range(self.blocks + 1):
            for wanted in (True, False) if block % 2 else (False, True):
                if wanted and not watched:
                    runner.hooks.insert(place, hook)
                    hook.before_train(runner)
                elif watched and not wanted:
                    hook.after_train(runner)
                    runner.hooks.remove(hook)
                watched = wanted
                start = time.perf_counter()
                for batch in batches:
                    self.run_iter(copy.copy(batch))
                if block:  # the first block warms up
                    times[wanted].append((time.perf_counter() - start) / self.steps)
        runner.benchmark_times = times
        return runner.model


def main():
    args = parse_args()
    check_positive('benchmark_hook', blocks=args.blocks, steps=args.steps)
    cfg = load_config(args.config, args.cfg_options)
    check_choice('benchmark_hook', tuple(cfg.default_hooks), hook=args.hook)
    for key in (*UNUSED, 'load_from'):
        cfg.pop(key, None)
    cfg.log_level = 'ERROR'
    cfg.default_hooks.checkpoint.interval = 10**6
    cfg.train_cfg = dict(
        type='HookLoop',
        max_iters=10**6,
        blocks=args.blocks,
        steps=args.steps,
        hook=cfg.default_hooks[args.hook].type.rpartition('.')[2],
    )
    with tempfile.TemporaryDirectory() as cfg.work_dir:
        runner = Runner.from_cfg(cfg)
        runner.train()
    times = runner.benchmark_times
    ratios = [a / b for a, b in zip(times[True], times[False])]
    print(
        f'step with the hook {statistics.median(times[True]) * 1e3:.2f} ms, without '
        f'{statistics.median(times[False]) * 1e3:.2f} ms (this machine, medians of {args.blocks} '
        f'blocks of {args.steps} steps)\nwith / without: median {statistics.median(ratios):.3f}, '
        f'min {min(ratios):.3f}, max {max(ratios):.3f}'
    )


if __name__ == '__main__':
    with cli_errors():
        main()
