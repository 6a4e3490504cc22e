"""Write what a frozen network makes of every frame to disk, once, for training to read.

A segmentor's scores for S2S, or the levels of a detector's feature pyramid for F2F, as many as the disk can
take. fp16, one memory-mapped array per sequence and level, resumable; levels can be added later. The sizes
are printed before it starts, and --dry-run prints nothing else (docs/data.md has them for Cityscapes).
Frames are resized, cropped and padded to a multiple as in the pipeline of their data; nothing random is done.
"""

import argparse
from pathlib import Path

import torch
from mmengine.config import DictAction

from mmforecast.apis.batch.units import Shard
from mmforecast.apis.extract_by_workers import extract_by_workers
from mmforecast.apis.extract_job import ExtractionJob, extract_here
from mmforecast.cli.common import cli_errors
from mmforecast.cli.errors import explain
from mmforecast.cli.worker_options import add_worker_options

EXAMPLES = """examples:
  python tools/extract_representations.py configs/s2s/s2s_2scale_cityscapes_online.py \\
      none --out data/cityscapes/scores
  # the same for a horizon of 10 steps, validation only
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --splits val \\
      --cfg-options val_dataloader.dataset.num_future=10
  # how large the levels of a detector's pyramid are; then two of them
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --dry-run
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --levels P5 P4
  # by four processes; by the machines of a Ray cluster; by the tasks of a Slurm array
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --workers 4
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --ray auto
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --shard $SLURM_ARRAY_TASK_ID/8
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config whose model.encoder is a SegmentorEncoder or a DetectorEncoder')
    parser.add_argument(
        'checkpoint', help="the segmentor's or detector's weights; 'none' for those of the config"
    )
    parser.add_argument('--out', type=Path, required=True, help='writes OUT/<split> for each split')
    parser.add_argument(
        '--splits',
        nargs='+',
        default=['train', 'val'],
        help='data loaders of the config to take the frames of: train, val, or another <name>_dataloader',
    )
    parser.add_argument('--levels', nargs='+', help='levels of the pyramid, e.g. P5 P4 (default: all)')
    parser.add_argument('--dry-run', action='store_true', help='print the sizes, write nothing')
    parser.add_argument('--chunk', type=int, default=8, help='frames per forward pass')
    add_worker_options(parser.add_argument_group('work'), 'in this process')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    job = ExtractionJob(
        args.config,
        None if args.checkpoint == 'none' else args.checkpoint,
        str(args.out),
        tuple(args.splits),
        None if args.levels is None else tuple(args.levels),
        args.chunk,
        args.cfg_options,
    )
    shard = Shard(*args.shard) if args.shard else None
    if args.dry_run or (args.workers is None and args.ray is None):
        if args.threads is not None:
            torch.set_num_threads(args.threads)
        reports = extract_here(job, args.dry_run, shard)
    else:
        reports = extract_by_workers(
            job, args.workers, args.threads, args.ray, shard, args.unit_timeout, explain=explain
        )
    if args.dry_run:
        return
    for split, report in reports.items():
        print(f'{split}: {report["written"]} sequences written, {report["kept"]} were there')
        for message in report['corrupt']:
            print(f'left out: {message}')


if __name__ == '__main__':
    with cli_errors():
        main()
