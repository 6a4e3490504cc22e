"""The demo of a checkout: data, training, scores and pictures in a few minutes."""

import argparse
import runpy
import sys
from pathlib import Path

import mmforecast

__all__ = ['add_parser', 'main']

_CHECKOUT = Path(mmforecast.__file__).resolve().parents[1]


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand; its options, ``--help`` too, are those of ``tools/demo.py``."""
    parser = subparsers.add_parser('demo', add_help=False)
    parser.set_defaults(rest=[])
    return parser


def main(args: argparse.Namespace) -> None:
    """Run ``tools/demo.py`` of the checkout that mmforecast is installed from.

    Raises:
        FileNotFoundError: It isn't installed from one.
    """
    script = _CHECKOUT / 'tools/demo.py'
    if not (script.is_file() and (_CHECKOUT / 'setup.py').is_file()):
        raise FileNotFoundError(
            'the demo is part of a checkout of the repository, and mmforecast is not installed from one '
            f'({Path(mmforecast.__file__).parent}): clone it, and run `pip install -e .` or `make demo` in it'
        )
    sys.argv = ['mmforecast demo', *args.rest]
    runpy.run_path(str(script))['main']()
