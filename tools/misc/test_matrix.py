"""Run the tests on several Pythons and on both stacks, and write what came out into docs/compatibility.md.

    python tools/misc/test_matrix.py                                        # all of it: hours
    python tools/misc/test_matrix.py --pythons 3.12 --stacks forks --tests tests/test_models tests/test_apis
    python tools/misc/test_matrix.py --pythons 3.12 --stacks upstream --torchvision

Each Python gets one new environment, in which torch is installed once and the two stacks follow each other;
it is removed afterwards. Where no CPU build of torch is at hand, that takes 8 GB of disk. Rows of the table
that were not run stay as they are.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from compatibility.page import with_matrix_rows

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / 'requirements'
PAGE = ROOT / 'docs/compatibility.md'
PYTHONS = ('3.10', '3.11', '3.12', '3.13')
STACKS = ('upstream', 'forks')
TORCH = 'torch==2.13.0'
DESCRIBE = """
import json, platform
from importlib.metadata import version
import mmforecast
from mmcv.ops import nms
from mmforecast.ops import operators_in_use
versions = {name: version(name) for name in ('torch', 'numpy', 'setuptools')}
print(json.dumps(dict(versions, python=platform.python_version(), ops=operators_in_use())))
"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pythons', nargs='+', choices=PYTHONS, default=PYTHONS)
    parser.add_argument('--stacks', nargs='+', choices=STACKS, default=STACKS)
    parser.add_argument('--tests', nargs='+', default=['tests'], help='files or folders (default: the suite)')
    parser.add_argument(
        '--newest', action='store_true', help='the newest versions of all but torch, not the pinned ones'
    )
    parser.add_argument('--torchvision', action='store_true', help='with torchvision and its kernels')
    parser.add_argument('--jobs', type=int, default=2, help='test processes (default: %(default)s)')
    parser.add_argument(
        '--folder', type=Path, default=ROOT / 'work_dirs/test_matrix', help='for environments and logs'
    )
    parser.add_argument('--keep', action='store_true', help='leave the environments there, to go on with')
    return parser.parse_args(argv)


def interpreter(version: str) -> str | None:
    """The path of a Python, on the PATH or among pyenv's; None where the machine lacks it."""
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')) / 'versions'
    found = sorted(pyenv.glob(f'{version}.*/bin/python3'))
    return str(found[-1]) if found else shutil.which(f'python{version}')


def run_stack(python: Path, stack: str, args: argparse.Namespace, log: Path) -> list[str]:
    """Install a stack in an environment, run the tests, and give the cells of a row of MATRIX_COLUMNS."""
    pip_command = [str(python), '-m', 'pip', '--disable-pip-version-check']
    pins = [] if args.newest else [f'--constraint={REQUIREMENTS / "constraints.txt"}']
    for other in STACKS:  # both stacks own the same files
        call(log, [*pip_command, 'uninstall', '--yes', *distributions(other), 'mmcv', 'torchvision'])
    files = [
        f'--requirement={REQUIREMENTS / name}.txt' for name in (stack, 'runtime', 'optional', 'video', 'tests')
    ]
    kernels = ['torchvision'] if args.torchvision else []
    call(log, [*pip_command, 'install', *pins, TORCH, *kernels, *files])
    call(log, [*pip_command, 'install', '--no-deps', '--no-build-isolation', '--editable', str(ROOT)])
    ensure_opencv_loads(python, pip_command, log)
    answer = subprocess.run([python, '-c', DESCRIBE], capture_output=True, text=True, cwd=ROOT)
    if answer.returncode:
        raise RuntimeError(answer.stderr.strip().splitlines()[-1])
    versions = json.loads(answer.stdout.splitlines()[-1])
    start = time.monotonic()
    command = [str(python), '-m', 'pytest', '-q', '-n', str(args.jobs), '-m', 'not slow', *args.tests]
    tests = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ, OMP_NUM_THREADS='1')
    )
    log.write_text(log.read_text() + tests.stdout + tests.stderr)
    return [
        versions['python'], stack, versions['torch'], versions['numpy'], versions['setuptools'],
        versions['ops'], ' '.join(args.tests), outcome(tests.stdout, time.monotonic() - start),
    ]  # fmt: skip


def ensure_opencv_loads(python: Path, pip_command: list[str], log: Path) -> None:
    """Take OpenCV's headless build on machines without libGL."""
    if subprocess.run([python, '-c', 'import cv2'], capture_output=True).returncode:
        call(log, [*pip_command, 'uninstall', '--yes', 'opencv-python'])
        call(log, [*pip_command, 'install', '--no-deps', '--force-reinstall', 'opencv-python-headless'])


def distributions(stack: str) -> list[str]:
    """The packages of a stack, for pip."""
    lines = (REQUIREMENTS / f'{stack}.txt').read_text(encoding='utf-8').splitlines()
    return [re.split('[<>=]', line)[0] for line in lines if line and not line.startswith('#')]


def outcome(output: str, seconds: float) -> str:
    """Pytest's counts in few words, with the names of at most five tests that failed."""
    # Not always the last line: a server thread of a test may still write its own.
    summary = re.findall(
        r'^.*\b(?:passed|failed|skipped|errors?)\b.* in [\d.]+s.*$', output, flags=re.MULTILINE
    )
    counts = re.findall(r'(\d+) (passed|failed|skipped|errors?)\b', summary[-1] if summary else '')
    failed = re.findall(r'^(?:FAILED|ERROR) (\S+)', output, flags=re.MULTILINE)
    names = ''.join(f', `{name.rpartition("/")[2]}`' for name in failed[:5])
    return (', '.join(map(' '.join, counts)) or 'no summary') + f' in {seconds / 60:.0f} min' + names


def call(log: Path, command: list[str]) -> None:
    """Run a command with its output in the log.

    Raises:
        RuntimeError: It failed; the message is its last line.
    """
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with log.open('a') as file:
        file.write(f'$ {" ".join(command)}\n{result.stdout}\n')
    if result.returncode:
        raise RuntimeError(f'{result.stdout.strip().splitlines()[-1]} ({log})')


def main() -> int:
    args = parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    failed = False
    for version in args.pythons:
        environment = args.folder.resolve() / f'py{version}'
        python = environment / 'bin/python'
        if not python.exists():
            if interpreter(version) is None:
                print(f'Python {version}: not on this machine')
                continue
            subprocess.run([interpreter(version), '-m', 'venv', str(environment)], check=True)
        for stack in args.stacks:
            log = args.folder / f'py{version}_{stack}.log'
            log.write_text('')
            try:
                row = run_stack(python, stack, args, log)
            except RuntimeError as error:
                operators = 'torchvision' if args.torchvision else 'pytorch'
                row = [version, stack, '-', '-', '-', operators, '-', f'not installed: {error}']
            failed |= ' failed' in row[-1] or ' passed' not in row[-1]
            print(' | '.join(row), flush=True)
            PAGE.write_text(with_matrix_rows(PAGE.read_text(encoding='utf-8'), [row]), encoding='utf-8')
        if not args.keep:
            shutil.rmtree(environment)
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
