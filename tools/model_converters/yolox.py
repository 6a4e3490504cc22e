"""Convert weights of Megvii's YOLOX (.pth) to a checkpoint of mmdet's YOLOX."""

from mmforecast.cli.common import cli_errors
from mmforecast.cli.converter_options import converter_parser
from mmforecast.weight_conversion import read_yolox, save_weights, yolox_config, yolox_to_mmdet

EXAMPLES = """examples:
  python tools/model_converters/yolox.py yolox_nano.pth checkpoints/yolox_nano.pth
  # then forecast the boxes that it detects
  mmforecast predict my.mp4 --model yolox_nano_8xb8-300e_coco checkpoints/yolox_nano.pth

Take files of release 0.1.1rc0 or later: mmdet's configs don't normalize frames, as those of 0.1.0 need.
"""


def parse_args():
    return converter_parser(__doc__, EXAMPLES, "Megvii's .pth file").parse_args()


def main():
    args = parse_args()
    state = yolox_to_mmdet(read_yolox(args.input, args.allow_unsafe_checkpoint))
    save_weights(args.output, state, converted_from=args.input.name)
    config = yolox_config(state)
    print(
        f'{args.output}: {sum(value.numel() for value in state.values()):,} weights, of mmdet config '
        f'{config or "none that it ships: set widen_factor, deepen_factor and num_classes as in the training"}'
    )


if __name__ == '__main__':
    with cli_errors():
        main()
