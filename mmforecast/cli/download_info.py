"""Sources of the public datasets and the expected layout under data/. Nothing is downloaded."""

import argparse

from mmforecast.datasets.public_data import PUBLIC_DATA, describe

__all__ = ['add_parser', 'main']

EXAMPLES = """examples:
  # all data sets in a line each
  %(prog)s
  %(prog)s cityscapes
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser(
        'download-info',
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('dataset', nargs='?', choices=list(PUBLIC_DATA), help='by default a list of all')
    return parser


def main(args: argparse.Namespace) -> None:
    """Print it."""
    if args.dataset is not None:
        print(describe(args.dataset))
        return
    width = max(map(len, PUBLIC_DATA))
    for name, data in PUBLIC_DATA.items():
        print(f'{name:{width}}  {data.title}')
    print('\n`mmforecast download-info NAME` prints where to download it and the expected layout.')
    print('docs/data.md has more.')
