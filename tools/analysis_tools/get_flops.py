"""Parameters and multiply-adds of encoder, predictor and decoder, for one forecast.

Counted by PyTorch's own FlopCounterMode: unlike mmengine.analysis, which traces a network while it computes,
it sees meta tensors, so that the largest network on the largest frames takes seconds and no memory. What
needs data, such as optical flow, runs on the CPU instead. Only matrix products and convolutions are counted:
not optical flow, warping, matching or non-maximum suppression.
"""

import argparse

from mmengine.config import DictAction

from mmforecast.apis.compare import baselines_of
from mmforecast.apis.complexity import count_costs
from mmforecast.apis.evaluate import load_config
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation.table import format_table

EXAMPLES = """examples:
  # the paper's F2F at full size
  python tools/analysis_tools/get_flops.py configs/f2f/f2f_mask-rcnn_r50-fpn_cityscapes.py
  # what looks at optical flow needs data, so it computes
  python tools/analysis_tools/get_flops.py configs/motion/s2s_cgnet_driving.py --shape 512 1024
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
    parser.add_argument(
        '--device',
        choices=['auto', 'meta', 'cpu'],
        default='auto',
        help='meta counts by shapes alone; auto takes cpu where a part needs data',
    )
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
                'whole forecast': cost.forecast_macs / 1e9,
            }
        )
    total = {'part': 'total', 'parameters': sum(row['parameters'] for row in rows)}
    for column in ('one call', 'whole forecast'):
        total[column] = sum(row[column] for row in rows)
    return [*rows, total]


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    baselines_of(cfg)  # refuses what is no forecaster
    if args.num_past is not None:
        cfg.model.num_past = args.num_past
        if 'num_past' in cfg.model.predictor:
            cfg.model.predictor.num_past = args.num_past
    costs, model, reason = count_costs(cfg, tuple(args.shape), args.device)
    print(
        f'{args.shape[0]}x{args.shape[1]}, {model.num_past} past frames, '
        f'{model.test_steps} steps; in GMAC (1 multiply-add is 2 FLOPs)'
    )
    if reason:
        print(f'counted on the CPU: {reason}')
    if not (model.encoder.from_rgb or costs[0].macs):
        print(f'the representation of {type(model.encoder).__name__} comes with the data and costs 0')
    print(format_table(rows_of(costs), decimals=3))


if __name__ == '__main__':
    with cli_errors():
        main()
