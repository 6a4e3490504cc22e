"""Make a synthetic street: driving sequences with labels on every frame, in Cityscapes' layout."""

import argparse
import re
import sys

from mmforecast.street import SEQUENCE_LENGTH, write_dataset

EXAMPLES = """examples:
  # the data of the tiny configs: 120 + 50 sequences of 30 frames at 128x256
  python tools/dataset_converters/synthetic_cityscapes.py --out data/synthetic_street --workers 2

  # larger pictures, with true depth and optical flow
  python tools/dataset_converters/synthetic_cityscapes.py --out data/street_512 \\
      --size 512x1024 --train 20 --val 5 --depth --flow

  # cameras as various as those of real cars: the data of the motion forecaster
  python tools/dataset_converters/synthetic_cityscapes.py --out data/varied_street \
      --size 192x384 --train 200 --val 24 --vary-camera

  # sequences of 15 seconds, for forecasts of up to 10 seconds
  python tools/dataset_converters/synthetic_cityscapes.py --out data/long_street \
      --frames 255 --train 40 --val 20

Run the same command again to finish a run that was stopped; complete sequences are skipped."""


def parse_args(argv=None):
    """The command line; exits with a message for values that don't parse."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', required=True, help='folder to write to, for example data/synthetic_street')
    parser.add_argument(
        '--size', default='128x256', help='height x width of the frames, 2:1 (default: %(default)s)'
    )
    parser.add_argument('--train', type=int, default=120, help='training sequences (default: %(default)s)')
    parser.add_argument('--val', type=int, default=50, help='validation sequences (default: %(default)s)')
    parser.add_argument('--test', type=int, default=0, help='test sequences (default: %(default)s)')
    parser.add_argument(
        '--frames',
        type=int,
        default=SEQUENCE_LENGTH,
        help='frames of a sequence, 17 a second, at least 20 (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the whole data set (default: %(default)s)'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        help='processes; changes the speed, never the files (default: %(default)s)',
    )
    parser.add_argument('--depth', action='store_true', help='also write true depth (16-bit PNG, centimeters)')
    parser.add_argument(
        '--flow',
        action='store_true',
        help='also write true flow to the next frame (16-bit PNG as KITTI)',
    )
    parser.add_argument(
        '--vary-camera',
        action='store_true',
        help='give each sequence a lens, a mount, rocking and steering of its own, as real cars have',
    )
    args = parser.parse_args(argv)
    match = re.fullmatch(r'(\d+)x(\d+)', args.size)
    if not match:
        parser.error(f'--size must be HEIGHTxWIDTH, for example 128x256, got {args.size!r}')
    args.height, args.width = map(int, match.groups())
    args.splits = {split: getattr(args, split) for split in ('train', 'val', 'test') if getattr(args, split)}
    if not args.splits:
        parser.error('nothing to write: --train, --val and --test are all 0')
    return args


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        result = write_dataset(
            args.out,
            args.splits,
            args.height,
            args.width,
            args.seed,
            args.workers,
            args.depth,
            args.flow,
            vary_camera=args.vary_camera,
            num_frames=args.frames,
        )
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    print(f'{args.out}: {result["written"]} sequences written, {result["skipped"]} were already there')
    return 0


if __name__ == '__main__':
    sys.exit(main())
