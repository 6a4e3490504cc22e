"""Draw images with a trained generator: a grid, and each as a file."""

import argparse
from pathlib import Path

from mmforecast.utils.check_env import assert_environment

assert_environment()  # before the libraries, so that a broken environment gets a sentence

import torch  # noqa: E402

from mmforecast.apis.evaluate import load_config  # noqa: E402
from mmforecast.cli.common import TRACEBACK_FLAG, add_cfg_options, cli_errors  # noqa: E402
from mmforecast.creative.apis.image_features import class_names  # noqa: E402
from mmforecast.creative.apis.sample_images import (  # noqa: E402
    build_sampler,
    read_labels,
    read_masks,
    write_grid,
    write_images,
)
from mmforecast.utils.checks import check_positive  # noqa: E402

EXAMPLES = """examples:
  python tools/sample_images.py CONFIG CHECKPOINT --out samples
  # three seeds, typical images rather than diverse ones
  python tools/sample_images.py CONFIG CHECKPOINT --seeds 0 1 2 --num 16 --truncation 1.0
  # from one image to another to a third, 8 steps each
  python tools/sample_images.py CONFIG CHECKPOINT --interpolate 3 14 15 --steps 8
  # a model that is asked for a class: 8 images of each
  python tools/sample_images.py CONFIG CHECKPOINT --labels dress skirt --num 8
  python tools/sample_images.py CONFIG CHECKPOINT --labels all --num 8
  # a model that fills shapes: white on black
  python tools/sample_images.py CONFIG CHECKPOINT --masks shirt.png coat.png --num 8
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file of a CreativeGAN')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument('--out', type=Path, default=Path('samples'), help='folder (default: samples)')
    parser.add_argument(
        '--num',
        type=int,
        default=None,
        help='images per seed, and per label or mask (default: 64, or 8)',
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], help='(default: 0)')
    parser.add_argument('--truncation', type=float, help='bound on the noise: less is more typical')
    parser.add_argument(
        '--interpolate',
        type=int,
        nargs='+',
        metavar='SEED',
        help='a strip between the first images of two or more seeds, instead of single images',
    )
    parser.add_argument('--steps', type=int, default=8, help='images from end to end (default: 8)')
    parser.add_argument('--labels', nargs='+', help="classes by name or number, or 'all'")
    parser.add_argument('--masks', nargs='+', metavar='FILE', help='pictures of shapes, bright on dark')
    parser.add_argument('--columns', type=int, default=8, help='of the grid (default: 8)')
    parser.add_argument('--scale', type=int, default=1, help='enlarges the grid (default: 1)')
    parser.add_argument('--batch-size', type=int, default=64, help='images at a time (default: 64)')
    parser.add_argument(
        '--raw', action='store_true', help='the generator as it was last, not its average over time'
    )
    parser.add_argument('--grid-only', action='store_true', help='write no single images')
    add_cfg_options(parser)
    parser.add_argument(TRACEBACK_FLAG, action='store_true', help='traceback of explained errors')
    return parser.parse_args()


def conditions(args: argparse.Namespace, model) -> list:
    """(name, options of ``sample``) of all that is asked for; one without a name where nothing is."""
    kind = model.condition.kind
    if args.labels and kind != 'label':
        raise ValueError(f'--labels: the condition of this model is {kind or "none"}')
    if args.masks and kind != 'mask':
        raise ValueError(f'--masks: the condition of this model is {kind or "none"}')
    if kind == 'mask' and not args.masks:
        raise ValueError('this model fills shapes: give --masks, pictures of shapes, bright on dark')
    if args.labels:
        names = class_names(args.checkpoint).get(model.condition.attribute, ())
        labels = read_labels(args.labels, names, model.condition.num_classes)
        return [(names[n] if names else f'class{n}', dict(labels=n)) for n in labels]
    if args.masks:
        masks = read_masks(args.masks, model.generator.output_scale)
        return [
            (f'{number}_{Path(file).stem}', dict(mask=masks[number : number + 1]))
            for number, file in enumerate(args.masks)
        ]
    return [('', {})]


def main() -> None:
    args = parse_args()
    check_positive('sample_images', columns=args.columns, scale=args.scale)
    model = build_sampler(load_config(args.config, args.cfg_options), args.checkpoint)
    common = dict(truncation=args.truncation, use_ema=not args.raw, batch_size=args.batch_size)
    asked = conditions(args, model)
    if args.interpolate:
        strips = []
        for _, options in asked:
            options = {key.replace('labels', 'label'): value for key, value in options.items()}
            strips.append(model.interpolate(args.interpolate, args.steps, **options, **common))
        path = args.out / f'strip_{"-".join(map(str, args.interpolate))}.png'
        write_grid(torch.cat(strips), path, len(strips[0]), args.scale)
        print(f'{path}: {len(strips)} x {len(strips[0])} images')
        return
    num = (8 if asked[0][0] else 64) if args.num is None else args.num
    columns = num if asked[0][0] else args.columns
    for seed in args.seeds:
        blocks = [model.sample(num, seed=seed, **options, **common) for _, options in asked]
        path = args.out / f'grid_seed{seed}.png'
        write_grid(torch.cat(blocks), path, columns, args.scale)
        print(f'{path}: {sum(map(len, blocks))} images')
        if not args.grid_only:
            for (name, _), block in zip(asked, blocks, strict=True):
                write_images(block, args.out / f'seed{seed}' / name)


if __name__ == '__main__':
    with cli_errors():
        main()
