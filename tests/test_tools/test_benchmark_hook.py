"""The price of a hook."""

import re

import pytest

GAN = 'configs/creative_gan/can-h_tiny_texture_textures-64.py'
SMALL = [
    'model.generator.output_scale=16',
    'model.discriminator.input_scale=16',
    'train_dataloader.dataset.size=16',
    'train_dataloader.dataset.num_images=42',
    'train_dataloader.batch_size=7',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
]


def test_ratio_is_printed(run_tool, repository, monkeypatch, capsys):
    monkeypatch.chdir(repository)
    arguments = ['--blocks', 2, '--steps', 2, '--cfg-options', *SMALL]
    run_tool('analysis_tools/benchmark_hook.py', GAN, *arguments)
    ratio = re.search(r'with / without: median (\d+\.\d+)', capsys.readouterr().out)[1]
    assert float(ratio) > 0
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/benchmark_hook.py', GAN, '--hook', 'none')
    assert 'hook must be one of' in capsys.readouterr().err
