"""What `import mmcv.ops` finds, each in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

from mmforecast.ops.finder import OPS_ENV, compiled_extension

# `import mmcv._ext` as if mmcv had been installed without it.
HIDE_COMPILED = """
    import importlib.abc, importlib.machinery, sys
    find = importlib.machinery.PathFinder.find_spec
    importlib.machinery.PathFinder.find_spec = lambda name, *args: (
        None if name in ('mmcv._ext', '_ext') else find(name, *args)
    )
"""
NMS = """
    import torch
    from mmcv.ops import nms
    print(nms(torch.tensor([[0., 0, 4, 4], [0, 0, 4, 3]]), torch.tensor([.5, .6]), 0.5)[1].tolist())
"""


def run(*programs, **environment):
    environment = {**os.environ, OPS_ENV: '', **environment}
    code = '\n'.join(map(textwrap.dedent, programs))
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, env=environment
    )


def test_the_stand_in_serves_an_mmcv_without_extension():
    result = run(
        HIDE_COMPILED,
        """
        import mmforecast
        from mmforecast.ops import operators_in_use
        print('mmcv.ops' in sys.modules, operators_in_use())
        """,
        NMS,
        """
        import mmcv.ops, mmcv.utils
        print(operators_in_use(), mmcv.utils.ext_loader.check_ops_exist(), mmcv.ops.get_compiler_version())
        """,
    )
    assert result.returncode == 0, result.stderr
    before, index, after = result.stdout.splitlines()
    assert before == 'False stand-in'
    assert 'INFO - mmcv is installed without compiled operators: mmforecast runs them' in result.stderr
    assert index == '[1]'
    assert after.split()[0] in ('pytorch', 'torchvision') and 'True none' in after


def test_worker_processes_do_not_say_it_again():
    result = run(
        HIDE_COMPILED,
        "import multiprocessing, mmforecast; multiprocessing.current_process().name = 'SpawnProcess-1'",
        NMS,
    )
    assert result.stdout == '[1]\n' and 'compiled operators' not in result.stderr, result.stderr


def test_without_mmforecast_there_is_nothing():
    result = run(HIDE_COMPILED, NMS)
    assert "No module named 'mmcv._ext'" in result.stderr


def test_it_can_be_switched_off():
    result = run(
        HIDE_COMPILED,
        'import mmforecast.ops; print(mmforecast.ops.operators_in_use())',
        NMS,
        MMFORECAST_OPS='compiled',
    )
    assert result.stdout == 'none\n'
    assert "No module named 'mmcv._ext'" in result.stderr


def test_a_wrong_choice_is_named():
    result = run('import mmforecast', MMFORECAST_OPS='torch')
    error = result.stderr.splitlines()[-1]
    assert error.startswith(
        "ValueError: the environment variable MMFORECAST_OPS='torch' must be one of auto ("
    )


def test_a_compiled_extension_is_never_shadowed():
    if compiled_extension() is None:
        pytest.skip('mmcv is installed without its compiled extension')
    program = """
        from mmforecast.ops import operators_in_use
        import mmcv._ext
        print(mmcv._ext.__file__, operators_in_use())
    """
    assert run(program).stdout.split() == [compiled_extension(), 'compiled']
    forced = run(program.replace('__file__', '__spec__.origin'), MMFORECAST_OPS='pytorch')
    assert 'MMFORECAST_OPS=pytorch: mmforecast runs them in PyTorch.' in forced.stderr
    assert forced.stdout == 'mmforecast.ops pytorch\n'


def test_an_operator_that_is_not_served_says_who_asked_for_it():
    result = run(
        """
        import mmforecast, torch
        from mmcv.ops import BorderAlign
        class Head(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.align = BorderAlign(3)
            def forward(self, x):
                return self.align(x, torch.rand(1, 16, 4))
        Head()(torch.rand(1, 8, 4, 4))
        """,
        MMFORECAST_OPS='pytorch',
    )
    error = result.stderr.splitlines()[-1]
    assert (
        "mmcv's operator border_align_forward, called by __main__.Head, runs only in mmcv's compiled" in error
    )
    assert 'check_env.py' in error


@pytest.mark.slow
def test_a_torchvision_that_does_not_work_is_passed_by(tmp_path):
    (tmp_path / 'torchvision.py').write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    result = run(HIDE_COMPILED, 'import mmforecast', NMS, PYTHONPATH=path)
    assert result.stdout.splitlines()[-1] == '[1]', result.stderr
    assert 'does not work (operator torchvision::nms does not exist)' in result.stderr
    asked = run('import mmforecast', NMS, PYTHONPATH=path, MMFORECAST_OPS='torchvision')
    assert asked.stderr.splitlines()[-1] == (
        'ImportError: MMFORECAST_OPS=torchvision, but torchvision does not work here: '
        'operator torchvision::nms does not exist'
    )
