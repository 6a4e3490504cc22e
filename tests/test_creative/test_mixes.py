"""Conditions on mixes of classes: what is drawn, what is learned, and what is sampled."""

import math

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper

from mmforecast.creative import CreativeDataSample
from mmforecast.creative.losses import AttributeMixLoss, attribute_cross_entropy, holistic_loss
from mmforecast.creative.models import draw_noise
from mmforecast.creative.models.mixes import draw_mixes, one_hot_mix, split_mix, toward_uniform
from mmforecast.engine import MultiOptimWrapperConstructor  # noqa: F401
from mmforecast.registry import MODELS

BOTH = dict(shape=3, texture=2)
SIDE = 32


def gan(**kwargs):
    adam = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-3))
    config = dict(
        type='CreativeGAN',
        condition='mix',
        generator=dict(
            type='GarmentGenerator',
            attributes=BOTH,
            output_scale=SIDE,
            noise_size=6,
            base_channels=16,
        ),
        discriminator=dict(type='DCGANDiscriminator', input_scale=SIDE, base_channels=4, attributes=BOTH),
        loss_config=dict(
            disc_auxiliary_loss=dict(type='AttributeClassificationLoss'),
            gen_auxiliary_loss=dict(type='AttributeMixLoss'),
        ),
        ema_config=dict(momentum=0.1),
    )
    model = MODELS.build(ConfigDict({**config, **kwargs}))
    constructor = dict(
        constructor='mmforecast.MultiOptimWrapperConstructor', generator=adam, discriminator=adam
    )
    return model, build_optim_wrapper(model, constructor)


