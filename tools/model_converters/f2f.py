"""Convert the released networks of F2F (.net) to a checkpoint of F2FForecaster, without the detector."""

from mmforecast.cli.common import cli_errors
from mmforecast.cli.converter_options import converter_parser
from mmforecast.weight_conversion import f2f_to_neck, read_f2f, save_weights

EXAMPLES = """examples:
  # all levels, P2 with three scales (F2F.net has 65,158,144 weights)
  python tools/model_converters/f2f.py models/F2F/F2F.net checkpoints/f2f.pth
  # a single level
  python tools/model_converters/f2f.py models/F2F/single_levels/F2F5_no_ar_ft.net \\
      checkpoints/f2f5.pth
  # some levels, in the order of the file
  python tools/model_converters/f2f.py two_levels.net checkpoints/f2f_p4_p5.pth --levels P5 P4
"""


def parse_args():
    parser = converter_parser(__doc__, EXAMPLES, "the authors' .net file")
    parser.add_argument(
        '--levels',
        nargs='+',
        metavar='LEVEL',
        help='pyramid levels of the file in its order (default: by their names in it, or P5 P4 P3 P2)',
    )
    return parser.parse_args()


def main():
    args = parse_args()
    weights = f2f_to_neck(read_f2f(args.input, args.allow_unsafe_checkpoint), args.levels)
    state = {f'predictor.{name}': value for name, value in weights.items()}
    save_weights(args.output, state, converted_from=args.input.name)
    scales = [
        len({name.split('.')[3] for name in weights if name.startswith(f'nets.{level}.')})
        for level in range(1 + max(int(name.split('.')[1]) for name in weights))
    ]
    print(
        f'{args.output}: {sum(value.numel() for value in weights.values()):,} weights, '
        f'num_scales={scales} from the finest level to the coarsest; the detector is not in it'
    )


if __name__ == '__main__':
    with cli_errors():
        main()
