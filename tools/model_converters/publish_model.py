"""Keep the weights of a checkpoint, drop what only training needs, and name it by its content."""

import argparse
import hashlib
from pathlib import Path

from mmforecast.cli.common import cli_errors
from mmforecast.fileio import load_checkpoint
from mmforecast.fileio.atomic import write_atomically
from mmforecast.weight_conversion.files import checkpoint_bytes, to_half

EXAMPLES = """examples:
  # writes checkpoints/s2s-<first 8 hex digits of its sha256>.pth
  python tools/model_converters/publish_model.py work_dirs/s2s/iter_500.pth checkpoints/s2s.pth
  # half the size
  python tools/model_converters/publish_model.py work_dirs/f2f/epoch_10.pth checkpoints/f2f.pth \\
      --fp16
  # the predictor alone, for a forecaster whose config names the weights of its frozen detector
  python tools/model_converters/publish_model.py work_dirs/f2f/iter_400.pth checkpoints/f2f.pth \\
      --prefix predictor.
"""

# What says how the weights came about; the rest, as the config, may hold paths of this machine.
KEPT_META = ('epoch', 'iter', 'seed', 'dataset_meta', 'mmengine_version', 'time')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', type=Path, help='a training checkpoint')
    parser.add_argument('output', type=Path, help='the checkpoint to write; its name gets the suffix')
    parser.add_argument(
        '--fp16',
        action='store_true',
        help='half-precision weights (statistics of normalization stay as they are); models read '
        'them as their own precision',
    )
    parser.add_argument('--prefix', default='', help='keep only the weights whose names begin so')
    return parser.parse_args()


def main():
    args = parse_args()
    checkpoint = load_checkpoint(str(args.input), map_location='cpu')
    if 'state_dict' not in checkpoint:
        raise ValueError(f"{args.input} has no 'state_dict': give a checkpoint of a training run")
    whole = checkpoint['state_dict']
    state = {name: value for name, value in whole.items() if name.startswith(args.prefix)}
    if not state:
        raise ValueError(
            f'{args.input} has no weights under {args.prefix!r}; its names begin with '
            f'{sorted({name.split(".")[0] for name in whole})}'
        )
    meta = {k: v for k, v in checkpoint.get('meta', {}).items() if k in KEPT_META}
    data = checkpoint_bytes(to_half(state) if args.fp16 else state, meta)
    digest = hashlib.sha256(data).hexdigest()
    final = args.output.with_name(f'{args.output.name.removesuffix(".pth")}-{digest[:8]}.pth')
    final.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(str(final), data)
    dropped = sorted(set(checkpoint) - {'state_dict', 'meta'})
    print(f'{final}: {len(data) / 1e6:.1f} MB; left out: {", ".join(dropped) or "nothing"}')


if __name__ == '__main__':
    with cli_errors():
        main()
