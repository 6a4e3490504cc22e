"""Compares the time that a command takes in two checkouts, which run it by turns.

    git worktree add --detach /tmp/before COMMIT
    python tools/analysis_tools/benchmark_checkouts.py /tmp/before . --repeats 10 -- \\
        -m mmforecast predict my.mp4 --at 100 --out /tmp/forecasts

    python tools/analysis_tools/benchmark_checkouts.py /tmp/before . --repeats 3 --measured -- \\
        $PWD/tools/analysis_tools/benchmark_step.py streaming CONFIG --shape 512 1024

Everything after ``--`` goes to Python, which runs in the folder of each checkout. Ratios are of the second
checkout to the first, pair by pair: below 1 the second is faster. On a machine that others use, the processor
time (of the process and its children, user and system) says more than the time on the clock.

With ``--measured`` the command measures a part of itself. Its last line is a JSON object of the seconds,
``processor`` and ``clock``, and of ``values``, lists of numbers by name that must agree in both checkouts.
"""

import argparse
import json
import statistics
from pathlib import Path

from mmforecast.evaluation import format_table
from mmforecast.utils.progress import progress_bar
from mmforecast.utils.timing import timed_python

Values = dict[str, list[float]]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('first', type=Path, help='folder of the checkout that is compared with')
    parser.add_argument('second', type=Path, help='folder of the other checkout')
    parser.add_argument('--repeats', type=int, default=10, help='runs of each (default: 10)')
    parser.add_argument('--measured', action='store_true', help='the command reports its time and values')
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1e-4,
        help='of --measured: largest difference, relative to the largest value (default: 1e-4)',
    )
    parser.add_argument('--second-only', metavar='ARGUMENT', help='for the command in the second checkout')
    parser.add_argument('command', nargs='+', help='arguments of Python, after --')
    return parser.parse_args(argv)


def measure(checkout: Path, command: list[str], measured: bool = False) -> tuple[float, float, Values]:
    """Processor time and time on the clock of one run, in seconds, and the values that it reports.

    Args:
        checkout: Folder that the command runs in, and that its modules are imported from.
        command: Arguments of Python.
        measured: Whether the command reports its time and values in its last line.

    Raises:
        RuntimeError: The command failed.
    """
    spent, printed = timed_python(command, {'PYTHONPATH': str(checkout)}, checkout)
    if measured:
        report = json.loads(printed.splitlines()[-1])
        return report['processor'], report['clock'], report['values']
    return *spent, {}


def largest_difference(first: Values, second: Values, tolerance: float) -> float:
    """Largest difference of values, relative to the largest of their list in the first checkout.

    Args:
        first, second: Of the two checkouts.
        tolerance: Largest that is accepted.

    Raises:
        RuntimeError: It is larger, or the lists are others.
    """
    lengths = [{name: len(values) for name, values in found.items()} for found in (first, second)]
    if lengths[0] != lengths[1]:
        raise RuntimeError(f'the first checkout reports the values {lengths[0]}, the second {lengths[1]}')
    worst = 0.0
    for name, values in first.items():
        scale = max(map(abs, values), default=0.0) or 1.0
        difference = max((abs(a - b) for a, b in zip(values, second[name])), default=0.0) / scale
        if not difference <= tolerance:
            raise RuntimeError(
                f'the checkouts do not compute the same: {name} differs by {difference:.1e} of its largest '
                f'value, more than {tolerance:.0e}; --tolerance accepts more'
            )
        worst = max(worst, difference)
    return worst


def compare(
    first: Path,
    second: Path,
    command: list[str],
    repeats: int,
    measured: bool = False,
    tolerance: float = 1e-4,
    second_only: str | None = None,
) -> list[dict[str, str]]:
    """Rows of a table: kind of time, median of each checkout, median and range of the ratio.

    Args:
        first: Folder of a checkout.
        second: Folder of the other.
        command: Arguments of Python.
        repeats: Pairs of runs, at least 1; the checkout that goes first changes from pair to pair.
        measured: See :func:`measure`.
        tolerance: See :func:`largest_difference`.
        second_only: Argument that only the command in the second checkout gets.

    Raises:
        RuntimeError: A command failed, or the values that they report differ.
    """
    folders, pairs, differences = [first.resolve(), second.resolve()], [], []
    commands = command, [*command, second_only] if second_only else command
    for number in progress_bar(range(repeats), desc='pairs'):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        found = {index: measure(folders[index], commands[index], measured) for index in order}
        pairs.append((found[0], found[1]))
        differences.append(largest_difference(found[0][2], found[1][2], tolerance))
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
                **({'difference': f'{max(differences):.0e}'} if measured else {}),
            }
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    rows = compare(
        args.first,
        args.second,
        args.command,
        args.repeats,
        args.measured,
        args.tolerance,
        args.second_only,
    )
    print(format_table(rows, list(rows[0])))


if __name__ == '__main__':
    main()
