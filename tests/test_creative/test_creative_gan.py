import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.runner.checkpoint import load_state_dict as mmengine_load

from mmforecast.creative import CreativeDataSample
from mmforecast.creative.losses import holistic_loss
from mmforecast.creative.models import CreativeGAN, discriminator_scalars, generator_scalars
from mmforecast.engine import MultiOptimWrapperConstructor
from mmforecast.registry import MODELS

SIDE = 16
GENERATOR = dict(type='DCGANGenerator', output_scale=SIDE, base_channels=8, noise_size=6)
DISC = dict(type='DCGANDiscriminator', input_scale=SIDE, base_channels=4)
CLASSIFY = dict(type='AttributeClassificationLoss')
BOTH = dict(shape=3, texture=2)
CREATIVE = dict(
    generator=GENERATOR,
    discriminator=dict(DISC, attributes=BOTH),
    loss_config=dict(disc_auxiliary_loss=CLASSIFY, gen_auxiliary_loss=dict(type='CreativityLoss')),
)
OPTIMIZERS = dict(
    constructor='mmforecast.MultiOptimWrapperConstructor',
    generator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-3, betas=(0.5, 0.999))),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-3, betas=(0.5, 0.999))),
)
MASKED = dict(
    condition='mask',
    generator=dict(type='MaskStyleGenerator', output_scale=64, base_channels=2, noise_size=6),
    discriminator=dict(DISC, input_scale=64, disc_sees_mask=True),
    loss_config=dict(gen_auxiliary_loss=dict(type='MaskReconstructionLoss')),
)


def gan(**kwargs):
    return MODELS.build(ConfigDict(dict(type='CreativeGAN', **{**CREATIVE, **kwargs})))


def batch(size=6, side=SIDE, labels=True, mask=False):
    samples = []
    for number in range(size):
        sample = CreativeDataSample(metainfo=dict(sample_idx=number, img_path=f'{number}.png'))
        known = dict(shape=number % 3, texture=number % 2) if labels else dict(shape=-1, texture=-1)
        sample.gt_labels = known
        if mask:
            sample.gt_mask = torch.rand(1, side, side) > 0.5
        samples.append(sample)
    images = [torch.randint(256, (3, side, side), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def step(model, data=None):
    return model.train_step(data or batch(), build_optim_wrapper(model, OPTIMIZERS))


def clone(module):
    return [p.detach().clone() for p in module.parameters()]


def changed(module, before):
    return [not torch.equal(p, q) for p, q in zip(module.parameters(), before)]


def test_a_step_trains_both_networks():
    model = gan()
    generator, disc = clone(model.generator), clone(model.discriminator)
    logs = step(model)
    assert all(changed(model.generator, generator)) and all(changed(model.discriminator, disc))
    assert set(logs) == {
        *('loss', 'loss_disc_real', 'loss_disc_fake', 'loss_class', 'loss_gen', 'loss_creativity'),
        *('d_real', 'd_fake', 'd_accuracy', 'accuracy_shape', 'accuracy_texture'),
        *('entropy_shape', 'entropy_texture', 'nn_distance', 'diversity'),
    }
    assert all(value.isfinite() for value in logs.values())
    total = sum(value for name, value in logs.items() if name.startswith('loss_'))
    torch.testing.assert_close(logs['loss'], total)


@pytest.mark.parametrize('mode, trained', [('discriminator', True), ('generator', False)])
def test_losses_of_a_network_reach_no_other(mode, trained):
    model = gan()
    data = model.data_preprocessor(batch(), True)
    frozen = model.generator if trained else model.discriminator
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    losses = model(**data, mode=f'loss_{mode}')
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is None for p in frozen.parameters())
    other = model.discriminator if trained else model.generator
    assert all(p.grad is not None for p in other.parameters())


def test_the_discriminators_losses_let_nothing_into_the_generator():
    """Also where nothing is frozen: generated images come without a graph."""
    model = gan()
    losses = model(**model.data_preprocessor(batch(), True), mode='loss_discriminator')
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is None for p in model.generator.parameters())


