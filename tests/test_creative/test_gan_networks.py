import pytest
import torch
import torch.nn as nn

from mmforecast.creative.models.discriminators import (
    CANDiscriminator,
    DCGANDiscriminator,
    MaskStyleDiscriminator,
)
from mmforecast.creative.models.generators import (
    CANGenerator,
    DCGANGenerator,
    MaskStyleGenerator,
    StackGANGenerator,
)
from mmforecast.fileio import CheckpointError
from mmforecast.registry import MODELS

BOTH = dict(shape=7, texture=7)


def parameters(cfg):
    with torch.device('meta'):
        return sum(p.numel() for p in MODELS.build(cfg).parameters())


def dcgan_generator_by_hand(widths, inputs=100):
    kernels = 16 * sum(a * b for a, b in zip([inputs, *widths], [*widths, 3]))
    return kernels + 2 * sum(widths) + 3


def dcgan_discriminator_by_hand(widths, logits):
    kernels = 16 * sum(a * b for a, b in zip([3, *widths], [*widths, logits]))
    return kernels + widths[0] + 2 * sum(widths[1:]) + logits


@pytest.mark.parametrize(
    'size, widths, generator, base, disc_widths, discriminator',
    [
        (64, [1024, 512, 256, 128], 12_658_435, 64, [64, 128, 256, 512], 2_880_335),
        (
            *(128, [1024, 512, 256, 128, 64], 12_786_563),
            *(64, [64, 128, 256, 512, 1024], 11_393_871),
        ),
        (
            *(256, [1024, 512, 256, 128, 64, 32], 12_817_859),
            *(32, [32, 64, 128, 256, 512, 1024], 11_425_199),
        ),
    ],
)
def test_dcgan_has_the_known_size(size, widths, generator, base, disc_widths, discriminator):
    assert dcgan_generator_by_hand(widths) == generator
    assert parameters(dict(type='DCGANGenerator', output_scale=size)) == generator
    assert dcgan_discriminator_by_hand(disc_widths, 1 + 7 + 7) == discriminator
    disc = dict(type='DCGANDiscriminator', input_scale=size, base_channels=base, attributes=BOTH)
    assert parameters(disc) == discriminator


def test_channels_are_capped():
    """At 256 with a base of 64, which would make 45 million."""
    capped = dict(type='DCGANDiscriminator', input_scale=256, attributes=BOTH)
    assert parameters(capped) == dcgan_discriminator_by_hand([64, 128, 256, 512, 1024, 1024], 15)


def test_a_label_adds_its_embedding_and_its_inputs():
    with_label = parameters(dict(type='DCGANGenerator', num_classes=7))
    assert with_label == 12_658_435 + 7 * 100 + 100 * 1024 * 16


@pytest.mark.parametrize('upsample', ['deconv', 'resize'])
def test_can_has_the_known_size(upsample):
    widths = [1024, 1024, 512, 256, 128, 64]
    kernels = 25 * sum(a * b for a, b in zip(widths, [*widths[1:], 3]))
    expected = 100 * 1024 * 16 + kernels + 2 * sum(widths) + 3
    assert parameters(dict(type='CANGenerator', upsample=upsample)) == expected == 45_271_619
    widths = [3, 32, 64, 128, 256, 512, 512]
    trunk = 16 * sum(a * b for a, b in zip(widths, widths[1:])) + 32 + 2 * sum(widths[2:])
    features = 512 * 4 * 4
    heads = features + 1 + (features + 1) * 1024 + 1025 * 512 + 513 * 25
    disc = dict(type='CANDiscriminator', attributes=dict(style=25))
    assert parameters(disc) == trunk + heads == 15_919_546


NETWORKS = [
    dict(type='DCGANGenerator', base_channels=32),
    dict(type='DCGANGenerator', output_scale=128, base_channels=32),
    dict(type='DCGANGenerator', output_scale=8, base_channels=3),
    dict(type='CANGenerator', output_scale=64, base_channels=16),
    dict(type='CANGenerator', output_scale=64, base_channels=16, upsample='resize'),
    dict(
        type='StackGANGenerator',
        base_channels=8,
        num_blocks=1,
        stage1=dict(type='DCGANGenerator', output_scale=16, base_channels=16),
    ),
]


@pytest.mark.parametrize('cfg', NETWORKS, ids=lambda cfg: cfg['type'])
def test_generators_keep_their_contract(cfg):
    generator = MODELS.build(cfg)
    images = generator(torch.randn(3, 100))
    side = generator.output_scale
    assert images.shape == (3, 3, side, side)
    assert images.abs().max() <= 1 and images.requires_grad
    assert generator.condition_kind is None
    with pytest.raises(ValueError, match=r'needs noise \(B, 100\), got \(3, 99\)'):
        generator(torch.randn(3, 99))


