"""Write a mask of the garment for every photograph of a folder.

No method is right always: look at the sheet. Masks that can't be right (almost nothing, almost everything,
or along the border) are not written but listed.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mmforecast.cli.common import cli_errors
from mmforecast.creative.datasets.garment_masks import METHODS, garment_mask, is_plausible
from mmforecast.datasets.image_files import IMAGE_SUFFIXES, BadImageError, decode_rgb
from mmforecast.datasets.junk_files import is_junk_path
from mmforecast.fileio.atomic import write_atomically, write_png
from mmforecast.utils.progress import progress_bar
from mmforecast.visualization.image_grid import image_grid

EXAMPLES = """examples:
  python tools/dataset_converters/garment_masks.py data/clothing --out data/clothing/masks

  # see first how well each method does: photographs with the ground painted over
  python tools/dataset_converters/garment_masks.py data/clothing --out /tmp/masks --limit 60 \\
      --method random_walker --sheet sheet.png

It writes <out>/<path below the folder>.png, white on the garment, which FashionDataset finds with
mask_root=<out>; and <out>/left_out.txt, the photographs without a mask.
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, help='photographs, in any depth of folders')
    parser.add_argument('--out', type=Path, required=True, help='folder to write to')
    parser.add_argument('--method', choices=METHODS, default='grabcut', help='(default: grabcut)')
    parser.add_argument('--limit', type=int, help='use so many photographs, evenly spread')
    parser.add_argument('--sheet', type=Path, help='picture of up to 100 results to look at')
    parser.add_argument('--keep-all', action='store_true', help='write implausible masks, too')
    args = parser.parse_args()
    if args.limit is not None and args.limit < 1:
        parser.error(f'--limit must be at least 1, got {args.limit}')
    return args


def find_images(args: argparse.Namespace) -> list[Path]:
    if not args.folder.is_dir():
        raise FileNotFoundError(f'there is no folder {args.folder}')
    out = args.out.resolve()
    paths = sorted(
        path
        for path in args.folder.rglob('*')
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not is_junk_path(path.relative_to(args.folder))
        and out not in path.resolve().parents
    )
    if not paths:
        raise FileNotFoundError(f'{args.folder} holds no image')
    if args.limit and args.limit < len(paths):
        paths = [paths[index * len(paths) // args.limit] for index in range(args.limit)]
    return paths


def paint_over(image: np.ndarray, mask: np.ndarray, plausible: bool) -> np.ndarray:
    """The ground in magenta; in yellow where the mask is not plausible."""
    image = image.copy()
    image[~mask] = (255, 0, 255) if plausible else (255, 255, 0)
    return image


def main() -> None:
    args = parse_args()
    paths = find_images(args)
    left_out, shown = [], []
    every = max(1, len(paths) // 50)
    for number, path in enumerate(progress_bar(paths, desc='masks')):
        relative = path.relative_to(args.folder)
        try:
            image = decode_rgb(path.read_bytes(), str(path))
            mask = garment_mask(image, args.method)
        except BadImageError as error:
            left_out.append(f'{relative}\t{error}')
            continue
        plausible = is_plausible(mask)
        if args.sheet and number % every == 0 and len(shown) < 100:
            shown += [image, paint_over(image, mask, plausible)]
        if not plausible and not args.keep_all:
            left_out.append(f'{relative}\timplausible mask')
            continue
        target = args.out / relative.with_suffix('.png')
        target.parent.mkdir(parents=True, exist_ok=True)
        png = cv2.imencode('.png', mask.astype(np.uint8) * 255)[1]
        write_atomically(str(target), png.tobytes())
    args.out.mkdir(parents=True, exist_ok=True)
    text = ''.join(f'{line}\n' for line in left_out)
    write_atomically(str(args.out / 'left_out.txt'), text.encode())
    if args.sheet:
        args.sheet.parent.mkdir(parents=True, exist_ok=True)
        grid = image_grid(shown, columns=20, cell=96)
        write_png(args.sheet, grid)
    print(
        f'{len(paths) - len(left_out)} masks of {len(paths)} photographs in {args.out}; '
        f'{len(left_out)} left out'
    )


if __name__ == '__main__':
    with cli_errors():
        main()
