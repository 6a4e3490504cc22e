"""Convert the released checkpoints of FUTURIST and DINO-Foresight to checkpoints of our forecasters."""

from mmforecast.cli.common import cli_errors
from mmforecast.cli.converter_options import converter_parser
from mmforecast.weight_conversion import (
    dino_foresight_to_forecaster,
    dpt_to_segmentor,
    futurist_to_predictor,
    read_lightning,
    save_weights,
)

EXAMPLES = """examples:
  # for configs/masked_labels/masked-labels_depth_cityscapes.py, without the segmentor
  python tools/model_converters/masked_transformer.py futurist futurist.ckpt checkpoints/futurist.pth
  # for configs/masked_features/masked-features_cityscapes.py, without the vision transformer and the head
  python tools/model_converters/masked_transformer.py dino-foresight dinof_lowres.ckpt checkpoints/dinof.pth
  # neck and head of the segmentor in configs/segmentors/dpt_dinov2_cityscapes.py
  python tools/model_converters/masked_transformer.py dpt-head seg_head.ckpt checkpoints/dpt_head.pth
"""


def _predictor(state):
    return {f'predictor.{name}': value for name, value in futurist_to_predictor(state).items()}


KINDS = {
    'futurist': _predictor,
    'dino-foresight': dino_foresight_to_forecaster,
    'dpt-head': dpt_to_segmentor,
}


def parse_args():
    return converter_parser(__doc__, EXAMPLES, "the authors' .ckpt file", sorted(KINDS)).parse_args()


def main():
    args = parse_args()
    state = KINDS[args.kind](read_lightning(args.input, args.allow_unsafe_checkpoint))
    save_weights(args.output, state, converted_from=args.input.name)
    print(f'{args.output}: {sum(value.numel() for value in state.values()):,} weights of {len(state)} names')


if __name__ == '__main__':
    with cli_errors():
        main()
