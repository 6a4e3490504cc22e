"""The steps of the set-up, and the fingerprint that lets the next run skip them all."""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from console import Console, SetupError, duration, likely_cause
from mmcv_wheel import install_mmcv, user_cache

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / '.venv'
PYTHON = VENV / 'bin' / 'python'
# The log also marks the environment as made here: another's is never touched.
LOG = VENV / 'setup.log'
STAMP = VENV / 'setup.stamp'
REQUIREMENTS = ROOT / 'requirements'

MIN_FREE_GIB = 3
TORCH = 'torch==2.13.0'
# Continues a broken download where it stopped, from 25.2 on; those that Pythons bring start again.
PIP = 'pip'
# mmcv's operators: those of mmforecast, of torchvision and PyTorch, or mmcv's own, compiled here.
OPS = ('pure', 'compiled')
DOWNLOAD_ATTEMPTS = 3


def fingerprint(ops: str) -> str:
    """A hash of all that the environment is made from: files, Python, platform, place, operators."""
    files = [
        *REQUIREMENTS.glob('*.txt'),
        *Path(__file__).parent.glob('*.py'),
        ROOT / 'setup.py',
        ROOT / 'pyproject.toml',
        ROOT / 'mmforecast' / 'version.py',
    ]
    digest = hashlib.sha256(f'{sys.version} {platform.platform()} {ROOT} {ops}'.encode())
    for file in sorted(files):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def installed_ops() -> str:
    """The kind of operators in `.venv`, so that `make test` keeps what `make setup OPS=compiled` made."""
    extensions = VENV.glob('lib/python*/site-packages/mmcv/_ext*')
    return 'compiled' if any(extensions) else 'pure'


def is_ready(ops: str) -> bool:
    """Whether the last set-up ended well, from the same things, and its packages still fit."""
    if not (PYTHON.exists() and STAMP.is_file() and STAMP.read_text() == fingerprint(ops)):
        return False
    return check_environment('--quick').returncode == 0


def check_environment(*flags: str) -> subprocess.CompletedProcess:
    """Runs the package's own verdict on the environment."""
    command = [PYTHON, ROOT / 'tools' / 'misc' / 'check_env.py', *flags]
    return subprocess.run(command, capture_output=True, text=True)


def prepare_folder() -> None:
    """Makes `.venv`, or clears one that another Python made.

    Raises:
        SetupError: The folder is someone else's, or the disk is nearly full.
    """
    if VENV.exists() and not LOG.exists():
        raise SetupError(
            f'{VENV} exists and was not made by `make setup`: move it away, then run the same again.'
        )
    STAMP.unlink(missing_ok=True)
    if VENV.exists() and not has_this_python():
        shutil.rmtree(VENV)
    VENV.mkdir(exist_ok=True)
    LOG.touch()
    free = shutil.disk_usage(VENV).free / 2**30
    if not PYTHON.exists() and free < MIN_FREE_GIB:
        raise SetupError(
            f'{VENV} takes {MIN_FREE_GIB} GiB of disk (about 8 with the CUDA build of '
            f'torch) and {free:.1f} are free: free some space.'
        )


def has_this_python() -> bool:
    """Whether `.venv` runs, has pip, and was made by the Python that runs this script."""
    if not PYTHON.exists():
        return False
    code = f'import pip, sys; sys.exit(sys.version != {sys.version!r})'
    return subprocess.run([PYTHON, '-c', code], capture_output=True).returncode == 0


def torch_hint() -> str:
    """How to get the small build, where there is no GPU and pip was not pointed anywhere."""
    pointed = any(name.startswith(('PIP_INDEX', 'PIP_EXTRA', 'PIP_FIND')) for name in os.environ)
    if pointed or shutil.which('nvidia-smi'):
        return ''
    return (
        '; this machine has no GPU: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu '
        'would get a build of 0.2 GB instead of 3'
    )


def make_environment(console: Console) -> None:
    """Makes the environment, with a pip that continues broken downloads.

    Raises:
        SetupError: This Python cannot make one with pip, or the newer pip cannot be downloaded.
    """
    if importlib.util.find_spec('ensurepip'):
        console.run([sys.executable, '-m', 'venv', str(VENV)])
    else:
        console.run([sys.executable, '-m', 'venv', '--without-pip', str(VENV)])
        bring_pip(console)
    pip_install(console, '--upgrade', PIP)


def bring_pip(console: Console) -> None:
    """Installs pip by another installer, for a Python without ensurepip.

    Raises:
        SetupError: There is none.
    """
    if importlib.util.find_spec('pip'):
        command = [sys.executable, '-m', 'pip', f'--python={PYTHON}', 'install', 'pip']
    elif shutil.which('uv'):
        command = ['uv', 'pip', 'install', f'--python={PYTHON}', 'pip']
    else:
        raise SetupError(
            f'{sys.executable} lacks ensurepip, and neither pip nor uv is there to take its place: install '
            'it (Debian, Ubuntu: `apt-get install python3-venv`).'
        )
    console.note(f'this Python has no ensurepip: `{" ".join(command[:3])}` installs pip instead')
    console.run(command, attempts=DOWNLOAD_ATTEMPTS)


