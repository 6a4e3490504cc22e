"""The report on a GPU, at small size on the CPU."""

import runpy

import pytest


@pytest.fixture
def tool(repository):
    return runpy.run_path(str(repository / 'tools/analysis_tools/gpu_report.py'))


def test_section_is_put_in_place_of_an_earlier_one(tool, tmp_path):
    page, begin, end = tmp_path / 'page.md', tool['BEGIN'], tool['END']
    tool['write_section'](page, f'{begin}\n\none\n\n{end}')
    assert page.read_text() == f'{begin}\n\none\n\n{end}\n'
    page.write_text(f'# Title\n\n{page.read_text()}\n## After\n')
    tool['write_section'](page, f'{begin}\n\ntwo\n\n{end}')
    assert page.read_text() == f'# Title\n\n{begin}\n\ntwo\n\n{end}\n\n## After\n'


def test_every_system_has_a_config(tool, repository):
    assert all((repository / config).is_file() for config in tool['SYSTEMS'].values())


@pytest.mark.slow
def test_small_report_on_the_cpu(run_tool, tmp_path):
    page = tmp_path / 'page.md'
    small = ['--size', 64, 128, '--batch-size', 1, '--steps', 1, '--frames', 2, '--stream-size', 64, 128]
    run_tool(
        'analysis_tools/gpu_report.py',
        *('--device', 'cpu', '--page', page, *small, '--stream-config', 'configs/f2f/f2f_tiny_synthetic.py'),
        *('--systems', 'S2S', 'masked labels', '--modes', 'plain', 'AMP', 'channels_last'),
    )
    text = page.read_text()
    assert 'fails' not in text
    rows = [line.split('|')[1].strip() for line in text.splitlines() if line.startswith('|')]
    assert rows[0] == 'training step' and rows[2:4] == ['S2S', 'masked labels']
    assert {'plain', 'bfloat16', 'F2F, stream', 'evaluation'} <= set(rows)
