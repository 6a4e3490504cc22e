"""Measure mean, deviation and principal components of an encoder's features, and store them."""

import argparse
from pathlib import Path

from mmengine.config import DictAction

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.feature_statistics import measure_features
from mmforecast.cli.common import cli_errors
from mmforecast.weight_conversion import save_weights

EXAMPLES = """examples:
  python tools/analysis_tools/feature_statistics.py configs/masked_features/masked-features_cityscapes.py \\
      work_dirs/dinov2_components.pth --clips 600
  python tools/train.py configs/masked_features/masked-features_cityscapes.py \\
      --cfg-options model.encoder.statistics=work_dirs/dinov2_components.pth
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='of a forecaster whose encoder standardizes its features')
    parser.add_argument('output', type=Path, help='the file to write')
    parser.add_argument('--clips', type=int, default=256, help='training clips to measure (default: 256)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    state = measure_features(load_config(args.config, args.cfg_options), args.clips)
    save_weights(args.output, state)
    print(f'{args.output}: {", ".join(f"{name} {tuple(value.shape)}" for name, value in state.items())}')


if __name__ == '__main__':
    with cli_errors():
        main()
