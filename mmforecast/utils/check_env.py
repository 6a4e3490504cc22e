"""Supported versions of the libraries below mmforecast, and advice where they do not fit.

Only the standard library is imported here, and versions are read from package metadata: the check
must not die of what it checks. `tools/misc/check_env.py` runs this file even where the package
itself cannot be imported.
"""

import importlib.machinery
import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# What `probe` says of a module without package metadata.
UNKNOWN = 'unknown'
# What it says after the version of a package that a fork provides.
FORK_MARK = ' (onedl)'
INSTALL_MMCV = 'pip uninstall -y mmcv mmcv-lite; pip install "mmcv-lite>=2.1.0,<2.2.0"'
# CPPFLAGS adds to Python's own compiler flags; CXXFLAGS would replace them, and with them the -O3.
BUILD_MMCV = (
    'pip uninstall -y mmcv mmcv-lite; MMCV_WITH_OPS=1 CPPFLAGS=-g0 pip install --no-cache-dir '
    '--no-build-isolation --no-deps --no-binary mmcv mmcv==2.1.0'
)


class Requirement(NamedTuple):
    """One row of the table of supported versions.

    Attributes:
        name: The package's name for pip.
        module: What is imported.
        tested: The version of the tested set.
        lower: First version that works, or None for any.
        upper: First version that does not work, or is not known to; None for no bound.
        breaks: What breaks from `upper` on; None where it is only untested.
        others: Other packages that provide the same module, at the same versions.
        fork: The maintained fork that provides the same module, or None.
        fork_tested: The version of the fork in the tested set; older ones are refused.
    """

    name: str
    module: str
    tested: str
    lower: str | None = None
    upper: str | None = None
    breaks: str | None = None
    others: tuple[str, ...] = ()
    fork: str | None = None
    fork_tested: str = '0'

    @property
    def supported(self) -> str:
        """The range as pip writes it, such as `'>=2.1.0,<2.2.0'`."""
        bounds = (('>=', self.lower), ('<', self.upper))
        return ','.join(sign + bound for sign, bound in bounds if bound)

    @property
    def fix(self) -> str:
        """The command that installs a version that works."""
        if self.name == 'python':
            return 'make clean setup PYTHON=python3.11'
        return INSTALL_MMCV if self.name == 'mmcv' else f'pip install "{self.name}{self.supported}"'


PYTHON = Requirement('python', '', '3.11', '3.10', '3.14')
REQUIREMENTS = (
    # 2.6: torch.serialization.safe_globals, with which checkpoints are read
    Requirement('torch', 'torch', '2.13.0', '2.6'),
    Requirement(
        'mmengine',
        'mmengine',
        '0.10.7',
        '0.10.5',
        '1.0.0',
        others=('mmengine-lite',),
        fork='onedl-mmengine',
        fork_tested='0.10.12',
    ),
    Requirement(
        'mmcv',
        'mmcv',
        '2.1.0',
        '2.1.0',
        '2.2.0',
        'mmdet 3 and mmsegmentation 1 refuse it',
        others=('mmcv-lite',),
        fork='onedl-mmcv',
        fork_tested='2.3.6',
    ),
    Requirement('mmdet', 'mmdet', '3.3.0', '3.3.0', '4.0.0', fork='onedl-mmdetection', fork_tested='3.5.1'),
    Requirement(
        'mmsegmentation',
        'mmseg',
        '1.2.2',
        '1.2.2',
        '2.0.0',
        fork='onedl-mmsegmentation',
        fork_tested='1.4.2',
    ),
    Requirement('numpy', 'numpy', '2.3.5', '1.23'),
    Requirement(
        'opencv-python',
        'cv2',
        '5.0.0.93',
        others=('opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless'),
    ),
    Requirement('ftfy', 'ftfy', '6.3.1'),
    Requirement('regex', 'regex', '2026.11.15'),
    Requirement('scipy', 'scipy', '1.17.1'),
    Requirement('scikit-image', 'skimage', '0.26.0'),
    Requirement('matplotlib', 'matplotlib', '3.11.2'),
    Requirement('pillow', 'PIL', '13.0.0'),
    Requirement('tqdm', 'tqdm', '4.70.1'),
    Requirement('pycocotools', 'pycocotools', '2.0.11'),
    Requirement('shapely', 'shapely', '2.2.0'),
    Requirement('terminaltables', 'terminaltables', '3.1.10'),
    Requirement('prettytable', 'prettytable', '3.18.0'),
)
# What each kind of mmcv's operators costs, as `kind_of_ops` names them.
OPS_NOTES = {
    'compiled': "mmcv's operators: compiled.",
    'torchvision': "mmcv's operators: torchvision's kernels below mmforecast's, nothing was compiled.",
    'pytorch': (
        "mmcv's operators: in PyTorch, nothing was compiled; on a CPU about as fast as compiled ones "
        '(docs/operators.md). `make setup OPS=compiled` compiles them.'
    ),
}
# The libraries whose versions `import mmforecast` itself looks at.
OPENMMLAB = ('mmengine', 'mmcv', 'mmdet', 'mmsegmentation')


