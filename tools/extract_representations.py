"""Write what a frozen network makes of every frame to disk, once, for training to read.

A segmentor's scores for S2S, or the levels of a detector's feature pyramid for F2F, as many as the disk can
take. fp16, one memory-mapped array per sequence and level, resumable; levels can be added later. The sizes
are printed before it starts, and --dry-run prints nothing else (docs/data.md has them for Cityscapes).
Frames are resized, cropped and padded to a multiple as in the pipeline of their data; nothing random is done.
"""

import argparse
from pathlib import Path

import torch
from mmengine.config import DictAction
from mmengine.registry import DefaultScope

from mmforecast.apis.evaluate import SCOPE, load_config
from mmforecast.apis.extract import RESIZING, extract_representations
from mmforecast.cli.common import cli_errors
from mmforecast.registry import DATASETS, MODELS, TRANSFORMS
from mmforecast.utils.source_configs import source_configs

EXAMPLES = """examples:
  python tools/extract_representations.py configs/s2s/s2s_2scale_cityscapes_online.py \\
      none --out data/cityscapes/scores
  # the same for a horizon of 10 steps, validation only
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --splits val \\
      --cfg-options val_dataloader.dataset.num_future=10
  # how large the levels of a detector's pyramid are; then two of them
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --dry-run
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --levels P5 P4
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config whose model.encoder is a SegmentorEncoder or a DetectorEncoder')
    parser.add_argument(
        'checkpoint', help="the segmentor's or detector's weights; 'none' for those of the config"
    )
    parser.add_argument('--out', type=Path, required=True, help='writes OUT/<split> for each split')
    parser.add_argument(
        '--splits',
        nargs='+',
        default=['train', 'val'],
        help='data loaders of the config to take the frames of: train, val, or another <name>_dataloader',
    )
    parser.add_argument('--levels', nargs='+', help='levels of the pyramid, e.g. P5 P4 (default: all)')
    parser.add_argument('--dry-run', action='store_true', help='print the sizes, write nothing')
    parser.add_argument('--chunk', type=int, default=8, help='frames per forward pass')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def resizes(step: dict) -> bool:
    """Whether a transform of a pipeline is among those that frames are extracted through."""
    kind = step['type']
    return (TRANSFORMS.get(kind) if isinstance(kind, str) else kind) in RESIZING


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    encoder_cfg = cfg.model.encoder.to_dict()
    if args.checkpoint != 'none':
        encoder_cfg['checkpoint'] = args.checkpoint
    with DefaultScope.overwrite_default_scope(SCOPE):
        encoder = MODELS.build(encoder_cfg)
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        encoder = encoder.to(device).eval()
        for split in args.splits:
            dataset_cfg = cfg[f'{split}_dataloader'].dataset.to_dict()
            for source in source_configs(dataset_cfg):
                source['pipeline'] = [step for step in source.get('pipeline', ()) if resizes(step)]
            dataset = DATASETS.build(dataset_cfg)
            print(f'{split}:')
            report = extract_representations(
                encoder,
                dataset,
                str(args.out / split),
                Path(args.config).stem,
                args.levels,
                args.chunk,
                args.dry_run,
            )
            if not args.dry_run:
                print(f'{report["written"]} sequences written, {report["kept"]} were there')
            for message in report['corrupt']:
                print(f'left out: {message}')


if __name__ == '__main__':
    with cli_errors():
        main()
