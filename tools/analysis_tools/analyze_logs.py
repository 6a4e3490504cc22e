"""Curves of what trainings logged, and the time that an iteration took."""

import argparse

from mmforecast.cli.common import cli_errors
from mmforecast.utils.training_log import read_log, smooth, time_statistics
from mmforecast.visualization import plot_training_curves

EXAMPLES = """examples:
  # losses of training and validation above, scores below
  python tools/analysis_tools/analyze_logs.py plot_curve work_dirs/s2s_warp_tiny_synthetic \\
      --keys loss val_loss --keys mIoU IoU-MO --smooth 0.8 --out curves.png
  # two trainings in one picture
  python tools/analysis_tools/analyze_logs.py plot_curve work_dirs/a work_dirs/b --keys loss --legend a b
  # seconds per iteration
  python tools/analysis_tools/analyze_logs.py cal_train_time work_dirs/s2s_warp_tiny_synthetic
"""
LOGS = 'work directory, or folder, scalars.json or text log of one run'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest='task', required=True)
    curve = tasks.add_parser('plot_curve', help='plot keys of the logs against iterations')
    curve.add_argument('logs', nargs='+', metavar='LOG', help=LOGS)
    curve.add_argument(
        '--keys',
        nargs='+',
        action='append',
        metavar='KEY',
        help='what to plot (default: loss); repeat it for another panel below',
    )
    curve.add_argument('--legend', nargs='+', metavar='NAME', help='names of the logs')
    curve.add_argument('--title')
    curve.add_argument(
        '--smooth',
        type=float,
        default=0.0,
        metavar='WEIGHT',
        help='exponential smoothing as in TensorBoard, in [0, 1) (default: 0, none)',
    )
    curve.add_argument(
        '--out', default='curves.png', help='PNG, SVG or PDF, by its ending (default: curves.png)'
    )
    times = tasks.add_parser('cal_train_time', help='print the time per training iteration')
    times.add_argument('logs', nargs='+', metavar='LOG', help=LOGS)
    times.add_argument('--include-outliers', action='store_true', help='count the first value of each run too')
    return parser.parse_args()


def plot_curve(args: argparse.Namespace) -> None:
    logs = [read_log(path) for path in args.logs]
    if args.legend and len(args.legend) != len(logs):
        raise ValueError(f'--legend has {len(args.legend)} names for {len(logs)} logs; give one for each')
    names = args.legend or [log.name for log in logs]
    if len(set(names)) < len(names):
        names = args.legend or args.logs
    panels, groups = [], args.keys or [['loss']]
    for keys in groups:
        curves = {}
        for log, name in zip(logs, names):
            for key in keys:
                steps, values = log.curve(key)
                label = key if len(logs) == 1 and not args.legend else f'{name}: {key}'
                curves[label] = steps, values, smooth(values, args.smooth)
        panels.append(curves)
    ylabels = [keys[0] if len(keys) == 1 else None for keys in groups]
    title = args.title or (logs[0].name if len(logs) == 1 else None)
    plot_training_curves(args.out, panels, title, ylabels)
    print(f'written to {args.out}')


def cal_train_time(args: argparse.Namespace) -> None:
    for path in args.logs:
        log = read_log(path)
        found = time_statistics(log, args.include_outliers)
        print(f'{log.name}: {found["mean"]:.4f} s per iteration, {found["data"]:.4f} s of it waiting for data')
        print(
            f'  median {found["median"]:.4f} s, deviation {found["std"]:.4f} s, '
            f'{found["fastest"]:.4f} to {found["slowest"]:.4f} s; {found["values"]} values'
        )


if __name__ == '__main__':
    with cli_errors():
        arguments = parse_args()
        {'plot_curve': plot_curve, 'cal_train_time': cal_train_time}[arguments.task](arguments)
