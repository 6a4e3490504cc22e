"""Train a forecaster from a config."""

import argparse

from mmforecast.utils.check_env import assert_environment

assert_environment()  # before the libraries, so that a broken environment gets a sentence

from mmengine.config import Config  # noqa: E402

from mmforecast.cli.common import add_runner_arguments, cli_errors, read_config  # noqa: E402
from mmforecast.engine import launch  # noqa: E402
from mmforecast.engine.work_dir import exclusive_work_dir  # noqa: E402

EXAMPLES = """examples:
  python tools/train.py configs/s2s/s2s_warp_tiny_synthetic.py
  # continue after an interruption, as if there had been none
  python tools/train.py configs/s2s/s2s_warp_tiny_synthetic.py --resume
  # another seed, its own folder
  python tools/train.py configs/s2s/s2s_warp_tiny_synthetic.py --work-dir work_dirs/seed1 \\
      --cfg-options randomness.seed=1
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--amp', action='store_true', help='mixed precision, in every optimizer of the config')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale learning rates with the batch size over all processes',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint, or without a value from the last one in the work dir',
    )
    add_runner_arguments(parser)
    return parser.parse_args()


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Apply this tool's own options to the config; in place."""
    if args.amp:
        launch.enable_amp(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ValueError(
                '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config: '
                'the batch size over all processes that its learning rate is for'
            )
        cfg.auto_scale_lr.enable = True
    launch.set_resume(cfg, args.resume)


def main() -> None:
    args = parse_args()
    cfg = read_config(args)
    with exclusive_work_dir(cfg.work_dir, cfg.launcher), launch.processes(cfg):
        merge_args(cfg, args)
        launch.build_runner(cfg).train()


if __name__ == '__main__':
    with cli_errors():
        main()
