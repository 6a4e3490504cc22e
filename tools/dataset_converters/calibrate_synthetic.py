"""Measure how hard the synthetic street is, or draw a contact sheet of it."""

import argparse
import sys
from pathlib import Path

import cv2

from mmforecast.street.calibration import format_report, measure
from mmforecast.street.preview import contact_sheet

EXAMPLES = """examples:
  # copy-last and optical flow against ground truth, with the bands they should lie in
  python tools/dataset_converters/calibrate_synthetic.py --seeds 0 1 --sequences 50 --workers 2

  # frames, labels and instances of three sequences over time
  python tools/dataset_converters/calibrate_synthetic.py --sheet sheet.jpg --indices 0 1 2"""


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1], help='data set seeds (default: 0 1)')
    parser.add_argument('--split', default='val', help='split name (default: %(default)s)')
    parser.add_argument('--sequences', type=int, default=50, help='sequences per seed (default: %(default)s)')
    parser.add_argument(
        '--height',
        type=int,
        default=128,
        help='frame height; the width is twice it (default: %(default)s)',
    )
    parser.add_argument('--workers', type=int, default=1, help='processes (default: %(default)s)')
    parser.add_argument('--sheet', help='draw this picture instead, of the first seed')
    parser.add_argument('--indices', type=int, nargs='+', default=[0, 1, 2], help='sequences on the sheet')
    args = parser.parse_args(argv)
    if args.sequences < 1:
        parser.error(f'--sequences must be at least 1, got {args.sequences}')
    return args


def main(argv=None) -> int:
    args = parse_args(argv)
    if args.sheet:
        sheet = contact_sheet(args.seeds[0], args.split, args.indices, height=args.height)
        Path(args.sheet).parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(args.sheet, sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80]):
            print(f'error: could not write {args.sheet}', file=sys.stderr)
            return 2
        return 0
    for seed in args.seeds:
        size = f'{args.height}x{2 * args.height}'
        print(f'\nseed {seed}, split {args.split}, {args.sequences} sequences at {size}\n')
        ious = measure(
            seed,
            args.split,
            args.sequences,
            args.height,
            2 * args.height,
            args.workers,
            progress=True,
        )
        print(format_report(ious))
    return 0


if __name__ == '__main__':
    sys.exit(main())
