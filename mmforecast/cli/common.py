"""Options and error handling that the command-line tools share."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from mmengine.config import Config, DictAction

from mmforecast.utils.addresses import refuse_address

__all__ = ['TRACEBACK_FLAG', 'add_runner_arguments', 'cli_errors', 'read_config']

TRACEBACK_FLAG = '--traceback'

# Options of all tools that say where to write.
_OUTPUTS = ('--out', '--work-dir')


@contextmanager
def cli_errors(status: int = 2) -> Iterator[None]:
    """Run a command-line tool: ``with cli_errors(): main()``.

    Addresses are refused as places for results. What :func:`explain` has a sentence for is printed as that
    sentence, and the process exits with ``status``. With ``--traceback`` on the command line, which this
    removes from ``sys.argv``, the traceback is printed too. All other errors pass. Ctrl-C exits with
    status 130.
    """
    show_traceback = TRACEBACK_FLAG in sys.argv[1:]
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument != TRACEBACK_FLAG]
    # mmengine imports it; the version of setuptools is chosen in our requirements.
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated')
    try:
        for option, value in pairwise(_words(sys.argv[1:])):
            if option in _OUTPUTS:
                refuse_address(value)
        yield
    except KeyboardInterrupt as interrupt:
        print(f'\n{interrupt}' if str(interrupt) else '\nInterrupted.', file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        from .errors import explain  # imports torch, for which `--help` should not wait

        sentence = explain(error, _config_of(error))
        if sentence is None:
            raise
        if show_traceback:
            traceback.print_exc()
        hint = '' if show_traceback else f' ({TRACEBACK_FLAG} shows where this was raised)'
        print(f'\nError: {sentence}{hint}', file=sys.stderr)
        sys.exit(status)


def _words(argv: Sequence[str]) -> list[str]:
    """The command line, with options and their values apart."""
    return [word for given in argv for word in (given.split('=', 1) if given.startswith('--') else [given])]


def _config_of(error: BaseException) -> Config | None:
    """The config that the failed call worked with: a local variable ``cfg`` on its way."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if isinstance(frame.f_locals.get('cfg'), Config):
            return frame.f_locals['cfg']
    return None


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every tool with a runner has, under the names of mmdet and mmseg."""
    parser.add_argument(
        '--work-dir', help='folder for checkpoints and logs (default: work_dirs/<config name>)'
    )
    parser.add_argument(
        '--allow-unsafe-checkpoint',
        action='store_true',
        help='read checkpoints that could run code; only for those whose author you trust',
    )
    add_cfg_options(parser)
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    add_traceback_option(parser)
    # torch.distributed.launch passes either spelling.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_traceback_option(parser: Any) -> None:
    """Add ``--traceback``, which :func:`cli_errors` reads, so that ``--help`` shows it."""
    parser.add_argument(
        TRACEBACK_FLAG, action='store_true', help='print the traceback of errors that are explained'
    )


def add_cfg_options(parser: Any, text: str = 'overrides of the config') -> None:
    """Add ``--cfg-options`` to a parser, or to a group of its options."""
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help=text)


def read_config(args: argparse.Namespace) -> Config:
    """The config of a tool with :func:`add_runner_arguments`, with what these say.

    Raises:
        FileNotFoundError: The config was removed; the message names its replacement.
        ValueError: The config is not valid Python, or nothing would read an option.
    """
    from mmforecast.fileio.checkpoint import ALLOW_UNSAFE_ENV
    from mmforecast.utils.removed_configs import require_config

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.allow_unsafe_checkpoint:
        os.environ[ALLOW_UNSAFE_ENV] = '1'
    require_config(args.config)
    try:
        cfg = Config.fromfile(args.config)
    except SyntaxError as error:
        raise ValueError(
            f'The config {args.config}, or one that it inherits, is not valid Python: {error}'
        ) from error
    cfg.launcher = args.launcher
    if args.cfg_options:
        from mmforecast.utils.config_options import merge_options

        merge_options(cfg, args.cfg_options)
    name = os.path.splitext(os.path.basename(args.config))[0]
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('work_dirs', name)
    return cfg
