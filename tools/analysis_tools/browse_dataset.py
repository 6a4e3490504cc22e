"""Draw clips, or single images, of a config's dataset as the model gets them."""

import argparse
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import DefaultScope

from mmforecast.apis.evaluate import SCOPE, load_config
from mmforecast.cli.common import cli_errors
from mmforecast.creative.datasets import BaseAttributeDataset
from mmforecast.fileio.atomic import write_png
from mmforecast.registry import DATASETS
from mmforecast.utils.progress import progress_bar
from mmforecast.visualization import ForecastLocalVisualizer, image_grid

EXAMPLES = """examples:
  python tools/analysis_tools/browse_dataset.py configs/s2s/s2s_warp_tiny_synthetic.py
  python tools/analysis_tools/browse_dataset.py CONFIG --split train --number 20 --out-dir pictures

  # single images: all on one sheet, with their labels
  python tools/analysis_tools/browse_dataset.py configs/_base_/datasets/garments_64.py --number 48
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--split', default='val', choices=['train', 'val', 'test'])
    parser.add_argument('--number', type=int, default=8, help='clips or images to draw (default: 8)')
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/browse_dataset'))
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = DATASETS.build(cfg[f'{args.split}_dataloader'].dataset.to_dict())
    args.number = min(args.number, len(dataset))
    draw = draw_images if isinstance(dataset, BaseAttributeDataset) else draw_clips
    draw(args, dataset)


def draw_clips(args, dataset):
    visualizer = ForecastLocalVisualizer()
    visualizer.dataset_meta = dataset.metainfo
    for index in progress_bar(range(args.number), desc='clips'):
        item = dataset[index * len(dataset) // args.number]
        sample = item['data_samples']
        name = f'{sample.sequence_id}_{sample.frame_indices[0]:06d}.png'
        visualizer.add_datasample(
            name, item['inputs'], sample, draw_pred=False, out_file=str(args.out_dir / name)
        )
    print(f'{args.number} of {len(dataset)} clips drawn in {args.out_dir}')


def draw_images(args, dataset):
    images, captions = [], []
    for index in range(args.number):
        item = dataset[index * len(dataset) // args.number]
        images.append(item['inputs'].numpy().transpose(1, 2, 0))
        labels = item['data_samples'].gt_labels
        known = [dataset.attributes[name][label] for name, label in labels.items() if label >= 0]
        captions.append(', '.join(known))
    args.out_dir.mkdir(parents=True, exist_ok=True)
    path = args.out_dir / f'{args.split}.png'
    grid = image_grid(images, columns=12, cell=96, captions=captions)
    write_png(path, grid)
    print(f'{args.number} of {len(dataset)} images drawn in {path}')


if __name__ == '__main__':
    with cli_errors():
        main()
