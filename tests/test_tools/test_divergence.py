"""Shipped configs that diverge for real, through the real tool: one sentence, a dump, no step."""

import re

import pytest
import torch

S2S = 'configs/s2s/s2s_2scale_tiny_synthetic.py'
GAN = 'configs/creative_gan/can-h_tiny_texture_textures-64.py'
SMALL_GAN = [
    'model.generator.output_scale=16',
    'model.generator.base_channels=8',
    'model.discriminator.input_scale=16',
    'model.discriminator.base_channels=4',
    'train_dataloader.dataset.size=16',
    'train_dataloader.dataset.num_images=42',
    'train_dataloader.batch_size=7',
]


@pytest.fixture
def diverge(run_tool, repository, monkeypatch, tmp_path, capsys):
    """Train a config until it stops; its sentence and its dump."""
    monkeypatch.chdir(repository)

    def run(config, *options):
        with pytest.raises(SystemExit) as stop:
            run_tool(
                'train.py',
                config,
                *['--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_iters=30', *options],
            )
        assert stop.value.code == 2
        (sentence,) = re.findall(r'^Error: .*$', capsys.readouterr().err, flags=re.MULTILINE)
        number = re.match(r'Error: Iteration (\d+) diverged', sentence)[1]
        dump = torch.load(tmp_path / f'divergence_iter_{number}.pth', weights_only=True)
        saved = torch.load(tmp_path / f'before_iter_{number}.pth', weights_only=True)
        assert all(value.isfinite().all() for value in saved['state_dict'].values())
        return sentence, dump

    return run


@pytest.mark.slow
def test_forecaster(diverge, data):
    """A learning rate that no network survives."""
    options = ['optim_wrapper.optimizer.lr=1e18', 'param_scheduler=None', *data]
    small = ['model.predictor.widths=[[8],[8]]', 'model.predictor.kernels=[[3,3],[3,3]]']
    clip = ['optim_wrapper.clip_grad=None', 'train_cfg.val_interval=100']
    sentence, dump = diverge(S2S, *options, *small, *clip, 'train_dataloader.batch_size=2')
    assert re.search(r'loss\S* is (nan|inf)', sentence)
    (step,) = dump['steps']
    assert len(step['samples']) == 2
    for sample in step['samples']:
        assert f'sequence {sample["sequence_id"]} frames {sample["frame_indices"][0]} to' in sentence
        assert all(path.endswith('.png') for path in sample['img_paths'])


@pytest.mark.slow
@pytest.mark.parametrize('network', ['generator', 'discriminator'])
def test_each_network_of_a_gan(diverge, network):
    other = dict(generator='discriminator', discriminator='generator')[network]
    lr = 'optim_wrapper.{}.optimizer.lr'.format
    sentence, dump = diverge(GAN, *SMALL_GAN, f'{lr(network)}=1e38', f'{lr(other)}=1e-9')
    assert f'in the step of the {dump["network"]}: ' in sentence
    assert dump['network'] in (network, other)
    assert all(name.startswith(dump['network']) for name in dump['bad_gradients'])