@pytest.mark.parametrize('side', [64, 128, 256])
def test_style_generator_brings_mask_and_noise_to_32x32(side):
    generator = MaskStyleGenerator(side, base_channels=4)
    mask = torch.rand(2, 1, side, side) > 0.5
    assert generator.mask_path(2 * mask.float() - 1).shape == (2, 8, 32, 32)
    assert generator.noise_path(torch.randn(2, 100, 1, 1)).shape == (2, 4, 32, 32)
    images = generator(torch.randn(2, 100), mask)
    assert images.shape == (2, 3, side, side) and images.abs().max() <= 1
    assert generator.condition_kind == 'mask'


def test_style_generator_has_s2gans_layers_at_128():
    kernels = [
        *(25 * 64, 25 * 64 * 128),
        *(64 * 100 * 64, 16 * 64 * 64, 16 * 64 * 64),
        *(9 * 192 * 256, 9 * 256 * 512, 9 * 512 * 512),
        *(16 * 512 * 256, 16 * 256 * 128, 16 * 128 * 64, 25 * 64 * 3 + 3),
    ]
    norms = 2 * (64 + 128 + 64 + 64 + 64 + 256 + 512 + 512 + 256 + 128 + 64)
    assert parameters(dict(type='MaskStyleGenerator')) == sum(kernels) + norms


def test_style_discriminator_has_s2gans_layers_at_128():
    kernels = [
        *(25 * 4 * 64 + 64, 25 * 64 * 128, 9 * 128 * 256, 9 * 256 * 512, 9 * 512 * 128),
        128 * 64 * (1 + 7 + 7) + 15,
    ]
    norms = 2 * (128 + 256 + 512 + 128)
    cfg = dict(type='MaskStyleDiscriminator', attributes=BOTH, disc_sees_mask=True)
    assert parameters(cfg) == sum(kernels) + norms


def test_conditions_change_the_image():
    noise = torch.randn(1, 100)
    generator = DCGANGenerator(base_channels=16, num_classes=3).eval()
    one, other = (generator(noise, torch.tensor([label])) for label in (0, 1))
    assert not torch.allclose(one, other)
    style = MaskStyleGenerator(64, base_channels=4).eval()
    empty, full = (style(noise, torch.full((1, 1, 64, 64), value)) for value in (0.0, 1.0))
    assert not torch.allclose(empty, full)


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='DCGANDiscriminator', base_channels=4),
        dict(type='DCGANDiscriminator', base_channels=4, max_channels=8, input_scale=32),
        dict(type='CANDiscriminator', input_scale=64, base_channels=4, head_channels=16),
        dict(
            **dict(type='CANDiscriminator', input_scale=64, base_channels=4, head_channels=16),
            num_layers=3,
        ),
        dict(type='MaskStyleDiscriminator', input_scale=64, base_channels=4),
    ],
    ids=lambda cfg: cfg['type'],
)
@pytest.mark.parametrize('attributes', [None, dict(shape=3), dict(shape=3, texture=5)])
def test_discriminators_keep_their_contract(cfg, attributes):
    disc = MODELS.build(dict(cfg, attributes=attributes))
    side = disc.input_scale
    logits = disc(torch.randn(2, 3, side, side))
    expected = {'real_fake': (2, 1), **{k: (2, v) for k, v in (attributes or {}).items()}}
    assert {name: tuple(value.shape) for name, value in logits.items()} == expected
    with pytest.raises(ValueError, match=f'images .B, 3, {side}, {side}., got .2, 3, 16, 16.'):
        disc(torch.randn(2, 3, 16, 16))


@pytest.mark.parametrize('disc_type', ['DCGANDiscriminator', 'MaskStyleDiscriminator'])
def test_a_discriminator_that_sees_the_mask_needs_it(disc_type):
    disc = MODELS.build(dict(type=disc_type, input_scale=64, base_channels=4, disc_sees_mask=True)).eval()
    images = torch.randn(2, 3, 64, 64)
    empty, full = (disc(images, torch.full((2, 1, 64, 64), v))['real_fake'] for v in (0.0, 1.0))
    assert not torch.allclose(empty, full)
    with pytest.raises(ValueError, match=r'needs masks as condition: .* shape \(2, 1, 64, 64\), got None'):
        disc(images)


def layers_of(model, kind):
    return [layer for layer in model.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize('net', [DCGANGenerator(base_channels=256), DCGANDiscriminator()])
def test_initial_weights_and_slopes_are_dcgans(net):
    for layer in layers_of(net, (nn.Conv2d, nn.ConvTranspose2d)):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert layer.bias is None or (layer.bias == 0).all()
    norms = layers_of(net, nn.BatchNorm2d)
    assert norms
    for layer in norms:
        assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
        assert 0.01 < layer.weight.std().item() < 0.03
    assert all(layer.negative_slope == 0.2 for layer in layers_of(net, nn.LeakyReLU))


def test_no_norm_where_dcgan_has_none():
    generator, disc = DCGANGenerator(base_channels=16), DCGANDiscriminator(base_channels=4)
    assert [type(layer) for layer in generator.layers[-1]] == [nn.ConvTranspose2d, nn.Tanh]
    assert [type(layer) for layer in disc.trunk[0]] == [nn.Conv2d, nn.LeakyReLU]
    kinds = [type(layer) for layer in disc.trunk[1]]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]