def test_losses_are_those_of_the_parts():
    model = gan()
    data = model.data_preprocessor(batch(), True)
    seen = {}
    model.discriminator.register_forward_hook(lambda m, args, out: seen.update(copy.copy(out)))
    losses = model(**data, mode='loss_generator')
    expected = holistic_loss(seen['shape']) + holistic_loss(seen['texture'])
    torch.testing.assert_close(losses['loss_creativity'], expected)
    torch.testing.assert_close(losses['loss_gen'], torch.nn.functional.softplus(-seen['real_fake']).mean())


def test_creativity_raises_the_entropy_of_generated_images():
    """The generator against a discriminator that stays as it is, confident of a class."""
    model = gan()
    with torch.no_grad():
        for name in BOTH:
            model.discriminator.heads[name].weight.mul_(40)
    optimizers = build_optim_wrapper(model, OPTIMIZERS)
    for parameter in model.discriminator.parameters():
        parameter.requires_grad_(False)
    data = model.data_preprocessor(batch(16), True)
    entropies = []
    for _ in range(40):
        losses = model(**data, mode='loss_generator')
        entropies.append(losses['entropy_shape'].item())
        optimizers['generator'].update_params(losses['loss_creativity'])
    assert entropies[-1] > entropies[0] + 0.2


def test_unlabelled_images_train_real_against_fake_alone():
    model = gan()
    heads = {name: clone(model.discriminator.heads[name]) for name in BOTH}
    logs = step(model, batch(labels=False))
    assert logs['loss_class'] == 0 and logs['loss_disc_real'] > 0
    assert not any(name.startswith('accuracy_') for name in logs)
    # Nothing to learn for the classifiers: Adam divides a gradient of exactly 0.
    for name, before in heads.items():
        assert not any(changed(model.discriminator.heads[name], before))


def test_a_model_without_attributes_needs_no_samples():
    model = gan(discriminator=DISC, loss_config=None)
    data = batch()
    del data['data_samples']
    logs = step(model, data)
    assert 'loss_class' not in logs and logs['loss'].isfinite()


def test_steps_and_the_size_of_a_batch_of_one():
    model = gan(generator_steps=2, discriminator_steps=3)
    calls = []
    for name in ('generator', 'discriminator'):
        forward = getattr(model, f'loss_{name}')
        setattr(model, f'loss_{name}', lambda *a, n=name, f=forward: calls.append(n) or f(*a))
    logs = step(model, batch(1))
    assert calls == ['discriminator'] * 3 + ['generator'] * 2
    assert 'diversity' not in logs


def test_ema_follows_by_hand():
    model = gan(ema_config=dict(momentum=0.25))
    optimizers = build_optim_wrapper(model, OPTIMIZERS)
    average = None
    for _ in range(3):
        model.train_step(batch(), optimizers)
        weight = model.generator.layers[0][0].weight.detach()
        average = weight.clone() if average is None else 0.75 * average + 0.25 * weight
        torch.testing.assert_close(model.generator_ema.module.layers[0][0].weight, average)
    theirs = dict(model.generator.named_buffers())
    for name, buffer in model.generator_ema.module.named_buffers():
        assert torch.equal(buffer, theirs[name])
    assert not any(p.requires_grad for p in model.generator_ema.parameters())


def test_ema_copies_until_its_start():
    model = gan(ema_config=dict(momentum=0.1, start_iter=5))
    hub = MessageHub.get_instance('test_ema')
    optimizers = build_optim_wrapper(model, OPTIMIZERS)
    for iteration, same in ((3, True), (4, True), (5, False), (6, False)):
        hub.update_info('iter', iteration)
        model.train_step(batch(), optimizers)
        averaged = list(model.generator_ema.module.parameters())
        assert any(changed(model.generator, averaged)) != same, iteration


