"""Write instance maps and COCO files for CamVid, made of the connected components of its label maps.

These are NOT true instance labels, which CamVid lacks: objects that touch each other become one
instance, and an object that something in front cuts apart becomes several. They are good for trying
things out on real video, not for numbers to compare with anything.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmforecast.cli.common import cli_errors
from mmforecast.datasets import CamVidSequenceDataset
from mmforecast.datasets.camvid_instances import INSTANCE_SUFFIX, camvid_instance_ids
from mmforecast.datasets.coco_export import coco_annotations, coco_dataset
from mmforecast.fileio.atomic import write_atomically
from mmforecast.utils.progress import progress_bar

EXAMPLES = """examples:
  python tools/dataset_converters/camvid_instances.py data/camvid

  # stills to train a detector on, without those close to the video that it is tried on
  python tools/dataset_converters/camvid_instances.py data/camvid_stills \\
      --out data/camvid_stills_instances --val-fraction 0.1 --leave-out 0016E5 7650 8400

It writes <out>/<frame>_instanceIds.png for every annotated frame, 16 bit as Cityscapes', for
CamVidSequenceDataset(instance_root=<out>), and <out>/annotations/instances_{train,val}.json, with
file names relative to the data root, for mmdet's detectors.
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_root', type=Path, help='folder with images/ and labels/')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('data/camvid_instances'),
        help='folder to write to (default: %(default)s)',
    )
    parser.add_argument(
        '--min-area',
        type=int,
        default=40,
        help='components of fewer pixels become a group, iscrowd in COCO (default: %(default)s)',
    )
    parser.add_argument(
        '--val-fraction',
        type=float,
        default=0.4,
        help='later part of each sequence that is val, as the data set has it (default: %(default)s)',
    )
    parser.add_argument(
        '--leave-out',
        nargs=3,
        metavar=('RECORDING', 'FIRST', 'LAST'),
        help='write no frames with these numbers of this recording',
    )
    return parser.parse_args()


def left_out(name: str, rule: Sequence[str] | None) -> bool:
    """Whether a frame called ``<recording>_<number>`` falls under ``--leave-out``."""
    if rule is None:
        return False
    recording, number = name.rsplit('_', 1)
    return recording == rule[0] and int(rule[1]) <= int(number.lstrip('f')) <= int(rule[2])


def convert(args: argparse.Namespace, split: str) -> dict:
    """Write the instance maps of one split; returns its COCO content."""
    root = args.data_root
    frames = CamVidSequenceDataset(
        str(root),
        split=split,
        val_fraction=args.val_fraction,
        num_past=1,
        num_future=0,
        test_mode=True,
        pipeline=[dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg')],
    )
    images, annotations = [], []
    for frame in progress_bar(frames, desc=split):
        name = frame['frame_names'][0]
        if not frame['labelled'][0] or left_out(name, args.leave_out):
            continue
        id_map = camvid_instance_ids(frame['gt_sem_seg'][0], args.min_area)
        _, png = cv2.imencode('.png', id_map.astype(np.uint16))
        write_atomically(str(args.out / f'{name}{INSTANCE_SUFFIX}'), png.tobytes())
        path = Path(os.path.relpath(frame['img_paths'][0], root)).as_posix()
        height, width = id_map.shape
        image = dict(id=len(images), file_name=path, height=height, width=width)
        annotations += coco_annotations(id_map, image['id'], len(annotations) + 1)
        images.append(image)
    if not images:
        raise FileNotFoundError(
            f'{root / "labels"} holds no label map of a frame in the {split} split: instances are '
            'made of label maps, restore them'
        )
    return coco_dataset(images, annotations)


def main() -> None:
    args = parse_args()
    (args.out / 'annotations').mkdir(parents=True, exist_ok=True)
    for split in ('train', 'val'):
        content = convert(args, split)
        path = args.out / 'annotations' / f'instances_{split}.json'
        write_atomically(str(path), json.dumps(content).encode())
        groups = sum(annotation['iscrowd'] for annotation in content['annotations'])
        print(
            f'{path}: {len(content["images"])} frames, {len(content["annotations"]) - groups} '
            f'components as instances and {groups} groups'
        )


if __name__ == '__main__':
    with cli_errors():
        main()
