"""Creative GANs from the shipped configs: trained, resumed, sampled; on data generated on the fly."""

import re

import cv2
import numpy as np
import pytest
import torch

# 16x16, a few images, six iterations
SMALL = [
    'model.generator.output_scale=16',
    'model.generator.base_channels=8',
    'model.discriminator.input_scale=16',
    'model.discriminator.base_channels=4',
    'model.ema_config.start_iter=1',
    'train_dataloader.dataset.size=16',
    'train_dataloader.dataset.num_images=42',
    'train_dataloader.batch_size=7',
    'train_cfg.max_iters=6',
    'default_hooks.checkpoint.interval=3',
    'default_hooks.logger.interval=2',
    'custom_hooks.0.interval=4',
    'custom_hooks.1.interval=3',
]
CAN_H = 'configs/creative_gan/can-h_tiny_texture_textures-64.py'
LABELS = 'configs/creative_gan/can-h_tiny_texture_shape-label_garments-64.py'
MASKS = 'configs/creative_gan/style-mask_tiny_can-h_texture_garments-64.py'


@pytest.fixture
def train(run_tool, repository, monkeypatch):
    monkeypatch.chdir(repository)

    def run(config, folder, *args, options=SMALL):
        run_tool('train.py', config, '--work-dir', folder, *args, '--cfg-options', *options)
        return torch.load(folder / 'iter_6.pth', weights_only=True)

    return run


def test_resumed_training_ends_with_the_same_weights(train, tmp_path):
    ramp = [*SMALL, 'model.loss_config.gen_auxiliary_loss.ramp=(1,5)']
    ramp += ['model.augmentation.translation=0.1']
    whole = train(CAN_H, tmp_path / 'whole', options=ramp)
    resume = ('--resume', tmp_path / 'whole/iter_3.pth')
    resumed = train(CAN_H, tmp_path / 'resumed', *resume, options=ramp)
    assert whole['state_dict'].keys() == resumed['state_dict'].keys()
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, resumed['state_dict'][name]), name
    start = torch.load(tmp_path / 'whole/iter_3.pth', weights_only=True)['state_dict']
    for name in ('generator.layers.0.0.weight', 'discriminator.heads.texture.weight'):
        assert not torch.equal(start[name], whole['state_dict'][name])
    assert whole['state_dict']['generator_ema.steps'] == 6
    # Fixed noise is drawn at the interval and at the end, and the same again.
    grids = [
        sorted(path.name for path in (tmp_path / run / 'samples').iterdir()) for run in ('whole', 'resumed')
    ]
    assert grids == [['iter_000004.png', 'iter_000006.png']] * 2
    one, other = (cv2.imread(str(tmp_path / r / 'samples/iter_000006.png')) for r in ('whole', 'resumed'))
    assert one.shape == (8 * 18 + 2, 8 * 18 + 2, 3) and (one == other).all()


@pytest.fixture
def trained(train, tmp_path):
    def run(config, options=SMALL):
        train(config, tmp_path / 'run', options=options)
        return config, tmp_path / 'run/iter_6.pth'

    return run


def sample(run_tool, trained, out, *args, options=SMALL):
    config, checkpoint = trained
    model = [option for option in options if option.startswith('model.')]
    model = ['--cfg-options', *model] if model else []
    run_tool('sample_images.py', config, checkpoint, '--out', out, *args, *model)


def read(path):
    image = cv2.imread(str(path))
    assert image is not None, path
    return image


def test_images_by_seed_and_strips(run_tool, trained, tmp_path, capsys):
    model, out = trained(CAN_H), tmp_path / 'samples'
    sample(run_tool, model, out, '--num', 5, '--seeds', 0, 7, '--columns', 3, '--batch-size', 2)
    assert read(out / 'grid_seed7.png').shape == (2 * 18 + 2, 3 * 18 + 2, 3)
    singles = [read(out / f'seed7/{number:05d}.png') for number in range(5)]
    assert {image.shape for image in singles} == {(16, 16, 3)}
    assert len({image.tobytes() for image in singles}) == 5
    assert (read(out / 'grid_seed7.png')[2:18, 20:36] == singles[1]).all()
    sample(run_tool, model, tmp_path / 'more', '--num', 9, '--seeds', 7)
    again = read(tmp_path / 'more/seed7/00004.png').astype(int)
    assert abs(again - singles[4]).max() <= 1
    args = ('--interpolate', 0, 7, 3, '--steps', 4, '--scale', 2)
    sample(run_tool, model, out, *args)
    assert read(out / 'strip_0-7-3.png').shape == (34 + 2, 7 * 34 + 2, 3)
    assert 'strip_0-7-3.png: 1 x 7 images' in capsys.readouterr().out