def test_labels_are_smoothed_and_the_discriminators_loss_is_weighted():
    smooth = dict(type='GANLoss', real_label_val=0.9)
    model = gan(discriminator=DISC, loss_config=dict(gan_loss=smooth, disc_weight=2.0))
    seen = []
    model.discriminator.register_forward_hook(lambda m, args, out: seen.append(out['real_fake']))
    data = model.data_preprocessor(batch(), True)
    losses = model(**data, mode='loss_discriminator')
    softplus = torch.nn.functional.softplus
    real = 2 * (0.9 * softplus(-seen[0]) + 0.1 * softplus(seen[0])).mean()
    torch.testing.assert_close(losses['loss_disc_real'], real)
    torch.testing.assert_close(losses['loss_disc_fake'], 2 * softplus(seen[1]).mean())


def test_penalties_reach_the_discriminator():
    data = gan().data_preprocessor(batch(), True)
    for penalty in ('r1', 'gp'):
        weighted = gan(loss_config=dict(penalty=penalty, penalty_weight=2.0))
        losses = weighted(**data, mode='loss_discriminator')
        assert losses['loss_penalty'] > 0
        losses['loss_penalty'].backward()
        assert weighted.discriminator.trunk[0][0].weight.grad.abs().sum() > 0


def test_real_and_generated_images_are_augmented():
    data = gan().data_preprocessor(batch(), True)
    augmented = gan(augmentation=dict(flip=True, translation=0.2))
    seen = []
    augmented.discriminator.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    augmented(**data, mode='loss_discriminator')
    assert not torch.equal(seen[0], data['inputs'])
    losses = augmented(**data, mode='loss_generator')
    losses['loss_gen'].backward()
    assert all(p.grad is not None for p in augmented.generator.parameters())


def conditional(**kwargs):
    return gan(
        condition='label:shape',
        generator=dict(GENERATOR, num_classes=3),
        loss_config=dict(
            disc_auxiliary_loss=CLASSIFY,
            gen_auxiliary_loss=[
                dict(
                    CLASSIFY,
                    branches=('shape',),
                    loss_name='loss_condition',
                    data_info=dict(logits='cls_pred_fake_g', labels='fake_labels'),
                ),
                dict(type='CreativityLoss', branches=('texture',)),
            ],
        ),
        **kwargs,
    )


def test_label_condition_is_the_batchs_and_drawn_where_it_is_missing():
    model = conditional()
    seen = []
    model.generator.register_forward_pre_hook(lambda m, args: seen.append(args[1]))
    data = batch()
    logs = step(model, data)
    assert [labels.tolist() for labels in seen] == [[0, 1, 2, 0, 1, 2]] * 2
    assert {'loss_class', 'loss_condition', 'loss_creativity'} <= set(logs)
    seen.clear()
    step(model, batch(30, labels=False))
    assert seen[0].shape == (30,) and set(seen[0].tolist()) == {0, 1, 2}
    assert not torch.equal(seen[0], seen[1])


def test_mask_condition_goes_to_both_networks():
    model = gan(**MASKED)
    seen = []
    model.discriminator.register_forward_pre_hook(lambda m, args: seen.append(args[1]))
    data = batch(3, side=64, mask=True)
    logs = step(model, data)
    masks = torch.stack([sample.gt_mask for sample in data['data_samples']]).float()
    assert len(seen) == 3 and all(torch.equal(given, masks) for given in seen)
    assert logs['loss_mask'] > 0
    with pytest.raises(ValueError, match='needs gt_mask in every data sample, .* missing of 0.png'):
        step(model, batch(2, side=64))


def test_masks_are_augmented_with_their_images():
    model = gan(**{**MASKED, 'augmentation': dict(translation=0.2)})
    images = torch.rand(4, 1, 64, 64)
    moved, masks = model._augment(images.expand(-1, 3, -1, -1), images)
    assert torch.equal(moved[:, :1], masks) and not torch.equal(masks, images)
    model = gan(**{**MASKED, 'augmentation': dict(noise=0.1)})
    noisy, masks = model._augment(images.expand(-1, 3, -1, -1), images)
    assert torch.equal(masks, images)
    assert (noisy - images).std().item() == pytest.approx(0.1, rel=0.05)
    with pytest.raises(ValueError, match='augmentation.noise .* 0 or more, got -1'):
        gan(augmentation=dict(noise=-1))


