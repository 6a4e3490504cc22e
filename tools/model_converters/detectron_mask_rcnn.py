"""Convert Mask R-CNN R-50-FPN of Detectron (.pkl) to a checkpoint of mmdet."""

from mmengine.config import Config

from mmforecast.cli.common import cli_errors
from mmforecast.cli.converter_options import converter_parser
from mmforecast.weight_conversion import (
    DETECTRON_CITYSCAPES_CLASSES,
    MMDET_SETTINGS,
    bbox_reg_weights,
    class_order,
    detectron_to_mmdet,
    read_detectron,
    save_weights,
)

EXAMPLES = """examples:
  # the detector of the F2F authors
  python tools/model_converters/detectron_mask_rcnn.py model_final.pkl checkpoints/mask_rcnn.pth
  # a model whose output rows stand for other classes, or for the same in another order
  python tools/model_converters/detectron_mask_rcnn.py model_final.pkl checkpoints/mask_rcnn.pth \\
      --classes __background__ person rider car truck bus train motorcycle bicycle
"""
NOTES = """Boxes: Detectron's columns are inclusive, mmdet's are not, so decoded boxes can differ by up to
one pixel; its anchors are rounded, so they differ from mmdet's by up to 6% in width and height."""


def parse_args():
    parser = converter_parser(f'{__doc__}\n\n{NOTES}', EXAMPLES, 'weights file of Detectron', pickled=False)
    parser.add_argument(
        '--classes',
        nargs='+',
        default=list(DETECTRON_CITYSCAPES_CLASSES),
        help='classes of the file in its order, background first (default: %(default)s); these '
        'eight come out in the order person, rider, car, truck, bus, train, motorcycle, bicycle',
    )
    parser.add_argument(
        '--bbox-reg-weights',
        type=float,
        nargs=4,
        metavar='W',
        help="MODEL.BBOX_REG_WEIGHTS of the model (default: by the file's config)",
    )
    return parser.parse_args()


def main():
    args = parse_args()
    blobs, cfg = read_detectron(args.input)
    reg_weights = args.bbox_reg_weights or bbox_reg_weights(cfg)
    state = detectron_to_mmdet(blobs, args.classes, reg_weights)
    classes = class_order(args.classes)
    save_weights(args.output, state, converted_from=args.input.name, dataset_meta=dict(classes=list(classes)))
    print(f'{args.output}: {len(state)} tensors; labels 0 to {len(classes) - 1}: {", ".join(classes)}')
    print(f'Box regression weights of the file: {tuple(reg_weights)}')
    print('The model needs, on top of mmdet::_base_/models/mask-rcnn_r50_fpn.py (num_classes for 8):')
    print(Config(dict(model=MMDET_SETTINGS)).pretty_text)
    print(NOTES)


if __name__ == '__main__':
    with cli_errors():
        main()
