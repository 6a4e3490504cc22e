"""Design garments: one page of images by the shipped model, with scores, to choose from.

The model was trained on drawn garments of six shapes and seven textures. It takes any mix of them, and any
shape that you sketch.
"""

import argparse
from pathlib import Path

__all__ = ['add_parser', 'main']

EXAMPLES = """examples:
  # 64 designs of all shapes and textures, the page designs.html
  mmforecast design
  # dresses between two textures, more daring
  mmforecast design --shape dress --mix dots=.5,stripes=.5 --creativity .3 --out dresses.html
  # your own shape: a dark outline or a filled shape on a light ground
  mmforecast design --mask sketch.png --num 32 --animate walk.gif
"""
_NOTE = (
    'The model is small: it was trained on one processor core on garments that a program draws, and makes '
    'images of 64x64 pixels, which are shown three times finer. It knows nothing of real clothes.'
)


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser(
        'design', description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('--num', type=int, default=64, help='designs (default: 64)')
    add('--shape', metavar='CLASS', help='the same as --mix CLASS=1')
    add('--texture', metavar='CLASS', help='the same as --mix CLASS=1')
    add(
        '--mix',
        default='',
        metavar='CLASS=SHARE,...',
        help='shares of shapes, of textures, or of both, such as dress=.5,coat=.5,dots=1',
    )
    add(
        '--creativity',
        type=float,
        default=0.0,
        help='from 0, as asked, to 1, every class equally (default: 0)',
    )
    add('--mask', metavar='FILE', help='picture of the shape of all designs')
    add('--seed', type=int, default=0, help='another seed gives other designs (default: 0)')
    add('--out', type=Path, default=Path('designs.html'), help='page to write (default: designs.html)')
    add('--animate', type=Path, metavar='GIF', help='also write the way from one design to the next, of four')
    add('--title', default='Designs', help='of the page')
    return parser


def main(args: argparse.Namespace) -> None:
    """Make the designs, and write the page."""
    # imported here, because torch takes seconds
    from mmforecast.creative.apis.design import load_studio, read_mix, read_sketch
    from mmforecast.creative.apis.design_page import write_design_page
    from mmforecast.utils.checks import check_integer, check_positive, check_range
    from mmforecast.visualization.animation import write_gif

    check_positive('design', num=args.num)
    check_integer('design', 0, seed=args.seed)
    check_range('design', 0, 1, creativity=args.creativity)
    studio = load_studio()
    for name in ('shape', 'texture'):
        word = getattr(args, name)
        if word is not None and word not in studio.attributes[name]:
            raise ValueError(f'there is no {name} {word!r}; there are {", ".join(studio.attributes[name])}')
    words = ','.join(filter(None, (args.shape, args.texture, args.mix)))
    wanted = dict(
        mix=read_mix(words, studio.attributes),
        creativity=args.creativity,
        mask=None if args.mask is None else read_sketch(args.mask, studio.generator.output_scale),
    )
    designs = studio.design(args.num, seed=args.seed, **wanted)
    request = dict(
        designs=args.num,
        mix=words or None,
        creativity=args.creativity,
        mask=None if args.mask is None else Path(args.mask).name,
        seed=args.seed,
    )
    size = write_design_page(args.out, designs, request, args.title, _NOTE)
    print(f'{args.num} designs written to {args.out} ({size / 1e6:.1f} MB)')
    if args.animate is not None:
        if args.num < 2:
            raise ValueError('--animate goes from one design to the next: it needs --num of 2 or more')
        write_gif(
            args.animate, studio.walk(range(min(4, args.num)), seed=args.seed, **wanted), fps=12, hold_last=0
        )
        print(f'animation written to {args.animate}')