def test_predict_does_not_depend_on_batches():
    model = gan().eval()
    whole = model.test_step(batch(5))
    parts = [batch(5) for _ in range(2)]
    again = []
    for data, part in zip(parts, (slice(0, 2), slice(2, 5))):
        again += model.test_step({key: value[part] for key, value in data.items()})
    for one, other in zip(whole, again):
        assert one.pred_img.shape == (3, SIDE, SIDE) and one.pred_labels == {}
        assert 0 <= one.pred_img.min() and one.pred_img.max() <= 255
        torch.testing.assert_close(one.pred_img, other.pred_img, atol=1e-3, rtol=0)
    assert not torch.allclose(whole[0].pred_img, whole[1].pred_img)
    other_seed = gan(test_cfg=dict(seed=1)).eval()
    other_seed.load_state_dict(model.state_dict())
    assert not torch.allclose(other_seed.test_step(batch(5))[0].pred_img, whole[0].pred_img)


def test_predict_tells_the_condition():
    model = conditional().eval()
    assert [s.pred_labels for s in model.test_step(batch(3))] == [dict(shape=n) for n in range(3)]
    unlabelled = [s.pred_labels['shape'] for s in model.test_step(batch(30, labels=False))]
    assert set(unlabelled) == {0, 1, 2}


@pytest.mark.parametrize('batch_size', [1, 3, 64])
def test_same_seed_same_images(batch_size):
    model = gan(ema_config={})
    step(model)
    images = model.sample(7, seed=5)
    assert images.shape == (7, 3, SIDE, SIDE) and images.std() > 0
    again = model.sample(5, seed=5, batch_size=batch_size)
    torch.testing.assert_close(again, images[:5], atol=1e-3, rtol=0)
    assert not torch.allclose(model.sample(5, seed=6), images[:5])
    assert model.generator.training  # sampling leaves the mode alone


def test_sampling_options():
    model = gan(ema_config=dict(momentum=0.001))
    for _ in range(3):
        step(model)
    averaged, raw = model.sample(4), model.sample(4, use_ema=False)
    assert not torch.allclose(averaged, raw, atol=0.1)
    near = model.sample(20, truncation=0.1)
    assert near.std(0).mean() < 0.5 * model.sample(20).std(0).mean()
    labelled = conditional()
    assert not torch.allclose(labelled.sample(2, labels=0), labelled.sample(2, labels=1))
    mixed = labelled.sample(2, labels=[0, 1])
    torch.testing.assert_close(mixed[0], labelled.sample(2, labels=0)[0], atol=1e-3, rtol=0)
    masked = gan(**MASKED)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 10:50, 20:40] = 1
    assert masked.sample(3, mask=mask).shape == (3, 3, 64, 64)


def test_interpolation_ends_at_the_images_of_its_seeds():
    model = gan()
    strip = model.interpolate([3, 1, 4], steps=5)
    assert len(strip) == 9
    for place, seed in ((0, 3), (4, 1), (8, 4)):
        expected = model.sample(1, seed=seed)[0]
        torch.testing.assert_close(strip[place], expected, atol=1e-2, rtol=0)
    labelled = conditional()
    assert len(labelled.interpolate([0, 1], steps=2, label=2)) == 2


def test_scalars_by_hand():
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [-2.0]])
    logits, labels = torch.tensor([[3.0, 0.0], [3.0, 0.0]]), torch.tensor([0, 1])
    scalars = discriminator_scalars(real, fake, dict(shape=logits), dict(shape=labels))
    assert scalars['d_real'].item() == pytest.approx((0.5 + 0.880797) / 2)
    assert scalars['d_fake'].item() == pytest.approx((0.5 + 0.119203) / 2)
    assert scalars['d_accuracy'] == 0.5 and scalars['accuracy_shape'] == 0.5
    partly = discriminator_scalars(real, fake, dict(shape=logits), dict(shape=labels * 0 - 1))
    assert 'accuracy_shape' not in partly
    white, black = torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)
    photos = torch.cat([white, black])
    scalars = generator_scalars(0 * photos, photos, dict(shape=logits * 0))
    assert scalars['nn_distance'] == 1 and scalars['diversity'] == 0
    assert scalars['entropy_shape'] == 1
    assert generator_scalars(photos, photos, {})['diversity'] == 1
    assert generator_scalars(photos, photos, {})['nn_distance'] == 0
    assert not any('loss' in name for name in scalars)