def batch(size=6, mask=True):
    samples = []
    for number in range(size):
        sample = CreativeDataSample(metainfo=dict(sample_idx=number, img_path=f'{number}.png'))
        sample.gt_labels = dict(shape=number % 3, texture=-1)
        if mask:
            sample.gt_mask = torch.rand(1, SIDE, SIDE) > 0.5
        samples.append(sample)
    images = [torch.randint(256, (3, SIDE, SIDE), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def test_uniform_mix_is_the_holistic_loss_and_a_class_the_cross_entropy():
    torch.manual_seed(0)
    logits = dict(shape=torch.randn(5, 3), texture=torch.randn(5, 2))
    labels = dict(shape=torch.tensor([0, 1, 2, 0, 1]), texture=torch.tensor([0, 1, 1, 0, 1]))
    pure = one_hot_mix(list(labels.values()), BOTH)
    loss = AttributeMixLoss()
    uniform = split_mix(toward_uniform(pure, 1.0, BOTH), BOTH)
    expected = sum(holistic_loss(x) for x in logits.values())
    assert torch.allclose(loss(logits=logits, mixes=uniform), expected)
    expected = sum(attribute_cross_entropy(logits[name], labels[name]) for name in BOTH)
    assert torch.allclose(loss(logits=logits, mixes=split_mix(pure, BOTH)), expected)
    zeros = dict(shape=torch.zeros(5, 3))
    assert float(AttributeMixLoss(['shape'])(logits=zeros, mixes=uniform)) == pytest.approx(math.log(3))


def test_creativity_moves_a_class_to_the_uniform_mix():
    pure = one_hot_mix([torch.tensor([2]), torch.tensor([0])], BOTH)
    assert pure.tolist() == [[0, 0, 1, 1, 0]]
    assert toward_uniform(pure, 0.0, BOTH).tolist() == pure.tolist()
    assert toward_uniform(pure, 0.3, BOTH)[0].tolist() == pytest.approx([0.1, 0.1, 0.8, 0.85, 0.15])
    with pytest.raises(ValueError, match=r'creativity must lie in \[0, 1\], got 1.5'):
        toward_uniform(pure, 1.5, BOTH)


def test_drawn_mixes_are_pure_pairs_or_toward_uniform():
    torch.manual_seed(0)
    labels = dict(shape=torch.arange(3000) % 3, texture=torch.arange(3000) % 2)
    mixes = draw_mixes(labels, BOTH, 0.5, torch.device('cpu'))
    parts = split_mix(mixes, BOTH)
    for part in parts.values():
        assert torch.allclose(part.sum(1), torch.ones(3000)) and part.min() >= 0
    pure = one_hot_mix(list(labels.values()), BOTH)
    own = (parts['shape'] == split_mix(pure, BOTH)['shape']).all(1)
    # half of them, and of the other half a sixth: pairs of a class with itself
    assert float(own.float().mean()) == pytest.approx(0.5 + 0.5 / 6, abs=0.03)
    assert torch.equal(draw_mixes(labels, BOTH, 1.0, torch.device('cpu')), pure)


def test_a_step_trains_both_networks_and_the_average():
    torch.manual_seed(0)
    model, optimizers = gan(mix_config=dict(mask_share=0.5))
    before = [p.detach().clone() for p in model.generator.parameters()]
    logs = model.train_step(batch(), optimizers)
    assert {'loss_mix', 'loss_class', 'entropy_shape', 'entropy_texture'} <= set(logs)
    assert all(not torch.equal(p, q) for p, q in zip(model.generator.parameters(), before))
    logs = model.train_step(batch(), optimizers)
    assert all(torch.isfinite(torch.as_tensor(value)) for value in logs.values())


def test_masks_are_needed_only_where_they_are_used():
    model, optimizers = gan(mix_config=dict(mask_share=0.5))
    with pytest.raises(ValueError, match='mask_share, needs gt_mask'):
        model.train_step(batch(mask=False), optimizers)
    model, optimizers = gan()
    model.train_step(batch(mask=False), optimizers)


def test_samples_depend_on_seed_mix_and_mask_alone():
    torch.manual_seed(0)
    model, _ = gan()
    images = model.sample(5, seed=3)
    assert images.shape == (5, 3, SIDE, SIDE)
    assert torch.allclose(model.sample(3, seed=3, batch_size=2), images[:3], atol=1e-2)
    _, drawn = draw_noise(3, range(5), 6, (3, 2))
    assert drawn.shape == (5, 2) and (drawn.amax(0) <= torch.tensor([2, 1])).all()
    asked = one_hot_mix(drawn.unbind(1), BOTH)
    assert torch.allclose(model.sample(5, seed=3, mix=asked), images, atol=1e-2)
    assert not torch.allclose(model.sample(5, seed=3, mix=asked.roll(1, 1)), images, atol=1e-2)
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 8:20, 8:20] = 1
    filled = model.sample(5, seed=3, mask=mask)
    assert (filled[..., :6] == 255).all() and (filled[..., 10:18, 10:18] < 255).any()
    strip = model.interpolate([3, 4], steps=4)
    assert strip.shape[0] == 4 and torch.allclose(strip[0], images[0], atol=1e-2)


def test_predicted_labels_are_those_of_the_data():
    model, _ = gan()
    data = model.data_preprocessor(batch())
    samples = model.eval()(**data, mode='predict')
    assert [sample.pred_labels['shape'] for sample in samples] == [0, 1, 2, 0, 1, 2]
    assert {sample.pred_labels['texture'] for sample in samples} <= {0, 1}


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(condition=None), 'condition=None, but GarmentGenerator takes mix'),
        (dict(mix_config=dict(pure=2)), r'mix_config.pure must lie in \[0, 1\], got 2'),
        (dict(mix_config=dict(share=1)), r"mix_config has unknown names \['share'\]"),
        (
            dict(discriminator=dict(type='DCGANDiscriminator', input_scale=SIDE, attributes=dict(shape=3))),
            "the generator mixes 2 classes of 'texture', but the discriminator has",
        ),
    ],
)
def test_bad_settings(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        gan(**settings)


def test_what_sampling_refuses():
    model, _ = gan()
    with pytest.raises(ValueError, match='takes no labels, but a mix of classes'):
        model.sample(2, labels=1)
    with pytest.raises(ValueError, match='mix must be one, or 3 of them, got 2'):
        model.sample(3, mix=torch.full((2, 5), 0.5))
    with pytest.raises(ValueError, match='AttributeMixLoss needs a generator that is asked for mixes'):
        AttributeMixLoss()(logits={}, mixes={})
