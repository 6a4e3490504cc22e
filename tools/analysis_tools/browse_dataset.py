"""Draw clips of a config's data set as the model gets them."""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import DefaultScope
from tqdm import tqdm

from mmforecast.apis.evaluate import SCOPE, load_config
from mmforecast.engine import cli_errors
from mmforecast.registry import DATASETS
from mmforecast.visualization import ForecastLocalVisualizer

EXAMPLES = """examples:
  python tools/analysis_tools/browse_dataset.py configs/s2s/s2s_warp_tiny_synthetic.py
  python tools/analysis_tools/browse_dataset.py CONFIG --split train --number 20 --out-dir pictures
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--split', default='val', choices=['train', 'val', 'test'])
    parser.add_argument('--number', type=int, default=8, help='clips to draw (default: 8)')
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/browse_dataset'))
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = DATASETS.build(cfg[f'{args.split}_dataloader'].dataset.to_dict())
    visualizer = ForecastLocalVisualizer()
    visualizer.dataset_meta = dataset.metainfo
    number = min(args.number, len(dataset))
    for index in tqdm(range(number), desc='clips'):
        item = dataset[index * len(dataset) // number]
        sample = item['data_samples']
        name = f'{sample.sequence_id}_{sample.frame_indices[0]:06d}.png'
        visualizer.add_datasample(
            name, item['inputs'], sample, draw_pred=False, out_file=str(args.out_dir / name)
        )
    print(f'{number} of {len(dataset)} clips drawn in {args.out_dir}')


if __name__ == '__main__':
    with cli_errors():
        main()