@pytest.mark.parametrize(
    'kwargs, sentence',
    [
        (dict(generator=dict(GENERATOR, output_scale=32)), 'images of 32x32, .* takes 16x16'),
        (dict(noise_size=7), 'noise_size=7, but the generator has noise_size=6'),
        (dict(generator_steps=0), 'generator_steps must be an integer >= 1, got 0'),
        (dict(discriminator_steps=1.5), 'discriminator_steps must be an integer >= 1, got 1.5'),
        (dict(condition='shape'), "condition must be None, 'label:<attribute>', 'mask' or 'mix', got"),
        (dict(condition='label:'), "condition must be None, 'label:<attribute>', 'mask' or 'mix', got"),
        (dict(condition='label:shape'), 'DCGANGenerator takes none; set condition, or num_classes'),
        (dict(generator=dict(GENERATOR, num_classes=3)), 'condition=None, but .* takes label'),
        (
            dict(condition='label:style', generator=dict(GENERATOR, num_classes=3)),
            r'needs attributes=dict\(style=3\) of the discriminator, which has',
        ),
        (
            dict(discriminator=dict(DISC, attributes=BOTH, disc_sees_mask=True)),
            "disc_sees_mask=True needs condition='mask'",
        ),
        (dict(ema_config=dict(momentum=1.5)), 'momentum is the share .* got 1.5'),
        (dict(ema_config=dict(start_iter=-1)), 'start_iter must be an integer >= 0, got -1'),
        (dict(augmentation=dict(translation=0.7)), r'translation is a share .* got 0.7'),
        (dict(test_cfg=dict(psi=1)), r"test_cfg has unknown names \['psi'\]; known are 'seed'"),
        (dict(loss_config=dict(penalty='r2')), "penalty must be one of .* got 'r2'"),
        (dict(loss_config=dict(disc_weight=-1)), 'disc_weight must be 0 or more, got -1'),
        (
            dict(loss_config=dict(gen_auxiliary_loss=dict(CLASSIFY, branches=('style',)))),
            r"AttributeClassificationLoss of .* has branches \['style'\], but .* attributes",
        ),
        (
            dict(loss_config=dict(disc_auxiliary_loss=CLASSIFY, gen_auxiliary_loss=CLASSIFY)),
            'two losses of loss_config have one name in the log',
        ),
    ],
)
def test_creative_gan_refuses(kwargs, sentence):
    with pytest.raises(ValueError, match=f'CreativeGAN: .*{sentence}'):
        gan(**kwargs)


def test_truncation_of_test_cfg_is_checked_at_once():
    with pytest.raises(ValueError, match='truncation must be above 0'):
        gan(test_cfg=dict(truncation=-1))


