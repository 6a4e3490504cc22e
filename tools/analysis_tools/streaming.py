"""Scores under latency: at the time of each frame, the newest output that is finished is scored.

A table and a plot of the score against the latency, for the network without forecasting, the baselines and
trained forecasters; and, with --measure or --latencies-of, a table at the latency of each method.
"""

import argparse
from pathlib import Path

from mmforecast.cli.common import add_cfg_options, cli_errors

EXAMPLES = """examples:
  # true labels of the synthetic street, moved by the baselines and the shipped motion forecaster
  %(prog)s configs/motion/s2s_labels_synthetic.py --stride 1 \\
      --model motion configs/motion/s2s_labels_synthetic.py none
  # the same over a segmentor, measured on this machine as well
  %(prog)s configs/motion/s2s_labels_synthetic.py --stride 1 --measure 20 \\
      --segmentor configs/segmentors/unet_tiny_synthetic.py \\
      configs/segmentors/weights/unet_tiny_synthetic-1611a7cd.pth
"""
METRICS = ('mIoU', 'IoU-MO', 'AP50', 'AP', 'PQ')


def number_of_workers(text):
    if text != 'all' and not text.isdigit():
        raise argparse.ArgumentTypeError(f"a number of workers or 'all' is needed, got {text!r}")
    return text if text == 'all' else int(text)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config of a forecaster whose data, network and baselines are taken')
    rows = parser.add_argument_group('rows')
    rows.add_argument(
        '--segmentor',
        nargs=2,
        action='append',
        metavar=('CONFIG', 'CHECKPOINT'),
        help="config of mmsegmentation with weights, in place of every row's encoder; repeat it for seeds",
    )
    rows.add_argument(
        '--network',
        nargs=4,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT', 'FACTOR'),
        help='another network without forecasting, FACTOR times as slow: a config of mmsegmentation and its '
        "weights, or of a forecaster whose encoder has weights, and 'none'; repeat it, with the same NAME for "
        'seeds of one network',
    )
    rows.add_argument(
        '--model',
        nargs=3,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='a forecaster; repeat it, with the same NAME for seeds of one method; the checkpoint of a config '
        "that names its weights itself is 'none'",
    )
    rows.add_argument('--baselines', nargs='*', metavar='NAME', help='by default all but the oracle')
    rows.add_argument(
        '--horizon',
        default='query',
        help="of forecasts: 'query', 'latency', or a number of frames (default: query)",
    )
    rows.add_argument(
        '--stride',
        type=int,
        help='frames between past frames and between steps, of all rows (default: as configured)',
    )
    rows.add_argument('--max-steps', type=int, help='most forecast steps of an output')
    time = parser.add_argument_group('time')
    time.add_argument(
        '--delays',
        nargs='+',
        default=['0', '1', '2', '3', '4', '6', '9'],
        help='latencies in frames (default: 0 to 9)',
    )
    time.add_argument('--latencies', nargs='+', help='latencies in seconds instead, such as 0.06 or 1/17')
    time.add_argument(
        '--latencies-of', type=Path, metavar='FILE', help='JSON of seconds by method: a second table'
    )
    time.add_argument(
        '--measure',
        type=int,
        metavar='RUNS',
        help='measure the latency of each method on this machine: a second table',
    )
    time.add_argument(
        '--workers',
        type=number_of_workers,
        default=1,
        help="runs at the same time; 'all' starts one on every frame (default: 1)",
    )
    time.add_argument('--schedule', default='greedy', help='greedy or shrinking-tail (default: greedy)')
    time.add_argument('--every', type=int, default=1, help='process only every so many-th frame')
    time.add_argument(
        '--eta', default='0', help='queries are so many frames early, or late below 0 (default: 0)'
    )
    time.add_argument('--fps', help='frame rate, where the data have none')
    time.add_argument('--warm-up', type=int, default=0, help='first frames of each stream that are not scored')
    parser.add_argument('--metrics', nargs='+', default=list(METRICS), help='scores of the tables, in order')
    parser.add_argument('--out', type=Path, help='write tables, plots and times here')
    add_cfg_options(parser, 'overrides for all configs, e.g. test_dataloader.dataset.data_root=X')
    return parser.parse_args()


def main():
    args = parse_args()
    from mmengine.logging import MMLogger

    from mmforecast.apis.stream_protocol import StreamProtocol
    from mmforecast.apis.streaming_report import load_row_configs, stream_rows, streaming_report
    from mmforecast.apis.streaming_table import read_latencies

    MMLogger.get_current_instance().setLevel(
        'WARNING'
    )  # the tables at the end, instead of a log for every row
    horizon = int(args.horizon) if args.horizon.isdigit() else args.horizon
    rows = []
    for seed, segmentor in enumerate(args.segmentor or [None]):
        networks = [] if seed else args.network
        configs = load_row_configs(args.config, segmentor, args.model, networks, args.cfg_options)
        rows += stream_rows(**configs, baselines=args.baselines, horizon=horizon, stride=args.stride)
    protocol = StreamProtocol(
        workers=None if args.workers == 'all' else args.workers,
        schedule=args.schedule,
        every=args.every,
        eta=args.eta,
        fps=args.fps,
        warm_up=args.warm_up,
        max_steps=args.max_steps,
    )
    lines = streaming_report(
        rows,
        latencies=args.latencies,
        delays=args.delays,
        latencies_of=None if args.latencies_of is None else read_latencies(args.latencies_of),
        measure=args.measure,
        protocol=protocol,
        metrics=args.metrics,
        out=args.out,
    )
    print('\n'.join(lines))
    if args.out is not None:
        print(f'written to {args.out}')


if __name__ == '__main__':
    with cli_errors():
        main()
