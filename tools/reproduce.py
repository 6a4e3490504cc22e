"""Run a system's trainings and tables again: everything that the tables of its README need.

Done steps are skipped, and a training that was stopped is resumed: run the same command again. The steps
are listed in configs/SYSTEM/reproduce.yml.
"""

import argparse
import os
import sys
from pathlib import Path

from mmforecast.apis.reproduce import Step, read_steps, remaining_minutes, run_steps
from mmforecast.cli.common import cli_errors

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = """examples:
  # what would be run, and how long it takes
  python tools/reproduce.py s2s --dry-run
  # all of it; Ctrl-C and the same command go on later
  OMP_NUM_THREADS=2 python tools/reproduce.py s2s
  # one table of a single seed, whose trainings are done
  python tools/reproduce.py s2s --seeds 0 --only table-street
"""


def parse_args() -> argparse.Namespace:
    systems = sorted(path.parent.name for path in ROOT.glob('configs/*/reproduce.yml'))
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('system', choices=systems, help='folder in configs')
    parser.add_argument(
        '--dry-run', action='store_true', help='print the commands and their time, run nothing'
    )
    parser.add_argument('--only', nargs='+', metavar='STEP', help='names of steps, as --dry-run prints them')
    parser.add_argument('--seeds', nargs='+', type=int, metavar='N', help='instead of those of the list')
    parser.add_argument(
        '--work-dir', type=Path, help='trainings, tables and logs (default: work_dirs/reproduce/SYSTEM)'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='NAME=VALUE',
        help='overrides for the configs of all trainings and tables',
    )
    return parser.parse_args()


def choose(steps: list[Step], names: list[str] | None) -> list[Step]:
    """The steps of these names, in the order of the list."""
    unknown = sorted(set(names or ()) - {step.name for step in steps})
    if unknown:
        known = ', '.join(step.name for step in steps)
        raise ValueError(f'--only: there is no step {", ".join(unknown)}; the steps are {known}')
    return steps if names is None else [step for step in steps if step.name in names]


def main() -> None:
    args = parse_args()
    work_dir = Path('work_dirs/reproduce', args.system) if args.work_dir is None else args.work_dir.resolve()
    os.chdir(ROOT)
    listed = Path('configs') / args.system / 'reproduce.yml'
    steps = choose(read_steps(listed, work_dir, args.cfg_options, args.seeds), args.only)
    pending = [step for step in steps if step.seconds is None]
    print(
        f'{len(steps)} steps, {len(steps) - len(pending)} of them done; '
        f'about {remaining_minutes(steps):.0f} min to go'
    )
    if args.dry_run:
        for step in steps:
            state = f'{step.minutes:.3g} min' if step.seconds is None else 'done'
            print(f'{step.name} ({state}):\n  {step.text}')
        return
    if not run_steps(steps, work_dir, lambda text: print(text, flush=True)):
        sys.exit(1)


if __name__ == '__main__':
    with cli_errors():
        main()