@pytest.mark.parametrize(
    'call, sentence',
    [
        (lambda m: m.sample(0), 'sample: n must be an integer >= 1, got 0'),
        (lambda m: m.sample(2, labels=1), 'takes no labels: its condition is none'),
        (lambda m: m.sample(2, mask=torch.ones(1, 1, 16, 16)), 'takes no mask'),
        (lambda m: m.interpolate([1]), 'seeds must have 2 or more items'),
        (lambda m: conditional().sample(3, labels=[0, 1]), 'one class, or 3 of them, got 2'),
        (lambda m: conditional().sample(3, labels=3), r'must lie in 0..2, got 3..3'),
        (lambda m: gan(**MASKED).sample(3), 'fills a shape: give its mask, .1 or n, 1, 64, 64.'),
        (lambda m: gan(**MASKED).sample(3, mask=torch.ones(2, 1, 64, 64)), 'or 3 of them, got 2'),
        (lambda m: m(torch.zeros(1, 3, 16, 16), mode='loss'), "mode must be .* got 'loss'"),
    ],
)
def test_sampling_refuses(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(gan())


def test_data_that_does_not_fit_is_named():
    model = gan()
    with pytest.raises(ValueError, match=r'built for images \(B, 3, 16, 16\), got \(2, 3, 32, 32\)'):
        step(model, batch(2, side=32))
    data = batch(2)
    data['inputs'][1] = data['inputs'][1][:, :8]
    with pytest.raises(ValueError, match=r'different shapes .*\(3, 8, 16\), \(3, 16, 16\)'):
        step(model, data)
    data['inputs'] = [image[:1] for image in batch(2)['inputs']]
    with pytest.raises(ValueError, match=r'needs uint8 RGB images \(3, H, W\), got .* \(1, 16, 16\)'):
        step(model, data)
    data = batch(2)
    for sample in data['data_samples']:
        sample.gt_labels = dict(style=0)
    with pytest.raises(ValueError, match=r"the data has labels of \['style'\], not 'shape'"):
        step(model, data)
    with pytest.raises(ValueError, match=r"label of 'shape', but the data has labels of \['style'\]"):
        step(conditional(), data)
    data['data_samples'][0].gt_labels = dict(shape=3, texture=0)
    with pytest.raises(ValueError, match=r'labels must lie in 0..2, or be -1 where missing'):
        step(model, data)


def test_preprocessor_scales_to_plus_minus_one():
    images = [torch.full((3, 2, 2), value, dtype=torch.uint8) for value in (0, 255, 102)]
    scaled = gan().data_preprocessor(dict(inputs=images))['inputs']
    assert scaled.dtype == torch.float32
    assert scaled[:, 0, 0, 0].tolist() == pytest.approx([-1, 1, -0.2])


def test_it_is_registered_with_its_arguments_by_name():
    assert isinstance(MODELS.build(dict(type='mmforecast.CreativeGAN', **CREATIVE)), CreativeGAN)


@pytest.mark.parametrize('loader', ['torch', 'mmengine'])
@pytest.mark.parametrize('lacking', ['all of it', 'one weight', 'nothing'])
def test_average_that_a_checkpoint_lacks_is_its_generator(loader, lacking):
    source = gan(ema_config=dict(momentum=0.25))
    state = source.state_dict()
    state = {name: value + 1 if 'ema' in name else value for name, value in state.items()}
    first = next(name for name in state if name.startswith('generator_ema.module.'))
    state = {
        name: value
        for name, value in state.items()
        if lacking == 'nothing' or (name != first if lacking == 'one weight' else 'ema' not in name)
    }
    torch.manual_seed(1)
    model = gan(ema_config=dict(momentum=0.25))
    if loader == 'torch':
        model.load_state_dict(state)
    else:
        mmengine_load(model, dict(state))
    generator, average = source.generator.state_dict(), model.generator_ema.module.state_dict()
    for name, value in average.items():
        copied = lacking == 'all of it' or (lacking == 'one weight' and first.endswith(f'module.{name}'))
        assert torch.equal(value, generator[name] if copied else state[f'generator_ema.module.{name}'])
    assert model.generator_ema.steps == (1 if lacking == 'nothing' else 0)


def test_average_moves_once_per_step_of_the_optimizer():
    model = gan(ema_config=dict(momentum=0.25), discriminator_steps=2)
    wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1), accumulative_counts=3)
    optimizers = MultiOptimWrapperConstructor(dict(generator=wrapper, discriminator=dict(wrapper)))(model)
    optimizers.initialize_count_status(model, 0, 5)
    counts = []
    for _ in range(5):
        model.train_step(batch(), optimizers)
        counts.append(int(model.generator_ema.steps))
    assert counts == [0, 0, 1, 1, 2]
