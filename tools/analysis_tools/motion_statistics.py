"""How the camera of a dataset moves: rotation, its memory, and speed, as a table and as histograms."""

import argparse

from mmengine.config import DictAction

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.motion_statistics import AXES, motion_statistics
from mmforecast.cli.common import add_traceback_option, cli_errors
from mmforecast.evaluation.table import format_table
from mmforecast.visualization.curves import plot_histograms

EXAMPLES = """examples:
  # the street that the motion forecaster is trained on, beside real drives
  python tools/analysis_tools/motion_statistics.py --plot motion.png \\
      --data street configs/motion/motion-forecaster_varied_street.py \\
      --data drive configs/motion/s2s_cgnet_driving.py
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--data',
        nargs=2,
        action='append',
        required=True,
        metavar=('NAME', 'CONFIG'),
        help='test clips of a config; may be given several times',
    )
    parser.add_argument('--focal', type=float, default=0.9, help='focal length in widths (default: 0.9)')
    parser.add_argument('--plot', metavar='FILE', help='picture to write (.png, .svg or .pdf)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides of every config')
    add_traceback_option(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rows, panels = [], [{} for _ in (*AXES, 'speed')]
    for name, config in args.data:
        found = motion_statistics(load_config(config, args.cfg_options), args.focal)
        rows.append({'data': name, 'clips': len(found.speed), **found.table()})
        for panel, values in zip(panels, [*found.rotation[:, 1].T, 100 * found.speed], strict=True):
            panel[name] = values
    print(format_table(rows, style='markdown', decimals=2))
    if args.plot:
        units = [*(f'{axis} (degrees per step)' for axis in AXES), 'speed (% of the width per step)']
        plot_histograms(args.plot, dict(zip(units, panels, strict=True)))
        print(f'Wrote {args.plot}.')


if __name__ == '__main__':
    with cli_errors():
        main()