class Problem(NamedTuple):
    """Something wrong with the environment: one sentence, the command that mends it, its weight."""

    package: str
    sentence: str
    fix: str
    fatal: bool = True

    def __str__(self) -> str:
        return f'{self.sentence} Fix: {self.fix}'


def parse_version(version: str) -> tuple[int, ...]:
    """A version's release numbers without trailing zeros; `'2.13.0+cpu'` gives `(2, 13)`."""
    match = re.match(r'\d+(\.\d+)*', version)
    numbers = [int(number) for number in match.group().split('.')] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def check(versions: Mapping[str, str | None], broken: Mapping[str, str] | None = None) -> list[Problem]:
    """Judges an environment; pure, so that every fault can be tested.

    Args:
        versions: Version by package name, None where it is not installed; as `probe` returns it.
            The key `'mmcv ops'` is not judged: mmforecast has operators of its own.
        broken: For modules that are installed but cannot be imported, the error; as
            `failing_imports` returns it.

    Returns:
        The problems, in the order in which to fix them.
    """
    judged = [_judge_version(each, versions[each.name]) for each in (PYTHON, *REQUIREMENTS)]
    problems = [problem for problem in judged if problem]
    for module, error in (broken or {}).items():
        problems.append(_judge_import(module, error, versions))
    return problems


def _judge_version(requirement: Requirement, version: str | None) -> Problem | None:
    name, fix = requirement.name, requirement.fix
    if version and version.endswith(FORK_MARK):
        return _judge_fork(requirement, version.removesuffix(FORK_MARK))
    needs = f'mmforecast needs {name}{requirement.supported}.'
    if version is None:
        return Problem(name, f'{name} is not installed.', fix)
    if version == UNKNOWN:
        return None
    if _is_too_old(requirement, version):
        return Problem(name, f'{name} {version} is too old: {needs}', fix)
    if requirement.upper and parse_version(version) >= parse_version(requirement.upper):
        if requirement.breaks:
            return Problem(name, f'{name} {version} is too new: {requirement.breaks}; {needs}', fix)
        sentence = f'{name} {version} is newer than what was tested ({requirement.tested}); {needs}'
        return Problem(name, sentence, fix, fatal=False)
    return None


def _is_too_old(requirement: Requirement, version: str) -> bool:
    lower = requirement.fork_tested if version.endswith(FORK_MARK) else requirement.lower or '0'
    return parse_version(version) < parse_version(lower)


def _judge_fork(requirement: Requirement, version: str) -> Problem | None:
    if not _is_too_old(requirement, version + FORK_MARK):
        return None
    needed = f'{requirement.fork}>={requirement.fork_tested}'
    sentence = f'{requirement.fork} {version} is too old: mmforecast needs {needed}.'
    return Problem(requirement.name, sentence, f'pip install "{needed}"')


def _judge_import(module: str, error: str, versions: Mapping[str, str | None]) -> Problem:
    if module == 'mmcv._ext':
        sentence = (
            f'mmcv {versions["mmcv"]} was compiled against another torch than '
            f'{versions["torch"]}: its ops cannot be loaded ({error}).'
        )
        return Problem('mmcv', sentence, f'{INSTALL_MMCV}, or compile it again: {BUILD_MMCV}')
    sentence = f'{module} is installed but cannot be imported ({error}).'
    if module == 'cv2':
        return Problem(
            'opencv-python',
            sentence,
            'pip uninstall -y opencv-python; pip install opencv-python-headless',
        )
    return Problem(module, sentence, f'pip install --force-reinstall --no-deps {module}')


