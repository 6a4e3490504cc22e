"""The tool that times one step: the same values in every process, at small size."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_an_adversarial_step_reports_losses_and_weights(run_tool, repository, capsys):
    configs = repository / 'configs'
    arguments = (
        *('training', configs / 's2s/s2s_2scale_adv_cityscapes.py', '--shape', 512, 512),
        *('--encoder-of', configs / 's2s/s2s_2scale_cityscapes_online.py'),
        *('--cfg-options', 'model.predictor.widths=((8,),(8,))', 'model.predictor.kernels=((3,3),(3,3))'),
    )
    run_tool('analysis_tools/benchmark_step.py', *arguments)
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report['processor'] > 0 and report['clock'] > 0
    names = set(report['values'])
    assert {'loss_gan', 'd_accuracy'} <= names
    assert not any(name.startswith('encoder.') for name in names)
    assert any(name.startswith('predictor.') for name in names)
    assert any(name.startswith('discriminator.') for name in names)


@pytest.mark.slow
def test_older_checkouts_need_no_module_of_their_own_for_the_clock(repository):
    """mmforecast is imported from the checkout that is measured, which may be older than the tool."""
    tool = repository / 'tools/analysis_tools/benchmark_step.py'
    code = (
        "import runpy, sys; sys.modules['mmforecast.utils.timing'] = None; "
        f"assert callable(runpy.run_path({str(tool)!r}, run_name='tool')['timed'])"
    )
    subprocess.run([sys.executable, '-c', code], check=True)
