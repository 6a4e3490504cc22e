"""Put F2F checkpoints of single pyramid levels together to one of the whole pyramid."""

import argparse
from pathlib import Path

from mmforecast.cli.common import cli_errors
from mmforecast.fileio import load_checkpoint
from mmforecast.weight_conversion import assemble_levels, save_weights

EXAMPLES = """examples:
  python tools/model_converters/assemble_f2f.py --p2 work_dirs/f2f2/epoch_10.pth \\
      --p3 work_dirs/f2f3/epoch_10.pth --p4 work_dirs/f2f4/epoch_10.pth \\
      --p5 work_dirs/f2f5/epoch_60.pth checkpoints/f2f.pth
"""
LEVELS = ('P2', 'P3', 'P4', 'P5')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for level in LEVELS:
        parser.add_argument(f'--{level.lower()}', metavar='CHECKPOINT', help=f'forecaster of {level} alone')
    parser.add_argument('output', type=Path, help='the checkpoint to write')
    args = parser.parse_args()
    args.stages = {level: path for level in LEVELS if (path := getattr(args, level.lower()))}
    if len(args.stages) < 2:
        parser.error('give at least two of --p2, --p3, --p4 and --p5')
    return args


def main():
    args = parse_args()
    stages = {}
    for level, path in args.stages.items():
        checkpoint = load_checkpoint(path, map_location='cpu')
        stages[level] = checkpoint.get('state_dict', checkpoint)
    state = assemble_levels(stages)
    names = {level: Path(path).name for level, path in args.stages.items()}
    save_weights(args.output, state, assembled_from=names)
    weights = sum(value.numel() for name, value in state.items() if name.startswith('predictor.'))
    print(f'{args.output}: {", ".join(stages)}, {weights:,} weights besides the detector')


if __name__ == '__main__':
    with cli_errors():
        main()