def probe() -> dict[str, str | None]:
    """Versions of the whole table and of Python, and the kind of mmcv's ops, without importing any of them."""
    versions: dict[str, str | None] = {'python': platform.python_version()}
    versions.update(installed_versions([requirement.name for requirement in REQUIREMENTS]))
    versions['mmcv ops'] = kind_of_ops() if versions['mmcv'] else None
    return versions


def kind_of_ops() -> str:
    """What computes mmcv's operators: `'compiled'`, or else `'torchvision'` or `'pytorch'` below ours."""
    chosen = os.environ.get('MMFORECAST_OPS')
    if chosen in ('torchvision', 'pytorch'):
        return chosen
    if _has_mmcv_ops():
        return 'compiled'
    return 'torchvision' if importlib.util.find_spec('torchvision') else 'pytorch'


def installed_versions(names: Sequence[str]) -> dict[str, str | None]:
    """The version by name of some packages of the table.

    It is None where there is no module, and `UNKNOWN` for a module without package metadata.
    """
    return {each.name: _installed_version(each) for each in REQUIREMENTS if each.name in names}


def _installed_version(requirement: Requirement) -> str | None:
    if importlib.util.find_spec(requirement.module) is None:
        return None
    for name in filter(None, (requirement.fork, requirement.name, *requirement.others)):
        try:
            return importlib.metadata.version(name) + (FORK_MARK if name == requirement.fork else '')
        except importlib.metadata.PackageNotFoundError:
            continue
    return UNKNOWN


def _has_mmcv_ops() -> bool:
    """Whether the extension lies beside mmcv; `find_spec('mmcv._ext')` would import mmcv."""
    spec = importlib.util.find_spec('mmcv')
    if spec is None or spec.submodule_search_locations is None:
        return False
    folders = list(spec.submodule_search_locations)
    return importlib.machinery.PathFinder.find_spec('_ext', folders) is not None


# The extension needs torch's libraries in the process, but none of what `import mmcv` drags in.
LOAD_OPS = """
import importlib.machinery, importlib.util, torch
folders = list(importlib.util.find_spec('mmcv').submodule_search_locations)
importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('_ext', folders))
"""


def failing_imports(versions: Mapping[str, str | None]) -> dict[str, str]:
    """Imports the compiled packages that are there, each in its own process; takes some seconds.

    Returns:
        The last line of the error by module, for those that fail.
    """
    errors: dict[str, str] = {}
    trials = (
        ('numpy', 'import numpy', ['numpy']),
        ('cv2', 'import cv2', ['opencv-python']),
        ('torch', 'import torch', ['torch']),
        ('mmcv._ext', LOAD_OPS, ['torch']),
    )
    for module, code, needs in trials:
        if module == 'mmcv._ext' and versions['mmcv ops'] != 'compiled':
            continue
        if not all(versions[name] for name in needs) or errors.keys() & set(needs):
            continue
        result = subprocess.run(
            [sys.executable, '-c', code], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines() or [f'exit code {result.returncode}']
            errors[module] = lines[-1]
    return errors


def warn_or_raise(versions: Mapping[str, str | None]) -> None:
    """The guard of `import mmforecast`: libraries too old are an error, too new a warning.

    A newer one may well work; a missing one raises its own error where it is needed.

    Raises:
        ImportError: One of them is too old.
    """
    for requirement in REQUIREMENTS:
        version = versions.get(requirement.name)
        problem = version and _judge_version(requirement, version)
        if problem and _is_too_old(requirement, version):
            raise ImportError(str(problem))
        if problem:
            warnings.warn(str(problem), stacklevel=3)


def require_libraries() -> None:
    """Ends the program with one sentence where torch or an OpenMMLab library is not installed at all.

    Raises:
        SystemExit: One is missing.
    """
    versions = installed_versions(('torch', *OPENMMLAB))
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        raise SystemExit(
            f'mmforecast needs {", ".join(missing)}, not installed in {sys.prefix}: '
            'pip install torch "mmforecast[upstream]"'
        )


def assert_environment() -> None:
    """Ends the program with one sentence for each problem that training or testing would die of.

    Meant for the first lines of a tool, before the heavy imports; takes less than 0.2 s.

    Raises:
        SystemExit: A fatal problem was found.
    """
    fatal = [problem for problem in check(probe()) if problem.fatal]
    if fatal:
        raise SystemExit('\n'.join(map(str, fatal)))
