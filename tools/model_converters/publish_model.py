"""Keep the weights of a checkpoint, drop what only training needs, and name it by its content."""

import argparse
import hashlib
from pathlib import Path

from mmforecast.engine import cli_errors, load_checkpoint
from mmforecast.engine.atomic import write_atomically
from mmforecast.utils.weight_conversion.files import checkpoint_bytes, to_half

EXAMPLES = """examples:
  # writes checkpoints/s2s-<first 8 hex digits of its sha256>.pth
  python tools/model_converters/publish_model.py work_dirs/s2s/iter_500.pth checkpoints/s2s.pth
  # half the size
  python tools/model_converters/publish_model.py work_dirs/f2f/epoch_10.pth checkpoints/f2f.pth \\
      --fp16
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', type=Path, help='a training checkpoint')
    parser.add_argument(
        'output', type=Path, help='the checkpoint to write; its name gets the suffix'
    )
    parser.add_argument(
        '--fp16',
        action='store_true',
        help='half-precision weights (statistics of normalisation stay as they are); models read '
        'them as their own precision',
    )
    return parser.parse_args()


def main():
    args = parse_args()
    checkpoint = load_checkpoint(str(args.input), map_location='cpu')
    if 'state_dict' not in checkpoint:
        raise ValueError(f"{args.input} has no 'state_dict': give a checkpoint of a training run")
    state = checkpoint['state_dict']
    data = checkpoint_bytes(to_half(state) if args.fp16 else state, checkpoint.get('meta', {}))
    digest = hashlib.sha256(data).hexdigest()
    final = args.output.with_name(f'{args.output.name.removesuffix(".pth")}-{digest[:8]}.pth')
    final.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(str(final), data)
    dropped = sorted(set(checkpoint) - {'state_dict', 'meta'})
    print(f'{final}: {len(data) / 1e6:.1f} MB; left out: {", ".join(dropped) or "nothing"}')


if __name__ == '__main__':
    with cli_errors():
        main()
