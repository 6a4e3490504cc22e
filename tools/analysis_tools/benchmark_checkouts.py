"""Compares the time that a command takes in two checkouts, which run it by turns.

    git worktree add --detach /tmp/before COMMIT
    python tools/analysis_tools/benchmark_checkouts.py /tmp/before . --repeats 10 -- \\
        -m mmforecast predict my.mp4 --at 100 --out /tmp/forecasts

Everything after ``--`` goes to Python, which runs in the folder of each checkout. Ratios are of the second
checkout to the first, pair by pair: below 1 the second is faster. On a machine that others use, the processor
time (of the process and its children, user and system) says more than the time on the clock.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from mmforecast.evaluation import format_table


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('first', type=Path, help='folder of the checkout that is compared with')
    parser.add_argument('second', type=Path, help='folder of the other checkout')
    parser.add_argument('--repeats', type=int, default=10, help='runs of each (default: 10)')
    parser.add_argument('command', nargs='+', help='arguments of Python, after --')
    return parser.parse_args(argv)


def measure(checkout: Path, command: list[str]) -> tuple[float, float]:
    """Processor time and time on the clock of one run, in seconds.

    Args:
        checkout: Folder that the command runs in, and that its modules are imported from.
        command: Arguments of Python.

    Raises:
        RuntimeError: The command failed.
    """
    environment = {**os.environ, 'PYTHONPATH': str(checkout)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f'{" ".join(command)} failed in {checkout}:\n{errors[-2000:]}')
    return usage.ru_utime + usage.ru_stime, clock


def compare(first: Path, second: Path, command: list[str], repeats: int) -> list[dict[str, str]]:
    """Rows of a table: kind of time, median of each checkout, median and range of the ratio.

    Args:
        first: Folder of a checkout.
        second: Folder of the other.
        command: Arguments of Python.
        repeats: Pairs of runs, at least 1; the checkout that goes first changes from pair to pair.
    """
    folders, pairs = [first.resolve(), second.resolve()], []
    for number in range(repeats):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        found = {index: measure(folders[index], command) for index in order}
        pairs.append((found[0], found[1]))
    rows = []
    for kind, name in enumerate(('processor', 'clock')):
        before, after = ([pair[side][kind] for pair in pairs] for side in (0, 1))
        ratios = [new / old for old, new in zip(before, after, strict=True)]
        rows.append(
            {
                'time': name,
                'first': f'{statistics.median(before):.2f} s',
                'second': f'{statistics.median(after):.2f} s',
                'second / first, median': f'{statistics.median(ratios):.3f}',
                'range': f'{min(ratios):.3f} to {max(ratios):.3f}',
            }
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    rows = compare(args.first, args.second, args.command, args.repeats)
    print(format_table(rows, list(rows[0])))


if __name__ == '__main__':
    main()
