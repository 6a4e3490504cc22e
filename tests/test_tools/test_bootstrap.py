"""The set-up's decisions: which mmcv wheel, the cause of a failure, what makes it run again.

Nothing is installed and no network is used.
"""

import importlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / 'tools' / 'bootstrap'
MODULES = ('console', 'mmcv_wheel', 'steps')


@pytest.fixture
def bootstrap(monkeypatch):
    """The script's modules, freshly imported: it is no package, but a folder that Python runs."""
    monkeypatch.syspath_prepend(str(BOOTSTRAP))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def console(bootstrap, tmp_path):
    return bootstrap.console.Console(tmp_path / 'setup.log', num_steps=2)


@pytest.mark.parametrize('version', [(2, 7), (3, 9), (3, 14)])
def test_other_pythons_are_refused_in_one_sentence(version):
    code = (
        f'import runpy, sys; sys.version_info = {(*version, 0, "final", 0)};runpy.run_path({str(BOOTSTRAP)!r})'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.count('\n') == 1
    assert f'is Python {version[0]}.{version[1]}' in result.stderr
    assert 'make setup PYTHON=python3.11' in result.stderr


@pytest.mark.parametrize(
    'output, words',
    [
        ('OSError: [Errno 28] No space left on device', 'the disk is full'),
        ('c++: fatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1'),
        (
            'The virtual environment was not created because ensurepip is not available.',
            'python3-venv',
        ),
        ('pybind11.h:266:10: fatal error: Python.h: No such file or directory', 'python3-dev'),
        ("error: command 'gcc' failed: No such file or directory", 'no C++ compiler'),
        ('/bin/sh: 1: c++: not found\nninja: build stopped: subcommand failed.', 'no C++ compiler'),
        (
            'NewConnectionError([Errno -3] Temporary failure in name resolution)\n'
            'ERROR: No matching distribution found for torch==2.13.0',
            'cannot be reached',
        ),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407", 'HTTPS_PROXY'),
        ('ProtocolError: IncompleteRead(4096 bytes read, 9 more expected)', 'run the same again'),
        ('ERROR: No matching distribution found for torch==2.13.0', 'pip found no torch==2.13.0'),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", 'PIP_CERT'),
        ("OSError: [Errno 30] Read-only file system: '/x'", '/x cannot be written'),
    ],
)
def test_the_likely_cause_of_a_failure(bootstrap, output, words):
    assert words in bootstrap.console.likely_cause(f'Collecting torch\n{output}\n')


def test_an_unknown_failure_has_no_likely_cause(bootstrap):
    assert bootstrap.console.likely_cause('Segmentation fault') is None


@pytest.mark.parametrize(
    'seconds, text', [(0.4, '0 s'), (59.4, '59 s'), (59.6, '1 min 00 s'), (612, '10 min 12 s')]
)
def test_duration(bootstrap, seconds, text):
    assert bootstrap.console.duration(seconds) == text


def test_a_command_that_fails_says_the_cause_and_the_log(bootstrap, console):
    with pytest.raises(bootstrap.console.SetupError, match=r'^The disk is full.*setup\.log$'):
        console.run([sys.executable, '-c', 'raise SystemExit("No space left on device")'])
    assert 'No space left on device' in console.log.read_text()


def test_a_command_that_fails_for_an_unknown_reason_shows_its_last_lines(bootstrap, console):
    with pytest.raises(
        bootstrap.console.SetupError, match=r'ended with code 3[^\n]*setup\.log\n +line 2\n +line 3'
    ):
        console.run([sys.executable, '-c', r'print("line 2\nline 3"); raise SystemExit(3)'])


FAILS_ONCE = """
import pathlib, sys
seen = pathlib.Path(sys.argv[1])
if not seen.exists():
    seen.touch()
    sys.exit(sys.argv[2])
"""


def test_a_download_that_broke_off_is_continued(bootstrap, console, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bootstrap.console, 'RETRY_AFTER_S', 0)
    command = [sys.executable, '-c', FAILS_ONCE, str(tmp_path / 'seen'), 'Connection broken: IncompleteRead']
    console.run(command, attempts=2)
    assert 'continued by attempt 2 of 2' in capsys.readouterr().out
    (tmp_path / 'seen').unlink()
    with pytest.raises(bootstrap.console.SetupError, match='The download broke off'):
        console.run(command)


def test_other_failures_are_not_tried_again(bootstrap, console, tmp_path):
    command = [sys.executable, '-c', FAILS_ONCE, str(tmp_path / 'seen'), 'No space left on device']
    with pytest.raises(bootstrap.console.SetupError, match='The disk is full'):
        console.run(command, attempts=3)


def test_steps_are_numbered_and_quiet(console, capsys):
    with console.step('torch: one minute'):
        console.run([sys.executable, '-c', 'print("noise")'])
    first, second = capsys.readouterr().out.splitlines()
    assert first == '[1/2] torch: one minute'
    assert second.strip().startswith('done in ')


def test_compiled_files_reads_the_last_count(bootstrap):
    output = '[1/77] c++ -c a.cpp\n  warning: x[3/4]\n[12/77] c++ -c b.cpp\n'
    assert bootstrap.mmcv_wheel.compiled_files(output) == '12 of 77 files compiled'
    assert bootstrap.mmcv_wheel.compiled_files('Collecting mmcv') == ''


def test_the_cache_is_keyed_by_all_that_the_binary_depends_on(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    torch = bootstrap.mmcv_wheel.Torch('2.13.0+cu130', gpu=True, nvcc=True)
    folder = bootstrap.mmcv_wheel.cache_folder('cp311', torch, tmp_path / 'fallback')
    assert folder.is_dir() and folder.parent == tmp_path / 'cache' / 'mmforecast' / 'wheels'
    assert folder.name == f'cp311-torch2.13.0+cu130-cuda-{sysconfig.get_platform()}'
    without_nvcc = torch._replace(nvcc=False)
    folder = bootstrap.mmcv_wheel.cache_folder('cp311', without_nvcc, tmp_path / 'fallback')
    assert folder.name == f'cp311-torch2.13.0+cu130-cpu-{sysconfig.get_platform()}'


def test_a_user_cache_that_cannot_be_written_is_replaced(bootstrap, monkeypatch, tmp_path):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    torch = bootstrap.mmcv_wheel.Torch('2.13.0', gpu=False, nvcc=False)
    folder = bootstrap.mmcv_wheel.cache_folder('cp311', torch, tmp_path / 'fallback')
    assert folder.parent == tmp_path / 'fallback' and folder.is_dir()


def test_the_compile_is_told_to_build_ops_without_debug_symbols(bootstrap, monkeypatch):
    monkeypatch.setenv('CPPFLAGS', '-DX')
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    torch = bootstrap.mmcv_wheel.Torch('2.13.0', gpu=True, nvcc=True)
    env = bootstrap.mmcv_wheel.build_environment(torch, jobs=3)
    assert (env['MMCV_WITH_OPS'], env['MAX_JOBS'], env['CPPFLAGS']) == ('1', '3', '-DX -g0')
    assert env.get('CXXFLAGS') == os.environ.get('CXXFLAGS')  # setting it would drop Python's -O3
    assert 'CUDA_VISIBLE_DEVICES' not in env
    # without nvcc the GPU is hidden, or mmcv's setup.py would try to compile for it
    env = bootstrap.mmcv_wheel.build_environment(torch._replace(nvcc=False), jobs=3)
    assert env['CUDA_VISIBLE_DEVICES'] == ''


def test_a_machine_that_cannot_compile_is_refused_at_once(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('CXX', raising=False)
    with pytest.raises(bootstrap.console.SetupError, match='no C\\+\\+ compiler.*apt-get install g\\+\\+'):
        bootstrap.mmcv_wheel.require_toolchain(tmp_path)
    (tmp_path / 'c++').touch(mode=0o755)
    with pytest.raises(bootstrap.console.SetupError, match='headers are missing.*python3-dev'):
        bootstrap.mmcv_wheel.require_toolchain(tmp_path)
    (tmp_path / 'Python.h').touch()
    bootstrap.mmcv_wheel.require_toolchain(tmp_path)


@pytest.fixture
def install_mmcv(bootstrap, console, monkeypatch, tmp_path):
    """Runs `install_mmcv` where the named wheels exist and work; returns what was installed."""
    module = bootstrap.mmcv_wheel
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))

    def run(there, working):
        installed = []
        ready = Path('find-links') if 'find-links' in there else None
        kept = Path('cache') if 'cache' in there else None
        replacements = dict(
            describe_torch=lambda python: module.Torch('2.13.0', gpu=False, nvcc=False),
            ready_wheel=lambda python, folder: ready,
            find_wheel=lambda folder: kept,
            build_wheel=lambda *arguments: Path('built'),
            ops_failure=lambda python: None if set(installed[-1:]) & set(working) else 'no symbol',
        )
        for name, replacement in replacements.items():
            monkeypatch.setattr(module, name, replacement)
        monkeypatch.setattr(console, 'run', lambda command: installed.append(command[-1]))
        module.install_mmcv(Path('python'), 'cp311', tmp_path / 'wheels', console)
        return installed

    return run


@pytest.mark.parametrize(
    'there, working, taken',
    [
        (['find-links', 'cache'], ['find-links', 'cache', 'built'], ['find-links']),
        (['find-links', 'cache'], ['cache', 'built'], ['find-links', 'cache']),
        (['cache'], ['cache', 'built'], ['cache']),
        (['find-links', 'cache'], ['built'], ['find-links', 'cache', 'built']),
        ([], ['built'], ['built']),
    ],
)
def test_mmcv_comes_from_the_first_source_whose_ops_work(install_mmcv, there, working, taken):
    assert install_mmcv(there, working) == taken


def test_an_mmcv_whose_ops_never_work_is_an_error(bootstrap, install_mmcv):
    with pytest.raises(bootstrap.console.SetupError, match=r'torch 2\.13\.0 \(no symbol\)'):
        install_mmcv(there=['cache'], working=[])


@pytest.fixture
def steps(bootstrap, monkeypatch, tmp_path):
    """The steps, with their folders moved to a place of the test's own."""
    requirements = tmp_path / 'requirements'
    requirements.mkdir()
    (requirements / 'runtime.txt').write_text('numpy<2.4\n')
    (requirements / 'upstream.txt').write_text('# both\nmmcv-lite>=2.1.0\nmmdet\n')
    venv = tmp_path / '.venv'
    places = dict(
        VENV=venv,
        PYTHON=venv / 'bin' / 'python',
        LOG=venv / 'setup.log',
        STAMP=venv / 'setup.stamp',
        REQUIREMENTS=requirements,
    )
    for name, value in places.items():
        monkeypatch.setattr(bootstrap.steps, name, value)
    return bootstrap.steps


def make_environment(steps):
    """The looks of a finished set-up, with this interpreter in it."""
    steps.PYTHON.parent.mkdir(parents=True)
    steps.PYTHON.symlink_to(sys.executable)
    steps.LOG.touch()
    steps.STAMP.write_text(steps.fingerprint('pure'))


def test_a_finished_set_up_is_not_run_again_until_a_requirement_changes(steps, monkeypatch):
    assert not steps.is_ready('pure')
    make_environment(steps)
    monkeypatch.setattr(steps, 'check_environment', lambda *flags: SimpleNamespace(returncode=0))
    assert steps.is_ready('pure')
    (steps.REQUIREMENTS / 'runtime.txt').write_text('numpy<2.3\n')
    assert not steps.is_ready('pure')


def test_another_kind_of_operators_is_set_up_anew(steps, monkeypatch):
    make_environment(steps)
    monkeypatch.setattr(steps, 'check_environment', lambda *flags: SimpleNamespace(returncode=0))
    assert steps.is_ready('pure') and not steps.is_ready('compiled')


def test_operators_stay_what_they_are_unless_asked_for(steps):
    make_environment(steps)
    assert steps.parse_args(['--ops', '']).ops == '' and steps.installed_ops() == 'pure'
    extension = steps.VENV / 'lib/python3.11/site-packages/mmcv/_ext.cpython-311-x86_64-linux-gnu.so'
    extension.parent.mkdir(parents=True)
    extension.touch()
    assert steps.installed_ops() == 'compiled'
    with pytest.raises(SystemExit):
        steps.parse_args(['--ops', 'fast'])


def test_a_compiled_mmcv_takes_the_place_of_mmcv_lite(steps):
    assert steps.openmmlab_requirements('pure') == ['mmcv-lite>=2.1.0', 'mmdet']
    assert steps.openmmlab_requirements('compiled') == ['mmdet']


def test_a_python_without_ensurepip_takes_the_pip_that_is_there(steps, console, monkeypatch):
    wheels = Path(importlib.import_module('ensurepip').__file__).with_name('_bundled')
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.setenv('PIP_FIND_LINKS', str(wheels))
    find_spec = steps.importlib.util.find_spec
    missing = {'ensurepip'}
    hide = SimpleNamespace(find_spec=lambda name: None if name in missing else find_spec(name))
    monkeypatch.setattr(steps, 'importlib', SimpleNamespace(util=hide))
    (steps.REQUIREMENTS / 'constraints.txt').touch()
    steps.make_environment(console)
    assert steps.has_this_python()


def test_a_python_without_any_installer_is_told_so(bootstrap, steps, console, monkeypatch):
    monkeypatch.setattr(steps, 'importlib', SimpleNamespace(util=SimpleNamespace(find_spec=lambda name: None)))
    monkeypatch.setattr(steps.shutil, 'which', lambda name: None)
    with pytest.raises(bootstrap.console.SetupError, match='lacks ensurepip.*python3-venv'):
        steps.bring_pip(console)


def test_an_environment_that_was_spoilt_is_set_up_again(steps, monkeypatch):
    make_environment(steps)
    monkeypatch.setattr(steps, 'check_environment', lambda *flags: SimpleNamespace(returncode=1))
    assert not steps.is_ready('pure')


def test_an_environment_made_by_someone_else_is_left_alone(bootstrap, steps):
    make_environment(steps)
    steps.LOG.unlink()
    with pytest.raises(bootstrap.console.SetupError, match='was not made by `make setup`'):
        steps.prepare_folder()
    assert steps.PYTHON.exists()


def test_an_environment_of_another_python_is_cleared(steps):
    make_environment(steps)
    steps.PYTHON.unlink()
    steps.PYTHON.write_text('#!/bin/sh\nexit 1\n')
    steps.PYTHON.chmod(0o755)
    steps.prepare_folder()
    assert not steps.PYTHON.exists() and steps.LOG.exists() and not steps.STAMP.exists()


def test_a_disk_that_is_nearly_full_is_refused_at_once(bootstrap, steps, monkeypatch):
    monkeypatch.setattr(steps.shutil, 'disk_usage', lambda path: SimpleNamespace(free=1.5 * 2**30))
    with pytest.raises(bootstrap.console.SetupError, match='1.5 are free'):
        steps.prepare_folder()


def test_main_tells_a_failure_in_one_line_and_keeps_no_stamp(steps, monkeypatch, capsys):
    make_environment(steps)
    steps.LOG.unlink()
    steps.STAMP.unlink()
    assert steps.main([]) == 1
    error = capsys.readouterr().err
    assert error.startswith('set-up failed: ') and error.count('\n') == 1
    assert not steps.STAMP.exists()
