"""Write the instances of a dataset in Cityscapes' layout as COCO files, to train mmdet detectors on."""

import argparse
import json
from pathlib import Path

import cv2

from mmforecast.cli.common import cli_errors
from mmforecast.datasets.coco_export import coco_annotations, coco_dataset
from mmforecast.datasets.file_access import FileReader
from mmforecast.datasets.junk_files import is_junk_path
from mmforecast.datasets.transforms.loading import read_image
from mmforecast.fileio.atomic import write_atomically
from mmforecast.utils.progress import progress_bar

EXAMPLES = """examples:
  # the annotated frames of Cityscapes: annotations/instances_train.json and _val.json
  python tools/dataset_converters/cityscapes_to_coco.py data/cityscapes

  # every third frame of the synthetic street, which has labels on all of them
  python tools/dataset_converters/cityscapes_to_coco.py data/synthetic_street --sequence --every 3
"""
SUFFIX = '_gtFine_instanceIds.png'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_root', type=Path)
    parser.add_argument('--splits', nargs='+', default=['train', 'val'])
    parser.add_argument('--sequence', action='store_true', help='read gtFine_sequence: labels on all frames')
    parser.add_argument('--every', type=int, default=1, help='take every n-th file (default: 1)')
    parser.add_argument(
        '--out', type=Path, help='folder for the files (default: annotations in the data root)'
    )
    return parser.parse_args()


def convert(root: Path, split: str, sequence: bool, every: int) -> dict:
    """The COCO content of one split; file names are relative to ``root``."""
    ending = '_sequence' if sequence else ''
    folder = root / f'gtFine{ending}' / split
    found = sorted(folder.rglob(f'*{SUFFIX}'))
    paths = [path for path in found if not is_junk_path(path.relative_to(folder))][::every]
    if not paths:
        raise FileNotFoundError(
            f'{folder} holds no *{SUFFIX}: give the root of a data set in the layout of Cityscapes'
        )
    images, annotations, reader = [], [], FileReader()
    for path in progress_bar(paths, desc=split):
        id_map = read_image(reader, str(path), cv2.IMREAD_UNCHANGED, path.name.replace(SUFFIX, ''))
        if id_map.ndim != 2:
            raise ValueError(f'{path} is not an instanceIds image: restore the file')
        name = path.relative_to(root / f'gtFine{ending}').as_posix()
        name = f'leftImg8bit{ending}/' + name.replace(SUFFIX, '_leftImg8bit.png')
        height, width = id_map.shape
        image = dict(id=len(images), file_name=name, height=height, width=width)
        annotations += coco_annotations(id_map.astype(int), image['id'], len(annotations) + 1)
        images.append(image)
    return coco_dataset(images, annotations)


def main() -> None:
    args = parse_args()
    out = args.out or args.data_root / 'annotations'
    out.mkdir(parents=True, exist_ok=True)
    for split in args.splits:
        content = convert(args.data_root, split, args.sequence, args.every)
        path = out / f'instances_{split}.json'
        write_atomically(str(path), json.dumps(content).encode())
        print(f'{path}: {len(content["images"])} frames, {len(content["annotations"])} instances')


if __name__ == '__main__':
    with cli_errors():
        main()
