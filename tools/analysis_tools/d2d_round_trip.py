"""What comes back from true distance maps: label maps, and objects grown from their own seeds."""

import argparse
from collections import Counter

import cv2
import numpy as np
import torch
from mmengine.config import DictAction

from mmforecast.apis import load_config
from mmforecast.apis.evaluate import build_loader
from mmforecast.cli.common import cli_errors
from mmforecast.evaluation.table import format_table
from mmforecast.models.decoders import DistanceMapDecoder
from mmforecast.models.encoders import DistanceMapEncoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.structures import ForecastDataSample

EXAMPLES = """examples:
  python tools/analysis_tools/d2d_round_trip.py configs/d2d/d2d_warp_tiny_synthetic.py
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='its test data are read, with ground-truth instances')
    parser.add_argument('--min-region-size', type=int, default=1, help='pixels of an object')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def touches_its_class(mask, others):
    """Whether any of ``others`` (N, H, W) has a pixel among the eight neighbors of ``mask``."""
    wide = cv2.dilate(mask.numpy().astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return bool((others & torch.from_numpy(wide)).any())


def round_trip(decoder, encoder, sample, time, min_area, counts):
    """Decode one frame of a clip from its own maps, as if its objects had been seen just before."""
    one = ForecastDataSample(metainfo=dict(sample.metainfo_items()))
    one.gt_instance_map = type(sample.gt_instance_map)(data=sample.gt_instance_map.data[time : time + 1])
    one.set_metainfo(dict(labelled=[True]))
    maps, objects = encoder.encode(None, [one])
    decoder.decode([maps], [one], context=ForecastContext(None, [one], objects=objects))
    (truth,), (found,) = one.gt_instances, one.pred_instances
    painted = torch.full_like(one.pred_sem_seg.data[0], 255)
    for label, mask in zip(truth.labels, truth.masks):
        painted[mask] = 11 + label
    counts['pixels'] += painted.numel()
    counts['wrong pixels'] += int((painted != one.pred_sem_seg.data[0]).sum())
    for index, (label, mask) in enumerate(zip(truth.labels, truth.masks)):
        if mask.sum() < min_area:
            continue
        same = found.masks[found.labels == label]
        iou = (same & mask).sum((1, 2)) / (same | mask).sum((1, 2)) if len(same) else torch.zeros(1)
        peers = truth.labels == label
        peers[index] = False
        kind = 'touching' if touches_its_class(mask, truth.masks[peers]) else 'apart'
        counts[kind] += 1
        counts[f'{kind} found'] += bool((iou > 0.5).any())


def main():
    args = parse_args()
    loader = build_loader(load_config(args.config, args.cfg_options))
    encoder, rows = DistanceMapEncoder(), []
    seeds = {name: DistanceMapDecoder(seeds=name) for name in ('core', 'centroid')}
    counts = {name: Counter() for name in seeds}
    for batch in loader:
        for sample in batch['data_samples']:
            for time in range(sample.num_past, sample.num_past + sample.num_future):
                for name, decoder in seeds.items():
                    round_trip(decoder, encoder, sample, time, args.min_region_size, counts[name])
    for name, count in counts.items():
        row = dict(seeds=name, wrong=count['wrong pixels'])
        for kind in ('touching', 'apart'):
            row[kind] = count[kind]
            row[f'{kind}, IoU > .5 (%)'] = 100 * count[f'{kind} found'] / max(count[kind], 1)
        rows.append(row)
    print(f'{counts["core"]["pixels"]} pixels, objects from {args.min_region_size} pixels on')
    print(format_table(rows, decimals=2))


if __name__ == '__main__':
    with cli_errors():
        main()
