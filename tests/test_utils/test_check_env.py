"""Every fault of an environment is simulated through the versions that `check` judges."""

import ast
import os
import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from mmforecast.utils import check_env
from mmforecast.utils.check_env import PYTHON, REQUIREMENTS, UNKNOWN, check, warn_or_raise

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'misc' / 'check_env.py'
TESTED = {each.name: each.tested for each in (PYTHON, *REQUIREMENTS)}
TESTED['mmcv ops'] = 'pytorch'


def requirement_lines(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def test_the_tested_set_has_no_problem():
    assert check(TESTED) == []


def test_the_tested_set_is_what_is_pinned():
    pinned = [line.partition(' ; ') for line in requirement_lines('constraints')]
    pins = dict(pin.split('==') for pin, _, marker in pinned if '<' not in marker)
    assert {each.name: pins[each.name] for each in REQUIREMENTS} == {
        each.name: each.tested for each in REQUIREMENTS
    }


def test_ranges_agree_with_the_requirement_files():
    lines = requirement_lines('runtime') + requirement_lines('upstream')
    stated = {re.split('[<>=]', line)[0].replace('mmcv-lite', 'mmcv'): line for line in lines}
    assert {'mmcv', 'mmdet', 'mmengine', 'mmsegmentation'} <= set(stated)
    assert {'numpy', 'ftfy', 'regex'} <= set(stated)
    for each in REQUIREMENTS:
        if each.name in stated:
            upper = re.search(r'<([\d.]+)', stated[each.name])
            assert (upper and upper.group(1)) == each.upper, each.name


def test_forks_agree_with_the_requirement_files():
    stated = set(requirement_lines('forks'))
    assert stated == {f'{each.fork}>={each.fork_tested}' for each in REQUIREMENTS if each.fork}
    pins = requirement_lines('constraints')
    assert all(line.replace('>=', '==') in pins for line in stated)


@pytest.mark.parametrize(
    'package, version, sentence, fix',
    [
        ('mmcv', '2.2.0', 'mmcv 2.2.0 is too new: mmdet 3 and', '"mmcv-lite>=2.1.0,<2.2.0"'),
        ('mmcv', '1.7.2', 'mmcv 1.7.2 is too old: mmforecast needs mmcv>=2.1.0,<2.2.0.', 'mmcv-lite'),
        ('mmcv', '2.3.5 (onedl)', 'onedl-mmcv 2.3.5 is too old: mmforecast needs', '"onedl-mmcv>=2.3.6"'),
        ('mmcv', None, 'mmcv is not installed.', '"mmcv-lite>=2.1.0,<2.2.0"'),
        ('numpy', '1.22.4', 'numpy 1.22.4 is too old', '"numpy>=1.23"'),
        ('ftfy', None, 'ftfy is not installed.', 'pip install "ftfy"'),
        ('regex', None, 'regex is not installed.', 'pip install "regex"'),
        ('torch', None, 'torch is not installed.', 'pip install "torch>=2.6"'),
        ('torch', '2.5.1+cpu', 'torch 2.5.1+cpu is too old', 'pip install "torch>=2.6"'),
        ('mmdet', None, 'mmdet is not installed.', 'pip install "mmdet>=3.3.0,<4.0.0"'),
        ('python', '3.9.18', 'python 3.9.18 is too old', 'PYTHON=python3.11'),
    ],
)
def test_each_fault_gives_one_sentence_and_its_fix(package, version, sentence, fix):
    (problem,) = check({**TESTED, package: version})
    assert problem.fatal
    assert problem.sentence.startswith(sentence)
    assert problem.sentence.endswith('.') and '. ' not in problem.sentence
    assert fix in problem.fix
    assert '\n' not in str(problem)


@pytest.mark.parametrize(
    'package, version',
    [
        ('mmcv', '2.1.0'),
        ('mmcv', '2.1.9'),
        ('numpy', '1.23.0'),
        ('numpy', '2.10.1'),
        ('mmcv', '2.3.6 (onedl)'),
        ('mmengine', '0.11.0 (onedl)'),
        ('mmcv ops', 'compiled'),
        ('torch', '2.6'),
        ('torch', '2.13.0+cu130'),
        ('mmdet', UNKNOWN),
        ('python', '3.13.5'),
    ],
)
def test_versions_within_the_range_are_fine(package, version):
    assert check({**TESTED, package: version}) == []


def test_an_untested_newer_library_is_a_warning():
    (problem,) = check({**TESTED, 'mmengine': '1.0.0'})
    assert not problem.fatal
    assert problem.sentence.startswith('mmengine 1.0.0 is newer than what was tested (0.10.7)')
    (problem,) = check({**TESTED, 'python': '3.14.0'})
    assert not problem.fatal


@pytest.mark.parametrize(
    'module, error, words',
    [
        (
            'mmcv._ext',
            'ImportError: undefined symbol: _ZN3c1',
            ['torch than 2.13.0', 'MMCV_WITH_OPS', 'mmcv-lite'],
        ),
        ('cv2', 'ImportError: libGL.so.1: cannot open', ['libGL.so.1', 'opencv-python-headless']),
        ('torch', 'OSError: libcudart.so.13', ['cannot be imported', '--force-reinstall']),
    ],
)
def test_a_package_that_cannot_be_imported(module, error, words):
    (problem,) = check(TESTED, {module: error})
    assert problem.fatal and error in problem.sentence
    assert all(word in str(problem) for word in words)


@pytest.mark.parametrize(
    'version, release',
    [
        ('2.13.0+cpu', (2, 13)),
        ('2.1.0', (2, 1)),
        ('2.10', (2, 10)),
        ('82.0.0.post1', (82,)),
        ('2.0.0rc4', (2,)),
        ('main', ()),
    ],
)
def test_parse_version(version, release):
    assert check_env.parse_version(version) == release


def test_import_guard_raises_on_too_old_and_warns_on_too_new():
    with pytest.raises(ImportError, match=r'mmcv 2\.0\.1 is too old'):
        warn_or_raise({'mmcv': '2.0.1', 'mmdet': '3.3.0'})
    with pytest.warns(UserWarning, match=r'mmcv 2\.2\.0 is too new'):
        warn_or_raise({'mmcv': '2.2.0'})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warn_or_raise({'mmcv': '2.1.0', 'mmengine': None, 'mmdet': UNKNOWN})
        warn_or_raise({'mmcv': '2.3.6 (onedl)'})
    with pytest.raises(ImportError, match='onedl-mmcv 2.3.5 is too old'):
        warn_or_raise({'mmcv': '2.3.5 (onedl)'})


def test_assert_environment_ends_the_program_with_the_sentences(monkeypatch):
    faulty = {**TESTED, 'ftfy': None, 'numpy': '1.22.4', 'mmengine': '1.1'}
    monkeypatch.setattr(check_env, 'probe', lambda: faulty)
    with pytest.raises(SystemExit) as end:
        check_env.assert_environment()
    numpy, ftfy = str(end.value).split('\n')  # the untested mmengine stops nothing
    assert numpy.startswith('numpy 1.22.4 is too old') and ftfy.startswith('ftfy is not installed.')


def fake_package(folder, name, version=None, files=None):
    """A package that must not be imported, with metadata only if a version is given."""
    (folder / name).mkdir()
    for file, text in {'__init__.py': 'raise RuntimeError', **(files or {})}.items():
        (folder / name / file).write_text(text)
    if version:
        metadata = folder / f'{name.replace("-", "_")}-{version}.dist-info' / 'METADATA'
        metadata.parent.mkdir()
        metadata.write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n')


def probe_with_path(folder):
    """What a Python says that sees the folder before all that is installed, and probes just it."""
    code = (
        f'import runpy; names = runpy.run_path({check_env.__file__!r});'
        'versions = names["probe"]();'
        'print(repr((versions, names["failing_imports"](versions))))'
    )
    output = subprocess.run(
        [sys.executable, '-S', '-c', code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, 'PYTHONPATH': str(folder)},
    )
    return ast.literal_eval(output.stdout)


def test_probe_imports_nothing_and_tells_missing_from_unknown(tmp_path):
    fake_package(tmp_path, 'mmcv', '2.1.0')
    fake_package(tmp_path, 'mmdet')
    versions, errors = probe_with_path(tmp_path)
    assert set(versions) == set(TESTED)
    assert versions['mmcv'] == '2.1.0' and versions['mmcv ops'] == 'pytorch'
    assert versions['mmdet'] == UNKNOWN
    assert versions['torch'] is None and versions['numpy'] is None
    assert errors == {}


def test_what_cannot_be_loaded_is_reported_not_raised(tmp_path):
    fake_package(tmp_path, 'torch', '2.13.0', {'__init__.py': ''})
    fake_package(tmp_path, 'cv2', None, {'__init__.py': 'raise ImportError("libGL.so.1: no")'})
    fake_package(tmp_path, 'mmcv', '2.1.0', {'_ext.so': 'not a library'})
    versions, errors = probe_with_path(tmp_path)
    assert versions['mmcv ops'] == 'compiled'
    assert errors.keys() == {'cv2', 'mmcv._ext'}
    assert errors['cv2'] == 'ImportError: libGL.so.1: no'
    assert '_ext.so' in errors['mmcv._ext']


def test_a_fork_under_another_name_gives_the_version(tmp_path):
    fake_package(tmp_path, 'mmcv')
    fake_package(tmp_path, 'onedl-mmcv', '2.3.6')
    versions, _ = probe_with_path(tmp_path)
    assert versions['mmcv'] == '2.3.6 (onedl)'


def test_torchvision_is_seen_where_mmcv_has_no_compiled_operators(tmp_path):
    fake_package(tmp_path, 'mmcv', '2.1.0')
    fake_package(tmp_path, 'torchvision', '0.28.0')
    versions, _ = probe_with_path(tmp_path)
    assert versions['mmcv ops'] == 'torchvision'


def run_tool(*python_flags):
    command = [sys.executable, *python_flags, str(TOOL), '--quick']
    return subprocess.run(command, capture_output=True, text=True)


def test_tool_shows_every_package_and_exits_with_0_in_this_environment():
    result = run_tool()
    assert result.returncode == 0, result.stdout + result.stderr
    for name, version in check_env.probe().items():
        assert re.search(rf'^{re.escape(name)} +{re.escape(version)} ', result.stdout, re.MULTILINE)
    assert check_env.OPS_NOTES[check_env.kind_of_ops()] in result.stdout
    assert result.stdout.endswith('Verdict: fine.\n')


def test_tool_exits_with_1_and_no_traceback_where_nothing_is_installed():
    result = run_tool('-S', '-I')
    assert result.returncode == 1
    assert result.stderr == ''
    assert 'PROBLEM: torch is not installed. Fix: pip install "torch>=2.6"\n' in result.stdout
    assert result.stdout.endswith(f'Verdict: {len(REQUIREMENTS)} to fix.\n')


@pytest.mark.parametrize('arguments', [['--help'], ['predict', 'my.mp4']])
def test_the_command_says_in_one_sentence_that_torch_is_not_installed(arguments):
    result = subprocess.run(
        [sys.executable, '-S', '-m', 'mmforecast', *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert result.returncode == 1 and result.stdout == ''
    assert result.stderr.startswith('mmforecast needs torch, mmengine, mmcv, mmdet, mmsegmentation, not')
    assert result.stderr.count('\n') == 1 and 'pip install torch "mmforecast[upstream]"' in result.stderr


def test_tool_shows_the_bounds_of_a_fork_where_it_is_installed():
    report = runpy.run_path(str(TOOL))['report']
    versions = dict(check_env.probe(), mmengine='0.10.12 (onedl)')
    (row,) = [line for line in report(check_env, versions, []).splitlines() if line.startswith('mmengine ')]
    assert row.split() == ['mmengine', '0.10.12', '(onedl)', '>=0.10.12', '0.10.12']
