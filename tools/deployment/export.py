"""Export a forecaster: encoder, predictor and dense decoder as graphs for onnxruntime or PyTorch.

Every graph is compared with PyTorch on random input; with --time, its speed is as well.
"""

import argparse

from mmforecast.apis.deployment import FORMATS, PartTime, export_forecaster, time_parts
from mmforecast.apis.evaluate import build_forecaster, load_config
from mmforecast.apis.inferencers.model import dataset_meta
from mmforecast.cli.common import add_cfg_options, cli_errors
from mmforecast.evaluation.table import format_table

EXAMPLES = """examples:
  # S2S over a segmentor, on frames of 360x480, three steps
  %(prog)s CONFIG CHECKPOINT --size 360 480 --steps 3 --out work_dirs/onnx
  # and how long the graphs take, in the time of PyTorch
  %(prog)s CONFIG CHECKPOINT --size 360 480 --out work_dirs/onnx --time 20 --threads 2
  # in PyTorch's own format, which needs no other package
  %(prog)s CONFIG CHECKPOINT --size 360 480 --format torch-export --out work_dirs/pt2
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config of a forecaster')
    parser.add_argument('checkpoint', help="its weights; 'none' for a config that names them itself")
    parser.add_argument(
        '--size', type=int, nargs=2, required=True, metavar=('HEIGHT', 'WIDTH'), help='of the frames'
    )
    parser.add_argument('--steps', type=int, help='horizon (default: that of the config)')
    parser.add_argument('--format', choices=tuple(FORMATS), default='onnx')
    parser.add_argument('--out', required=True, metavar='DIR', help='output folder')
    parser.add_argument('--time', type=int, metavar='RUNS', help='compare the time with that of PyTorch')
    parser.add_argument('--threads', type=int, default=1, help='of --time, for both (default: 1)')
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    checkpoint = None if args.checkpoint == 'none' else args.checkpoint
    model = build_forecaster(cfg, checkpoint, device='cpu')
    classes = dataset_meta(cfg).get('classes', ())
    size = tuple(args.size)
    parts = export_forecaster(model, args.out, size, args.steps, args.format, classes)
    rows = [
        {
            'part': part.name,
            'file': part.file or '-',
            'difference': None if part.file is None else f'{part.difference:.0e}',
            'remark': part.reason or _free_text(part),
        }
        for part in parts
    ]
    print(format_table(rows, ['part', 'file', 'difference', 'remark']))
    if args.time is not None:
        times = time_parts(model, args.out, parts, size, args.steps, args.time, args.threads)
        print(f'\nMedians of {args.time} pairs of runs by turns, {args.threads} threads')
        print(_time_table(times))


def _time_table(times: list[PartTime]) -> str:
    rows = []
    for part in times:
        for clock, kind in ((False, 'processor'), (True, 'clock')):
            pytorch, graph = part.medians(clock)
            rows.append(
                {
                    'part': part.name,
                    'time': kind,
                    'PyTorch': f'{1e3 * pytorch:.1f} ms',
                    'graph': f'{1e3 * graph:.1f} ms',
                    'graph / PyTorch': f'{part.ratio(clock):.2f}',
                }
            )
    return format_table(rows, list(rows[0]))


def _free_text(part) -> str:
    if not part.free:
        return 'fixed shapes'
    return 'any batch' if all(axes == (0,) for axes in part.free.values()) else 'any batch and size'


if __name__ == '__main__':
    with cli_errors():
        main()
