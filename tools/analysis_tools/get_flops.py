"""Parameters and multiply-adds of encoder, predictor and decoder, for one forecast.

Counted by PyTorch's own FlopCounterMode: unlike mmengine.analysis, which traces a network while it computes,
it sees meta tensors, so that the largest network on the largest frames takes seconds and no memory.
"""

import argparse

from mmengine.config import DictAction

from mmforecast.apis.complexity import complexity
from mmforecast.apis.evaluate import build_forecaster, load_config
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation.table import format_table

EXAMPLES = """examples:
  # the paper's F2F at full size
  python tools/analysis_tools/get_flops.py configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py
  # what looks at optical flow needs frames, so it computes
  python tools/analysis_tools/get_flops.py configs/f2f/f2f_warp_tiny_synthetic.py --shape 128 256 --device cpu
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument(
        '--shape', type=int, nargs=2, default=(1024, 2048), metavar=('H', 'W'), help='of the frames'
    )
    parser.add_argument(
        '--num-past', type=int, help="past frames (default: the config's; also the predictor's)"
    )
    parser.add_argument('--device', choices=['meta', 'cpu'], default='meta')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def rows_of(costs):
    """Of the table, with a total of what one forecast takes."""
    rows = []
    for cost in costs:
        rows.append(
            {
                'part': cost.part,
                'parameters': cost.parameters,
                'GMAC': cost.macs / 1e9,
                'per': cost.unit,
                'one call': cost.short * cost.macs / 1e9,
                'whole forecast': cost.whole * cost.macs / 1e9,
            }
        )
    total = {'part': 'total', 'parameters': sum(row['parameters'] for row in rows)}
    for column in ('one call', 'whole forecast'):
        total[column] = sum(row[column] for row in rows)
    return [*rows, total]


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if 'encoder' not in cfg.model:
        raise ValueError(
            f'{args.config} has a model of type {cfg.model.type}, not a forecaster; choose a config with '
            'encoder, predictor and decoder'
        )
    if 'checkpoint' in cfg.model.encoder:
        cfg.model.encoder.checkpoint = None  # any weights cost the same
    if args.num_past is not None:
        cfg.model.num_past = args.num_past
        if 'num_past' in cfg.model.predictor:
            cfg.model.predictor.num_past = args.num_past
    model = build_forecaster(cfg)
    costs = complexity(model, tuple(args.shape), args.device)
    print(
        f'{args.shape[0]}x{args.shape[1]}, {model.num_past} past frames, '
        f'{model.test_steps} steps; in GMAC (1 multiply-add is 2 FLOPs)'
    )
    print(format_table(rows_of(costs), decimals=3))


if __name__ == '__main__':
    with cli_errors():
        main()
