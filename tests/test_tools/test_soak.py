"""The leak test: its slope, and that it trains, stops and reports."""

import mmap
import re
import runpy

import pytest

GAN = 'configs/creative_gan/can-h_tiny_texture_textures-64.py'
SMALL = [
    'model.generator.output_scale=16',
    'model.generator.base_channels=8',
    'model.discriminator.input_scale=16',
    'model.discriminator.base_channels=4',
    'train_dataloader.dataset.size=16',
    'train_dataloader.dataset.num_images=42',
    'train_dataloader.batch_size=7',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
]


@pytest.fixture
def soak(repository):
    return runpy.run_path(str(repository / 'tools/analysis_tools/soak.py'))


def test_slope_is_that_after_the_warm_up(soak):
    """36 MB an hour, in spite of a start that grows fast and of one reading that is far off."""
    readings = [(s, s, 500 + 0.01 * s + (s < 30) * 5 * s) for s in range(100)]
    readings[70] = (70, 70, 9000)
    slope, low, high = soak['growth'](readings)
    assert slope == pytest.approx(36) and low == pytest.approx(36) == high
    assert soak['growth']([(s, s, 500.0) for s in range(100)]) == (0, 0, 0)
    with pytest.raises(ValueError, match='3 readings after the warm-up are too few'):
        soak['growth'](readings[:4])


def test_memory_is_that_of_the_process(soak):
    grown = []
    for _ in range(5):  # a kernel may take back idle pages of the process at the same time
        before = soak['memory_mb']()
        with mmap.mmap(-1, 50 * 2**20) as block:  # pages of its own: a heap may hold freed ones
            block.write(b'x' * len(block))
            grown.append(soak['memory_mb']() - before)
    assert any(45 < mb < 60 for mb in grown), grown


@pytest.mark.slow
def test_trains_for_the_time_and_reports(run_tool, repository, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    arguments = ['--minutes', 0.1, '--interval', 0, '--cfg-options', *SMALL]
    run_tool('analysis_tools/soak.py', GAN, *arguments)
    report = capsys.readouterr().out
    assert re.search(r'\d+ iterations in \d+ s; memory \d+ MB at first, .* MB an hour \(95% interval', report)
