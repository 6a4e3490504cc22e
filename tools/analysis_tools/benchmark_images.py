"""Images per second of a dataset of single images: when they are first read or made, and from memory."""

import argparse
import time

from mmengine.config import DictAction
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmforecast.apis.evaluate import SCOPE, load_config
from mmforecast.cli.common import cli_errors

EXAMPLES = """examples:
  python tools/analysis_tools/benchmark_images.py configs/_base_/datasets/clothing_64.py
  python tools/analysis_tools/benchmark_images.py configs/_base_/datasets/rtw_256.py --workers 2
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='of a data set, or of a model with one')
    parser.add_argument('--passes', type=int, default=4, help='over the data (default: 4)')
    parser.add_argument('--workers', type=int, default=0, help='loading processes (default: 0)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.passes < 2:
        parser.error(f'--passes must be at least 2, got {args.passes}')
    return args


def main() -> None:
    args = parse_args()
    loading = load_config(args.config, args.cfg_options).train_dataloader.to_dict()
    loading.update(
        num_workers=args.workers,
        persistent_workers=args.workers > 0,
        drop_last=False,
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    with DefaultScope.overwrite_default_scope(SCOPE):
        loader = Runner.build_dataloader(loading, seed=0)
    rates = []
    for _ in range(args.passes):
        start = time.perf_counter()
        number = sum(len(batch['inputs']) for batch in loader)
        rates.append(number / (time.perf_counter() - start))
    print(
        f'{rates[0]:.0f} images/s at first, {max(rates[1:]):.0f} images/s later ({number} images in '
        f'batches of {loading["batch_size"]}, {args.workers} workers)'
    )


if __name__ == '__main__':
    with cli_errors():
        main()