def pip_install(console: Console, *arguments: str) -> None:
    """Installs into the environment, pinned by the constraints file; continues broken downloads."""
    console.run(
        [
            str(PYTHON),
            '-m',
            'pip',
            'install',
            '--disable-pip-version-check',
            '--no-input',
            f'--constraint={REQUIREMENTS / "constraints.txt"}',
            *arguments,
        ],
        attempts=DOWNLOAD_ATTEMPTS,
    )


def requirement_flags(*names: str) -> list[str]:
    return [f'--requirement={REQUIREMENTS / name}.txt' for name in names]


def openmmlab_requirements(ops: str) -> list[str]:
    """The OpenMMLab libraries, as arguments of pip; without mmcv where it will be compiled."""
    lines = (REQUIREMENTS / 'upstream.txt').read_text(encoding='utf-8').splitlines()
    names = [line for line in lines if line and not line.startswith('#')]
    return [name for name in names if ops == 'pure' or not name.startswith('mmcv')]


def remove_other_mmcv(ops: str, console: Console) -> None:
    """Removes an mmcv of the other kind: both own the same files."""
    unwanted = 'mmcv-lite' if ops == 'compiled' else 'mmcv'
    code = f"from importlib.metadata import version; version('{unwanted}')"
    if subprocess.run([PYTHON, '-c', code], capture_output=True).returncode == 0:
        console.run([str(PYTHON), '-m', 'pip', 'uninstall', '--yes', 'mmcv', 'mmcv-lite'])


def ensure_opencv_loads(console: Console) -> None:
    """Takes OpenCV's headless build where the usual one finds no libGL, as in most containers."""
    if subprocess.run([PYTHON, '-c', 'import cv2'], capture_output=True).returncode == 0:
        return
    console.note(
        'opencv-python does not load here (it wants libGL): taking opencv-python-headless,'
        ' the same without windows'
    )
    code = "from importlib.metadata import version; print(version('opencv-python'))"
    version = subprocess.run([PYTHON, '-c', code], capture_output=True, text=True).stdout.strip()
    console.run([str(PYTHON), '-m', 'pip', 'uninstall', '--yes', 'opencv-python'])
    # forced: both packages own the same files, so those of an older headless one are gone now
    pip_install(console, '--no-deps', '--force-reinstall', f'opencv-python-headless=={version}')


def set_up(ops: str) -> None:
    """Runs all steps; what is already installed is found again in seconds."""
    prepare_folder()
    console = Console(LOG, num_steps=6 if ops == 'compiled' else 5)
    if user_cache() is None:
        # pip fails to build a wheel where it cannot make its cache
        os.environ['PIP_NO_CACHE_DIR'] = '1'
    with console.step(f'environment of Python {platform.python_version()}: about 10 s'):
        if not PYTHON.exists():
            make_environment(console)
    with console.step(f'{TORCH}: half a minute to five minutes{torch_hint()}'):
        pip_install(console, TORCH)
    with console.step('mmengine, mmdet, mmsegmentation and the other libraries: about a minute'):
        remove_other_mmcv(ops, console)
        files = ['runtime', 'optional', 'video', 'tests', 'docs', *(['build'] if ops == 'compiled' else [])]
        pip_install(console, *openmmlab_requirements(ops), *requirement_flags(*files))
        ensure_opencv_loads(console)
    if ops == 'compiled':
        with console.step('mmcv with compiled operators'):
            tag = f'cp{sys.version_info[0]}{sys.version_info[1]}'
            install_mmcv(PYTHON, tag, VENV / 'wheels', console)
    with console.step('mmforecast itself, in editable mode: about 5 s'):
        pip_install(console, '--no-build-isolation', '--no-deps', '--editable', str(ROOT))
    with console.step('check of the whole: about 10 s'):
        verdict = check_environment()
        if verdict.returncode:
            raise SetupError(
                f'the packages were installed but do not work together:\n{verdict.stdout}{verdict.stderr}'
            )
        for line in verdict.stdout.splitlines():
            if line.startswith("mmcv's operators"):
                console.note(line)
    STAMP.write_text(fingerprint(ops))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='tools/bootstrap', description='Makes .venv with the tested set.')
    parser.add_argument(
        '--ops',
        choices=[*OPS, ''],  # `make` passes an unset variable as an empty word
        metavar='{pure,compiled}',
        help="mmcv's operators: pure needs no compiler; compiled builds mmcv's own, for minutes (default: "
        'what .venv has, else pure)',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Sets up what is not set up yet; returns the exit code."""
    ops = parse_args(argv).ops or installed_ops()
    start = time.monotonic()
    lock = os.open(REQUIREMENTS, os.O_RDONLY)
    try:
        # two runs in one checkout would write over each other; the second finds all done
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(ops):
            print(f'set-up: {VENV} is ready, checked in {time.monotonic() - start:.1f} s')
            return 0
        print(f'set-up: everything goes into {VENV}, what the commands say into {LOG}', flush=True)
        set_up(ops)
    except SetupError as error:
        print(f'set-up failed: {error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'set-up failed: {likely_cause(str(error)) or error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nset-up interrupted: the same command resumes where it stopped', file=sys.stderr)
        return 130
    finally:
        os.close(lock)
    print(f'set-up: done in {duration(time.monotonic() - start)}')
    return 0