def test_stage_two_is_four_times_larger_and_leaves_stage_one_alone():
    stage1 = dict(type='DCGANGenerator', output_scale=16, base_channels=16)
    generator = StackGANGenerator(stage1, base_channels=8, num_blocks=2).train()
    before = {k: v.clone() for k, v in generator.stage1.state_dict().items()}
    assert generator.output_scale == 64 and not generator.stage1.training
    generator(torch.randn(2, 100)).sum().backward()
    assert all(p.grad is None and not p.requires_grad for p in generator.stage1.parameters())
    rest = [p for name, p in generator.named_parameters() if not name.startswith('stage1.')]
    assert rest and all(p.grad is not None for p in rest)
    after = generator.stage1.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_stage_two_has_stackgans_layers():
    stage1 = dict(type='DCGANGenerator')
    size = parameters(dict(type='StackGANGenerator', stage1=stage1)) - parameters(stage1)
    encoder = 9 * 3 * 128 + 128 + 16 * (128 * 256 + 256 * 512) + 2 * (256 + 512)
    blocks = 4 * 2 * (9 * 512 * 512 + 2 * 512)
    decoder = 9 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 32) + 2 * (256 + 128 + 64 + 32)
    assert size == encoder + blocks + decoder + 9 * 32 * 3 + 3


def test_stage_one_comes_from_a_checkpoint(tmp_path):
    stage1 = dict(type='DCGANGenerator', output_scale=16, base_channels=16)
    raw, averaged = MODELS.build(stage1), MODELS.build(stage1)
    state = {f'generator.{k}': v for k, v in raw.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    loaded = StackGANGenerator(stage1, str(path), base_channels=8).stage1.state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in raw.state_dict().items())
    state |= {f'generator_ema.module.{k}': v for k, v in averaged.state_dict().items()}
    torch.save(dict(state_dict=state), path)
    loaded = StackGANGenerator(stage1, str(path), base_channels=8).stage1.state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in averaged.state_dict().items())
    with pytest.raises(CheckpointError, match='is not the one of stage1, a DCGANGenerator of 32x32'):
        StackGANGenerator(dict(stage1, output_scale=32), str(path))
    torch.save(dict(state_dict=dict(weight=torch.zeros(1))), path)
    with pytest.raises(CheckpointError, match='holds no generator'):
        StackGANGenerator(stage1, str(path))


@pytest.mark.parametrize(
    'cls, kwargs, sentence',
    [
        (DCGANGenerator, dict(output_scale=100), r'output_scale must be one of 8, .* got 100'),
        (DCGANGenerator, dict(base_channels=0), 'base_channels must be an integer >= 1, got 0'),
        (
            DCGANGenerator,
            dict(base_channels=100),
            'base_channels must be a multiple of 8, got 100',
        ),
        (DCGANGenerator, dict(num_classes=0), 'num_classes must be an integer >= 1, got 0'),
        (CANGenerator, dict(upsample='bilinear'), "upsample must be one of .* got 'bilinear'"),
        (CANGenerator, dict(base_channels=10), 'base_channels must be a multiple of 16'),
        (MaskStyleGenerator, dict(output_scale=512), 'output_scale must be one of 64, 128, 256, got 512'),
        (DCGANDiscriminator, dict(input_scale=4), 'input_scale must be one of'),
        (DCGANDiscriminator, dict(attributes=dict(shape=1)), "'shape' has 1 class"),
        (
            DCGANDiscriminator,
            dict(attributes=dict(shape=2.0)),
            'attributes.shape must be an integer',
        ),
        (DCGANDiscriminator, dict(attributes=dict(real_fake=2)), "'real_fake' cannot be the name"),
        (DCGANDiscriminator, dict(attributes=dict(gloss=2)), "'gloss' cannot be the name"),
        (
            CANDiscriminator,
            dict(num_layers=7),
            'num_layers must be an integer from 1 to 6, got 7',
        ),
        (MaskStyleDiscriminator, dict(dropout=1), 'dropout must lie in .* got 1'),
        (
            StackGANGenerator,
            dict(stage1=dict(type='DCGANGenerator', base_channels=8), base_channels=6),
            'base_channels must be a multiple of 4, got 6',
        ),
    ],
)
def test_networks_refuse(cls, kwargs, sentence):
    with pytest.raises(ValueError, match=f'{cls.__name__}.*: .*{sentence}'):
        cls(**kwargs)


def test_conditional_generators_refuse_other_conditions():
    generator = DCGANGenerator(output_scale=16, base_channels=8, num_classes=3)
    noise = torch.randn(2, 100)
    with pytest.raises(ValueError, match='one label in 0..2 per image .* got None for 2 images'):
        generator(noise)
    with pytest.raises(ValueError, match=r'must lie in 0..2, got 0..3'):
        generator(noise, torch.tensor([0, 3]))
    style = MaskStyleGenerator(64, base_channels=4)
    with pytest.raises(ValueError, match=r'needs masks as condition: .* shape \(2, 1, 64, 64\), got'):
        style(noise, torch.ones(2, 1, 32, 32))
