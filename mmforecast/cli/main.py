"""The command ``mmforecast``: one subcommand per module beside this one."""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence

from mmforecast.cli.common import TRACEBACK_FLAG, cli_errors
from mmforecast.version import __version__

__all__ = ['COMMANDS', 'build_parser', 'main']

# By name, the module of mmforecast.cli with ``add_parser(subparsers)`` and ``main(args)``.
COMMANDS = {
    'predict': 'predict',
    'compare': 'compare',
    'report': 'report',
    'demo': 'demo',
    'download-info': 'download_info',
}

EXAMPLES = """examples:
  # what comes next in a video of your own, by the shipped weights
  mmforecast predict my.mp4 --out forecasts
  # trained models and baselines in one table
  mmforecast compare CONFIG --model mine CONFIG CHECKPOINT
  # where a public data set is to be had, and how it must lie
  mmforecast download-info cityscapes

`mmforecast COMMAND --help` has more. Exit status: 0 done, 1 an error that is explained in a sentence, 2 wrong
usage, 130 Ctrl-C.
"""


def build_parser(names: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser with the subcommands ``names``, whose modules are imported."""
    parser = argparse.ArgumentParser(
        prog='mmforecast',
        description='Forecasts of video, semantic segmentation and instances.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'mmforecast {__version__}')
    subparsers = parser.add_subparsers(metavar='COMMAND', dest='command', required=True)
    for name in names:
        module = importlib.import_module(f'mmforecast.cli.{COMMANDS[name]}')
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
        known = given[:1] if given and given[0] in COMMANDS else tuple(COMMANDS)
        parser = build_parser(known)
        args, rest = parser.parse_known_args(given)
        if rest and not hasattr(args, 'rest'):
            parser.error(f'unrecognized arguments: {" ".join(rest)}')
        args.rest = rest
        args.main(args)
