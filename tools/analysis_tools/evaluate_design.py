"""Scores of the model of `mmforecast design`: does it make what is asked for, and is it more than degradation?

Three tables: by creativity how often the classifier finds the class that was asked for, and the scores of
evaluate_images.py with confusion above that of degraded images; the correlation of asked and classified
shares of classes; and the overlap of given masks with the garments that fill them, beside that of shuffled
masks. With --out also a picture of masks that styles fill.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmforecast.apis.shipped import shipped_file
from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.creative.apis.design import Studio, load_studio
from mmforecast.creative.apis.evaluate_images import REAL, evaluate_sets, judge_attributes
from mmforecast.creative.apis.image_features import compute
from mmforecast.creative.apis.image_report import save_report
from mmforecast.creative.apis.image_sets import ImageSet, dataset_images
from mmforecast.creative.models.mixes import draw_mixes, split_mix, toward_uniform
from mmforecast.creative.models.noise import draw_noise
from mmforecast.evaluation.table import format_table
from mmforecast.fileio.atomic import write_png
from mmforecast.visualization import image_grid, to_pictures

_WHITE = 245  # a pixel with a darker channel is of the garment


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--num', type=int, default=840, help='images of each row (default: 840)')
    parser.add_argument(
        '--creativity',
        type=float,
        nargs='+',
        default=[0.0, 0.25, 0.5, 0.75, 1.0],
        help='rows of the first table',
    )
    parser.add_argument('--seed', type=int, default=0, help='(default: 0)')
    parser.add_argument('--out', type=Path, help='write the tables and the figures here')
    parser.add_argument(TRACEBACK_FLAG, action='store_true', help='print the traceback of errors')
    return parser.parse_args()


def drawn(studio: Studio, number: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise and a class of each attribute, (number, attributes)."""
    return draw_noise(seed, range(number), studio.generator.noise_size, tuple(studio.counts.values()))


@torch.no_grad()
def by_creativity(studio: Studio, args: argparse.Namespace) -> list[ImageSet]:
    """A set per creativity; its labels are the classes that were asked for."""
    noise, classes = drawn(studio, args.num, args.seed)
    pure = studio.mixes(classes, {})
    sets = []
    for creativity in args.creativity:
        images = studio.paint(noise, toward_uniform(pure, creativity, studio.counts), None, 1)
        labels = {name: column.numpy() for name, column in zip(studio.attributes, classes.unbind(1))}
        names = [str(number) for number in range(args.num)]
        sets.append(ImageSet(f'creativity {creativity:g}', images, names, labels))
    return sets


def found_shares(studio: Studio, images: torch.Tensor) -> dict[str, np.ndarray]:
    """(N, classes) by attribute, by the classifier."""
    return dict(zip(studio.attributes, compute(studio.classifier.classify, images)[1:]))


@torch.no_grad()
def mix_rows(studio: Studio, args: argparse.Namespace) -> list[dict]:
    """Pearson's r of asked and classified shares, over all images and classes of an attribute."""
    noise, classes = drawn(studio, args.num, args.seed + 1)
    labels = dict(zip(studio.attributes, classes.unbind(1)))
    torch.manual_seed(args.seed)
    mixes = draw_mixes(labels, studio.counts, 0.0, torch.device('cpu'))
    found = found_shares(studio, studio.paint(noise, mixes, None, 1))
    return [
        dict(
            attribute=name, images=args.num, r=float(np.corrcoef(asked.flatten(), found[name].flatten())[0, 1])
        )
        for name, asked in split_mix(mixes, studio.counts).items()
    ]


@torch.no_grad()
def mask_rows(studio: Studio, masks: torch.Tensor, args: argparse.Namespace) -> list[dict]:
    """Mean intersection over union of masks and garments, and of shuffled masks and garments."""
    number = min(args.num, len(masks))
    noise, classes = drawn(studio, number, args.seed + 2)
    masks = masks[:number]
    images = studio.paint(noise, studio.mixes(classes, {}), masks.float(), 1)
    garment = images.amin(dim=1, keepdim=True) < _WHITE

    def overlap(other: torch.Tensor) -> float:
        both, either = (garment & other).sum((1, 2, 3)), (garment | other).sum((1, 2, 3))
        return float((both / either.clamp(min=1)).mean())

    order = torch.from_numpy(np.random.default_rng(args.seed).permutation(number))
    return [
        dict(masks='given', images=number, IoU=overlap(masks)),
        dict(masks='shuffled', images=number, IoU=overlap(masks[order])),
    ]


@torch.no_grad()
def styles_picture(studio: Studio, held_out: ImageSet, args: argparse.Namespace, zoom: int = 2) -> np.ndarray:
    """A row per shape: a held-out mask, then the garments of one style per texture, a style per column."""
    textures = studio.counts['texture']
    noise, classes = drawn(studio, textures, args.seed + 3)
    columns = dict(zip(studio.attributes, classes.unbind(1)))  # views
    columns['texture'].copy_(torch.arange(textures))
    cells = []
    for shape in range(studio.counts['shape']):
        columns['shape'].fill_(shape)
        mask = held_out.masks[np.argmax(held_out.labels['shape'] == shape)]
        given = mask[None].float().expand(textures, -1, -1, -1)
        cells += to_pictures(255 * mask.float()[None].expand(-1, 3, -1, -1))
        cells += to_pictures(studio.paint(noise, studio.mixes(classes, {}), given, zoom).float())
    return image_grid(cells, columns=1 + textures, cell=zoom * held_out.images.shape[-1])


def main() -> None:
    args = parse_args()
    MMLogger.get_current_instance().setLevel('WARNING')
    studio = load_studio()
    data = Config.fromfile(shipped_file('configs/_base_/datasets/garments_64.py'))
    train, held_out = dataset_images(data, 'train', 'train'), dataset_images(data, 'test', REAL)
    judges, notes = judge_attributes(studio.classifier, held_out)
    sets = by_creativity(studio, args)
    found = evaluate_sets(
        train, held_out, sets, judges, studio.classifier.features, seed=args.seed, with_calibration=True
    )
    for row, images in zip(found.rows, [held_out, *sets]):
        shares = found_shares(studio, images.images)
        for name, labels in images.labels.items():
            row[f'{name} as asked %'] = 100 * float((shares[name].argmax(1) == labels).mean())
    tables = (
        found.rows,
        found.calibration.rows(),
        mix_rows(studio, args),
        mask_rows(studio, held_out.masks, args),
    )
    for rows in tables:
        print(format_table(rows, style='markdown', decimals=3), end='\n\n')
    if args.out is not None:
        save_report(found, [held_out, *sets], train, notes, args.out)
        write_png(args.out / 'masks_and_styles.png', styles_picture(studio, held_out, args))
        print(f'written to {args.out}')


if __name__ == '__main__':
    with cli_errors():
        main()
