"""The command ``mmforecast``: one subcommand per module beside this one."""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence

from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.version import __version__

__all__ = ['COMMANDS', 'build_parser', 'main']

# Commands by name, with their summaries. Each is a module of mmforecast.cli with ``add_parser(subparsers)``
# and ``main(args)``, which is imported only to run it or to show its own help.
COMMANDS = {
    'predict': 'forecast your own video',
    'batch': 'forecast many videos, by many processes',
    'compare': 'one table of models and baselines',
    'report': 'write a comparison as one HTML page',
    'design': 'generate garment designs, and write them as one HTML page',
    'demo': 'train, score and draw a small forecaster on generated data',
    'download-info': 'where to download each dataset and the expected layout',
}

EXAMPLES = """examples:
  # forecast your own video with the shipped weights
  mmforecast predict my.mp4 --out forecasts
  # trained models and baselines in one table
  mmforecast compare CONFIG --model mine CONFIG CHECKPOINT
  # where to download a dataset and the expected layout
  mmforecast download-info cityscapes

`mmforecast COMMAND --help` shows the options of a command. Exit status: 0 success, 1 an explained error,
2 wrong usage, 3 some videos of a batch failed, 130 Ctrl-C.
"""


def build_parser(names: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the command line.

    Args:
        names: Commands to parse, whose modules are imported; the others are only listed in the help.
    """
    parser = argparse.ArgumentParser(
        prog='mmforecast',
        description='Forecasts of video, semantic segmentation and instances.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'mmforecast {__version__}')
    subparsers = parser.add_subparsers(metavar='COMMAND', dest='command', required=True)
    for name, summary in COMMANDS.items():
        if name not in names:
            subparsers.add_parser(name, help=summary)
            continue
        module = importlib.import_module(f'mmforecast.cli.{name.replace("-", "_")}')
        command = module.add_parser(subparsers)
        command.set_defaults(main=module.main)
        if command.add_help:
            command.add_argument(
                TRACEBACK_FLAG,
                action='store_true',
                help='print the traceback of errors that are explained',
            )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command of ``argv``, by default that of the command line.

    Raises:
        SystemExit: With another status than 0, see the help.
    """
    # setuptools tells mmengine's users, who can do nothing about it.
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated')
    if argv is not None:
        sys.argv[1:] = argv
    with cli_errors(status=1):
        given = sys.argv[1:]
        parser = build_parser(given[:1])
        args, rest = parser.parse_known_args(given)
        if rest and not hasattr(args, 'rest'):
            parser.error(f'unrecognized arguments: {" ".join(rest)}')
        args.rest = rest
        args.main(args)
