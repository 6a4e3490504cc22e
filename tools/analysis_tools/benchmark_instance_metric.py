"""The instance metric against mmdet's CityScapesMetric: same predictions, same AP, how much faster."""

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.evaluation import CityScapesMetric
from mmengine.structures import InstanceData, PixelData

from mmforecast.cli.common import cli_errors
from mmforecast.datasets.file_access import FileReader
from mmforecast.datasets.transforms.loading import read_image
from mmforecast.evaluation import CityscapesInstanceMetric
from mmforecast.structures import THING_LABEL_IDS, ForecastDataSample

EXAMPLES = """examples:
  # four pictures of Cityscapes' size with 30 objects, and as many predictions as a detector gives at most
  python tools/analysis_tools/benchmark_instance_metric.py --images 4
  # one prediction for each object
  python tools/analysis_tools/benchmark_instance_metric.py --images 4 --predictions 30
"""


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=4)
    parser.add_argument('--objects', type=int, default=30, help='objects in each picture')
    parser.add_argument('--predictions', type=int, default=100, help='predictions for each picture')
    parser.add_argument('--size', type=int, nargs=2, default=(1024, 2048), metavar=('H', 'W'))
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def random_picture(rng, num_objects, num_predictions, size):
    """An id map (H, W) of ellipses, and predictions that miss them by a little."""
    height, width = size
    id_map = np.full(size, 7, dtype=np.uint16)
    id_map[: height // 10] = 3  # out of the region of interest
    objects = []
    for number in range(num_objects):
        label = int(rng.integers(len(THING_LABEL_IDS)))
        center = rng.uniform(0, 1, 2) * (width, height)
        axes = height * rng.uniform(0.02, 0.15) * rng.uniform(0.5, 1.5, 2)
        objects.append((label, center, axes))
        cv2.ellipse(id_map, *_ellipse(center, axes), THING_LABEL_IDS[label] * 1000 + number, -1)
    masks = np.zeros((num_predictions, *size), dtype=np.uint8)
    labels = []
    for index, mask in enumerate(masks):
        label, center, axes = objects[index % num_objects]
        labels.append(label)
        center = center + rng.normal(0, 0.1, 2) * axes
        cv2.ellipse(mask, *_ellipse(center, axes * rng.uniform(0.8, 1.2, 2)), 1, -1)
    instances = InstanceData(
        labels=torch.tensor(labels),
        scores=torch.from_numpy(rng.random(num_predictions, dtype=np.float32)),
        masks=torch.from_numpy(masks.astype(bool)),
    )
    return id_map, instances


def _ellipse(center, axes):
    return [int(c) for c in center], [max(int(a), 1) for a in axes], 0, 0, 360


def time_ours(id_map_paths, predictions):
    """Seconds, reading the ground truth included, and AP and AP50 in percent."""
    metric, reader = CityscapesInstanceMetric(), FileReader()
    start = time.perf_counter()
    for path, instances in zip(id_map_paths, predictions):
        id_map = read_image(reader, str(path), cv2.IMREAD_UNCHANGED, path.stem).astype(np.int32)
        sample = ForecastDataSample(metainfo={'num_past': 0, 'img_shape': id_map.shape})
        sample.gt_instance_map = PixelData(data=torch.from_numpy(id_map)[None])
        sample.pred_instances = [instances]
        metric.process({}, [sample])
    scores = metric.evaluate(len(predictions))
    return time.perf_counter() - start, scores['AP'], scores['AP50']


def time_mmdet(id_map_paths, predictions, folder):
    """Seconds, and AP and AP50 in percent; the metric writes its pictures below ``folder``."""
    metric = CityScapesMetric(outfile_prefix=str(folder / 'out'), seg_prefix='unused')
    metric.dataset_meta = {'classes': CityscapesInstanceMetric.CLASSES}
    start = time.perf_counter()
    for path, instances in zip(id_map_paths, predictions):
        frame = str(path).replace('gtFine_instanceIds', 'leftImg8bit')
        metric.process({}, [{'pred_instances': instances, 'img_path': frame}])
    with contextlib.redirect_stdout(io.StringIO()):  # the official script's progress
        scores = metric.evaluate(len(predictions))
    seconds = time.perf_counter() - start
    return seconds, 100 * scores['cityscapes/mAP'], 100 * scores['cityscapes/AP@50']


def main():
    args = parse_args()
    rng = np.random.default_rng(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths, predictions = [], []
        for index in range(args.images):
            id_map, instances = random_picture(rng, args.objects, args.predictions, args.size)
            paths.append(folder / f'town_{index:06d}_000019_gtFine_instanceIds.png')
            cv2.imwrite(str(paths[-1]), id_map)
            predictions.append(instances)
        ours, *our_scores = time_ours(paths, predictions)
        theirs, *their_scores = time_mmdet(paths, predictions, folder)
    print(f'ours {ours / args.images:.3f} s a picture, mmdet {theirs / args.images:.3f} s')
    print(f'mmdet / ours: {theirs / ours:.1f}')
    print('AP and AP50: ours {:.6f} {:.6f}, mmdet {:.6f} {:.6f}'.format(*our_scores, *their_scores))
    if not np.allclose(our_scores, their_scores, atol=1e-6, equal_nan=True):
        raise SystemExit('the two metrics disagree')


if __name__ == '__main__':
    with cli_errors():
        main()
