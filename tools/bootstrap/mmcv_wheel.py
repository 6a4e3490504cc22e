"""Gets mmcv with compiled ops into an environment: a ready wheel, a kept one, or a compile.

The package index offers mmcv as source only, and the compile takes minutes, so the wheel it yields
is kept in the user's cache under a key that names everything its binary depends on.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

from console import Console, SetupError

VERSION = '2.1.0'

# Exact values: a wheel compiled against another torch is found out here, not in a training run.
CHECK_OPS = """
import torch
from mmcv.ops import RoIAlign, nms
boxes = torch.tensor([[0., 0., 4., 4.], [0., 0., 4., 3.9], [5., 5., 9., 9.]])
assert nms(boxes, torch.tensor([.9, .8, .7]), 0.5)[1].tolist() == [0, 2]
regions = RoIAlign((2, 2), 1.0)(torch.ones(1, 1, 8, 8), torch.tensor([[0., 0., 0., 4., 4.]]))
assert regions.shape == (1, 1, 2, 2) and bool((regions == 1).all())
"""
DESCRIBE_TORCH = """
import json, torch
from torch.utils.cpp_extension import CUDA_HOME
described = dict(version=torch.__version__, gpu=torch.cuda.is_available(), nvcc=bool(CUDA_HOME))
print(json.dumps(described))
"""


class Torch(NamedTuple):
    """The torch that mmcv is compiled against: its version; are a GPU and a CUDA compiler there?"""

    version: str
    gpu: bool
    nvcc: bool

    @property
    def flavour(self) -> str:
        """`'cuda'` where CUDA ops will be compiled, else `'cpu'`."""
        return 'cuda' if self.gpu and self.nvcc else 'cpu'


def ops_failure(python: Path) -> str | None:
    """Why mmcv's ops don't load in that environment, or give wrong values on the CPU; else None."""
    check = subprocess.run([python, '-c', CHECK_OPS], capture_output=True, text=True)
    return check.stderr.strip().splitlines()[-1] if check.returncode else None


def describe_torch(python: Path) -> Torch:
    """Asks the environment's torch what mmcv's ops would be compiled against."""
    answer = subprocess.run([python, '-c', DESCRIBE_TORCH], capture_output=True, text=True)
    if answer.returncode:
        error = answer.stderr.strip().splitlines()[-1]
        raise SetupError(f'torch was installed but cannot be imported: {error}')
    return Torch(**json.loads(answer.stdout.splitlines()[-1]))


def user_cache() -> Path | None:
    """The user's cache folder, `XDG_CACHE_HOME` or `~/.cache`; None where it cannot be written."""
    folder = Path(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'))
    # without a home, expanduser leaves the tilde: that would be a folder of this name
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def cache_folder(python_tag: str, torch: Torch, fallback: Path) -> Path:
    """The folder that keeps the wheel of this Python, torch and platform.

    It lies in the user's cache, or in `fallback` where that cannot be written.
    """
    key = f'{python_tag}-torch{torch.version}-{torch.flavour}-{sysconfig.get_platform()}'
    cache = user_cache()
    folder = (cache / 'mmforecast' / 'wheels' if cache else fallback) / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_wheel(folder: Path) -> Path | None:
    """The mmcv wheel in a folder, or None."""
    return next(iter(sorted(folder.glob(f'mmcv-{VERSION}-*.whl'))), None)


def ready_wheel(python: Path, folder: Path) -> Path | None:
    """Copies a wheel that pip finds through its find-links into the folder; None if there is none.

    `--no-index` leaves just the find-links, of PIP_FIND_LINKS or of pip's own configuration.
    """
    command = [
        python,
        '-m',
        'pip',
        'download',
        '--no-index',
        '--no-deps',
        '--only-binary=:all:',
        f'--dest={folder}',
        f'mmcv=={VERSION}',
    ]
    subprocess.run(command, capture_output=True)
    return find_wheel(folder)


def compiler_jobs() -> int:
    """Compilers at a time: `MAX_JOBS`, else one a core as long as each has 2 GiB of memory."""
    if os.environ.get('MAX_JOBS', '').isdigit():
        return max(1, int(os.environ['MAX_JOBS']))
    on_linux = hasattr(os, 'sched_getaffinity')
    cores = len(os.sched_getaffinity(0)) if on_linux else os.cpu_count() or 1
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    return max(1, min(cores, int(memory // 2)))


def build_environment(torch: Torch, jobs: int) -> dict[str, str]:
    """The environment variables of the compile."""
    env = dict(os.environ, MMCV_WITH_OPS='1', MAX_JOBS=str(jobs))
    # No debug symbols: a third less time, and a wheel of 1.4 MB instead of 32. CPPFLAGS adds to
    # Python's own flags, where CXXFLAGS would replace them, and with them the -O3.
    env['CPPFLAGS'] = f'{os.environ.get("CPPFLAGS", "")} -g0'.strip()
    if torch.flavour == 'cpu':
        # mmcv's setup.py wants nvcc as soon as torch sees a GPU
        env['CUDA_VISIBLE_DEVICES'] = ''
    return env


def require_toolchain(python_include: Path) -> None:
    """Refuses, before minutes are spent, a machine that cannot compile."""
    compilers = [os.environ['CXX'].split()[0]] if os.environ.get('CXX') else ['c++', 'g++']
    if not any(map(shutil.which, compilers)):
        raise SetupError(
            f'mmcv {VERSION} must be compiled and there is no C++ compiler: install one (Debian, '
            'Ubuntu: `apt-get install g++`), or point PIP_FIND_LINKS at a folder with its wheel.'
        )
    if not (python_include / 'Python.h').is_file():
        raise SetupError(
            f"mmcv {VERSION} must be compiled and Python's headers are missing: install them "
            f'(Debian, Ubuntu: `apt-get install python3-dev`) so that {python_include}/Python.h '
            'exists, or name another interpreter, as in `make setup PYTHON=python3.11`.'
        )


def compiled_files(output: str) -> str:
    """`'31 of 77 files compiled'`, read from ninja's `[31/77]` lines; empty before the first."""
    counts = re.findall(r'^\s*\[(\d+)/(\d+)\]', output, flags=re.MULTILINE)
    return '{} of {} files compiled'.format(*counts[-1]) if counts else ''


def build_wheel(python: Path, torch: Torch, folder: Path, console: Console) -> Path:
    """Compiles mmcv from the index's source archive.

    Returns:
        The wheel, in the folder; it appears there whole or not at all.

    Raises:
        SetupError: There is no compiler, or the compile failed.
    """
    require_toolchain(Path(sysconfig.get_path('include')))
    jobs = compiler_jobs()
    console.note(
        f'compiling from source: about {max(2, round(18 / jobs))} minutes with {jobs} '
        f'compilers at a time, only once; kept in {folder}'
    )
    if torch.gpu and not torch.nvcc:
        console.note(
            'a GPU is here but no nvcc: the ops will run on the CPU only, and so will '
            "detectors; for GPU ops install torch's CUDA toolkit, then `make clean setup`"
        )
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        # pip's own cache is passed by: it may hold an mmcv that was built without ops
        command = [
            str(python),
            '-m',
            'pip',
            'wheel',
            '-v',
            '--no-cache-dir',
            '--no-build-isolation',
            '--no-deps',
            '--no-binary=mmcv',
            f'--wheel-dir={scratch}',
            f'mmcv=={VERSION}',
        ]
        console.run(command, env=build_environment(torch, jobs), progress=compiled_files)
        built = find_wheel(Path(scratch))
        if built is None:
            raise SetupError(f'the compile left no mmcv {VERSION} wheel; its output: {console.log}')
        return built.replace(folder / built.name)


def install_mmcv(python: Path, python_tag: str, fallback_cache: Path, console: Console) -> None:
    """Installs mmcv with ops that work, from the first source that has them.

    Args:
        python: The environment's interpreter; torch, the build tools and what `import mmcv` needs
            are installed there.
        python_tag: Its wheel tag, such as `'cp311'`.
        fallback_cache: Where the wheel is kept if the user's cache cannot be written.
        console: Where to say what happens.

    Raises:
        SetupError: No source gives an mmcv whose ops work.
    """
    if ops_failure(python) is None:
        console.note('already there, with ops that work')
        return
    torch = describe_torch(python)
    cache = cache_folder(python_tag, torch, fallback_cache)

    def try_out(wheel: Path) -> str | None:
        console.run(
            [
                str(python),
                '-m',
                'pip',
                'install',
                '--no-deps',
                '--no-index',
                '--force-reinstall',
                str(wheel),
            ]
        )
        return ops_failure(python)

    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        for source, wheel in (
            ("pip's find-links", ready_wheel(python, Path(scratch))),
            (str(cache), find_wheel(cache)),
        ):
            failure = wheel and try_out(wheel)
            if wheel and failure is None:
                console.note(f'took the ready wheel of {source}')
                return
            if wheel:
                console.note(f'passed by the wheel of {source}, its ops do not work: {failure}')
    failure = try_out(build_wheel(python, torch, cache, console))
    if failure:
        raise SetupError(
            f'mmcv {VERSION} was compiled, but its ops do not work with torch '
            f'{torch.version} ({failure}): the compile is in {console.log}; with '
            '`make clean setup PYTHON=python3.11` it is known to work.'
        )
