"""Write the segmentor's scores of every frame to disk, once, for S2S training to read.

fp16, one memory-mapped array per sequence, resumable. Cityscapes at 19x128x256 takes 1.25 MB a frame: the
7 frames of each of the 2,975 training sequences 26 GB, of the 500 validation sequences 4.4 GB.
"""

import argparse
from pathlib import Path

import torch
from mmengine.config import DictAction
from mmengine.registry import DefaultScope

from mmforecast.apis.evaluate import SCOPE, load_config
from mmforecast.apis.extract import extract_representations
from mmforecast.datasets.representation_store import file_sha256
from mmforecast.engine import cli_errors
from mmforecast.registry import DATASETS, MODELS

EXAMPLES = """examples:
  python tools/extract_representations.py configs/s2s/s2s_2scale_cityscapes_online.py \\
      checkpoints/pspnet_r50-d8_cityscapes.pth --out data/cityscapes/scores
  # the same for a horizon of 10 steps, validation only
  python tools/extract_representations.py CONFIG CHECKPOINT --out DIR --splits val \\
      --cfg-options val_dataloader.dataset.num_future=10
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config whose model.encoder is a SegmentorEncoder')
    parser.add_argument('checkpoint', help="the segmentor's weights; 'none' for none")
    parser.add_argument('--out', type=Path, required=True, help='writes OUT/<split> for each split')
    parser.add_argument(
        '--splits',
        nargs='+',
        default=['train', 'val'],
        help='data loaders of the config to take the frames of (train, val, test)',
    )
    parser.add_argument('--chunk', type=int, default=8, help='frames per forward pass')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    checkpoint = None if args.checkpoint == 'none' else args.checkpoint
    encoder_cfg = cfg.model.encoder.to_dict()
    if checkpoint is not None:
        encoder_cfg['checkpoint'] = checkpoint
    with DefaultScope.overwrite_default_scope(SCOPE):
        encoder = MODELS.build(encoder_cfg)
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        encoder = encoder.to(device).eval()
        digest = file_sha256(checkpoint) if checkpoint else ''
        for split in args.splits:
            dataset_cfg = cfg[f'{split}_dataloader'].dataset.to_dict()
            dataset = DATASETS.build(dict(dataset_cfg, pipeline=[]))
            report = extract_representations(
                encoder, dataset, str(args.out / split), Path(args.config).stem, digest, args.chunk
            )
            print(
                f'{split}: {report["written"]} sequences written, {report["kept"]} were there, '
                f'{report["bytes"] / 1e9:.2f} GB in {args.out / split}'
            )
            for message in report['corrupt']:
                print(f'left out: {message}')


if __name__ == '__main__':
    with cli_errors():
        main()
