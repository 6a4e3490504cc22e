"""Forecast many videos, by many processes: Parquet files of what comes next."""

import argparse
import sys

from .forecast_options import add_drawing_options, add_model_options, add_time_options, model_arguments
from .worker_options import add_worker_options

__all__ = ['add_arguments', 'add_parser', 'main']

EXAMPLES = """examples:
  # all videos below a folder, by a process per GPU, or else one; again: what is left
  %(prog)s drives/ --out results
  # four processes, a forecast every 10 frames, with pictures
  %(prog)s 'drives/*.mp4' more.mp4 @list.txt --workers 4 --every 10 --render --out results
  # your own model, or one of the zoos of mmdet and mmseg
  %(prog)s drives/ --model CONFIG CHECKPOINT --out results
  # on all machines of the Ray cluster that this one is part of
  %(prog)s drives/ --ray auto --out results
  # a part of the videos for each task of a Slurm array (sbatch --array=1-8)
  %(prog)s drives/ --shard $SLURM_ARRAY_TASK_ID/8 --out results

Exit status: 0 all done, 3 some failed (results/manifest.jsonl has a sentence on each), 1 an explained error,
2 wrong usage, 130 Ctrl-C.
"""
_MAX_LISTED = 10


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser(
        'batch',
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='video, folder of frames, directory of any of these, pattern in quotes, address (https, s3, '
        '...), or @FILE with one on each line',
    )
    add_model_options(parser.add_argument_group('model'))
    time = parser.add_argument_group('time')
    add_time_options(time)
    time.add_argument(
        '--every', type=int, metavar='N', help='forecast every N frames (default: a step, see --stride)'
    )
    _add_work_options(parser.add_argument_group('work'))
    files = parser.add_argument_group('files')
    files.add_argument('--out', required=True, metavar='DIR', help='output folder')
    files.add_argument(
        '--keep-frames', action='store_true', help='store forecast frames, too, of models that forecast them'
    )
    files.add_argument('--render', action='store_true', help='write an MP4 of each unit, too')
    add_drawing_options(files)


def _add_work_options(group) -> None:
    add_worker_options(group)
    group.add_argument(
        '--unit-frames',
        type=int,
        metavar='N',
        help='split long videos into units of about N frames, also between shards (default: whole videos)',
    )
    group.add_argument('--retry', action='store_true', help='try again what failed before')
    group.add_argument(
        '--log-json', action='store_true', help='print JSON lines on stdout instead of a line on stderr'
    )


def main(args: argparse.Namespace) -> None:
    """Forecast what is left, and say what failed.

    Raises:
        ImportError: A package that is needed is not installed.
        OSError: Results cannot be written.
        ValueError: The inputs, the model, the options and the output folder do not fit together.
        KeyboardInterrupt: Ctrl-C.
        SystemExit: With status 3, if a unit is failed.
    """
    from mmforecast.apis.batch import run_batch
    from mmforecast.apis.batch.units import Shard

    from .errors import explain

    settings = _settings(args)
    spread = args.unit_frames is not None
    try:
        summary = run_batch(
            args.inputs,
            settings,
            workers=args.workers,
            threads=args.threads,
            ray=args.ray,
            shard=Shard(*args.shard, spread=spread) if args.shard else Shard(),
            retry=args.retry,
            unit_timeout=args.unit_timeout,
            log_json=args.log_json,
            explain=explain,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f'Interrupted. What is done is in {args.out}; the same command does what is left.'
        ) from None
    _report(summary, args)
    if summary.failures:
        sys.exit(3)


def _settings(args: argparse.Namespace):
    from mmforecast.apis.batch import BatchSettings

    return BatchSettings(
        folder=args.out,
        model=model_arguments(args),
        every=args.every,
        fps=args.fps,
        max_frames=args.max_frames,
        streaming=False if args.no_streaming else None,
        batch_size=args.batch_size,
        unit_frames=args.unit_frames,
        keep_frames=args.keep_frames,
        render=args.render,
        score_thr=args.score_thr,
        panel_height=args.height,
    )


def _report(summary, args: argparse.Namespace) -> None:
    """Print what was done to stdout, or to stderr where JSON is on stdout."""
    stream = sys.stderr if args.log_json else sys.stdout
    earlier = f', {summary.earlier} of them earlier' if summary.earlier else ''
    print(f'{_units(summary.done)} done{earlier}: {args.out}', file=stream)
    if summary.only_steps:
        print('the model forecasts frames alone, which --keep-frames and --render store', file=stream)
    failures = summary.failures
    if not failures:
        return
    print(f'{_units(len(failures))} failed (--retry tries again):', file=stream)
    for entry in failures[:_MAX_LISTED]:
        print(f'  {entry["video"]}: {entry["sentence"]}', file=stream)
    if len(failures) > _MAX_LISTED:
        print(f'  ... {len(failures) - _MAX_LISTED} more in {args.out}/manifest*.jsonl', file=stream)


def _units(count: int) -> str:
    return f'{count} unit{"" if count == 1 else "s"}'