def test_images_by_label(run_tool, trained, tmp_path):
    model, out = trained(LABELS), tmp_path / 'samples'
    sample(run_tool, model, out, '--labels', 'dress', 1, '--num', 3)
    folders = {path.name for path in (out / 'seed0').iterdir()}
    assert 'dress' in folders and len(folders) == 2
    assert read(out / 'grid_seed0.png').shape == (2 * 18 + 2, 3 * 18 + 2, 3)
    sample(run_tool, model, out, '--labels', 'all', '--interpolate', 0, 1)
    assert read(out / 'strip_0-1.png').shape == (6 * 18 + 2, 8 * 18 + 2, 3)
    sample(run_tool, model, out, '--num', 12, '--grid-only', '--seeds', 4)  # labels are drawn
    assert not (out / 'seed4').exists() and (out / 'grid_seed4.png').exists()


def test_images_by_mask(run_tool, trained, refused, tmp_path):
    small = [option for option in SMALL if '_scale=16' not in option and 'size=16' not in option]
    small = [option.replace('base_channels=8', 'base_channels=2') for option in small]
    model, out = trained(MASKS, options=small), tmp_path / 'samples'
    mask = np.zeros((100, 80), np.uint8)
    mask[20:70, 20:60] = 255
    for name in ('coat', 'shirt'):
        cv2.imwrite(str(tmp_path / f'{name}.png'), mask)
    files = ('--masks', tmp_path / 'coat.png', tmp_path / 'shirt.png')
    sample(run_tool, model, out, *files, '--num', 2, options=small)
    assert read(out / 'seed0/1_shirt/00001.png').shape == (64, 64, 3)
    assert read(out / 'grid_seed0.png').shape == (2 * 66 + 2, 2 * 66 + 2, 3)
    cases = [
        ((), 'this model fills shapes: give --masks'),
        (('--masks', tmp_path / 'none.png'), 'there is no mask .*none.png'),
        (('--labels', 'dress'), 'the condition of this model is mask'),
    ]
    cv2.imwrite(str(tmp_path / 'dark.png'), mask * 0)
    cases.append((('--masks', tmp_path / 'dark.png'), 'dark.png is empty'))
    refused(model, out, cases, small)


@pytest.fixture
def refused(run_tool, capsys):
    """Each call ends with status 2 and one sentence."""

    def check(model, out, cases, options=SMALL):
        for args, sentence in cases:
            capsys.readouterr()
            with pytest.raises(SystemExit) as stop:
                sample(run_tool, model, out, *args, options=options)
            assert stop.value.code == 2
            (error,) = re.findall(r'^Error: .*$', capsys.readouterr().err, flags=re.MULTILINE)
            assert re.search(sentence, error), error

    return check


def test_sampling_refuses(trained, refused, tmp_path):
    model = trained(CAN_H)
    cases = [
        (('--labels', 3), 'the condition of this model is none'),
        (('--masks', 'x.png'), 'the condition of this model is none'),
        (('--num', 0), 'n must be an integer >= 1, got 0'),
        (('--seeds', -1), 'seed must be an integer >= 0, got -1'),
        (('--interpolate', 3), r'seeds must have 2 or more items, got \[3\]'),
        (('--truncation', 0), 'truncation must be above 0, or None, got 0.0'),
        (('--columns', 0), 'columns must be an integer >= 1, got 0'),
    ]
    refused(model, tmp_path, cases)
    other = ('configs/creative_gan/attribute-classifier_tiny_textures-64.py', model[1])
    refused(other, tmp_path, [((), 'The checkpoint is of another model')], options=[])
