"""Options of the commands that share work between processes."""

import argparse

__all__ = ['add_worker_options', 'shard_of']


def add_worker_options(group, default: str = 'one per GPU, else one') -> None:
    """Add ``--workers``, ``--threads``, ``--ray``, ``--shard`` and ``--unit-timeout``.

    Args:
        group: Of a parser.
        default: What is done without ``--workers``, for the help.
    """
    group.add_argument('--workers', type=int, metavar='N', help=f'processes (default: {default})')
    group.add_argument(
        '--threads', type=int, metavar='N', help='threads of each process (default: its share of the cores)'
    )
    group.add_argument(
        '--ray',
        metavar='ADDRESS',
        help='work on a Ray cluster: its address, auto for the one of this machine, or local',
    )
    group.add_argument(
        '--shard', type=shard_of, metavar='I/N', help='do part I of N, from 1; others do the other parts'
    )
    group.add_argument(
        '--unit-timeout', type=float, metavar='SECONDS', help='a unit of work that takes longer is failed'
    )


def shard_of(text: str) -> tuple[int, int]:
    """(I, N) of 'I/N'."""
    index, slash, count = text.partition('/')
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f'{text!r} is not I/N, with I from 1 to N')
    return int(index), int(count)
