"""Video prediction: the discriminator of frames, and forecasters trained against it."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from mmengine.runner.checkpoint import load_state_dict

from mmforecast.models.decoders import RGBDecoder
from mmforecast.models.discriminators import MultiScaleDiscriminator
from mmforecast.models.forecasters import VideoForecaster
from mmforecast.models.utils.adversarial import AdversarialDistributedDataParallel
from mmforecast.models.utils.adversarial_balance import AdversarialBalance
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

REPO = dict(
    widths=((32,), (32, 32, 64), (32, 32, 64), (32, 32, 64, 128)),
    hidden=((256, 128),) * 4,
)
# Two scales on patches of 8x8: small enough to follow.
PREDICTOR = dict(
    type='MultiScalePredictor',
    channels=3,
    num_past=4,
    widths=((4,), (4,)),
    kernels=((3, 3), (3, 3)),
    out_act='tanh',
    losses=dict(l2=dict(type='mmdet.MSELoss'), gdl=dict(type='GDLoss')),
)
JUDGE = dict(
    type='MultiScaleDiscriminator',
    patch_size=(8, 8),
    widths=((4,), (4, 4)),
    kernels=((3,), (3, 3)),
    hidden=((5,), (5,)),
    pools=(1, 2),
)
ADVERSARIAL = dict(
    constructor='mmforecast.MultiOptimWrapperConstructor',
    predictor=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
    discriminator=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
)


def model(adversarial=True, **kwargs):
    torch.manual_seed(0)
    if adversarial:
        kwargs = dict(dict(discriminator=JUDGE, gan_loss=dict(type='GANLoss')), **kwargs)
    return VideoForecaster(**dict(dict(predictor=PREDICTOR, num_past=4), **kwargs))


def clips(frames=5, size=(8, 8), batch=2):
    noise = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (batch, frames, 3, *size), generator=noise).float()


def samples(batch=2, size=(8, 8)):
    return [ForecastDataSample(metainfo=dict(img_shape=size)) for _ in range(batch)]


def conv(given, widths, kernels):
    total = 0
    for width, kernel in zip(widths, kernels):
        total += given * width * kernel**2 + width
        given = width
    return total


def dense(given, widths):
    return sum(a * b + b for a, b in zip((given, *widths), (*widths, 1)))


@pytest.mark.parametrize(
    'settings, parameters',
    [
        # By hand: maps of 2x2, 2x2, 4x4 and 6x6 reach the fully connected layers.
        (
            {},
            (conv(15, [64], [3]) + dense(4 * 64, [512, 256]))
            + (conv(15, [64, 128, 128], [3, 3, 3]) + dense(4 * 128, [1024, 512]))
            + (conv(15, [128, 256, 256], [5, 5, 5]) + dense(16 * 256, [1024, 512]))
            + (conv(15, [128, 256, 512, 128], [7, 7, 5, 5]) + dense(36 * 128, [1024, 512])),
        ),
        (
            REPO,
            (conv(15, [32], [3]) + dense(4 * 32, [256, 128]))
            + (conv(15, [32, 32, 64], [3, 3, 3]) + dense(4 * 64, [256, 128]))
            + (conv(15, [32, 32, 64], [5, 5, 5]) + dense(16 * 64, [256, 128]))
            + (conv(15, [32, 32, 64, 128], [7, 7, 5, 5]) + dense(36 * 128, [256, 128])),
        ),
    ],
)
def test_discriminator_has_the_stated_layers(settings, parameters):
    with torch.device('meta'):
        judge = MultiScaleDiscriminator(**settings)
    assert sum(p.numel() for p in judge.parameters()) == parameters


def test_discriminator_judges_each_scale_beside_the_averaged_window():
    judge = MODELS.build(JUDGE)
    window, fine = torch.rand(2, 12, 8, 8), torch.rand(2, 3, 8, 8)
    coarse = F.avg_pool2d(fine, 2)
    small, large = judge(window, [coarse, fine])
    assert small.shape == large.shape == (2, 1)
    given = torch.cat((F.avg_pool2d(window, 2), coarse), 1)
    by_hand = judge.scales[0][0](given).relu().flatten(1)
    by_hand = judge.scales[0][-1](judge.scales[0][3](by_hand).relu())
    torch.testing.assert_close(small, by_hand)
    for ours, expected in zip(judge.candidates_of(fine), (coarse, fine)):
        torch.testing.assert_close(ours, expected)
    # Another past changes the verdict: it is conditional.
    assert not torch.equal(large, judge(window.flip(0), [coarse, fine])[1])


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(patch_size=(36, 32)), r'multiples of 8, got \(36, 32\)'),
        (dict(patch_size=(16, 16)), r'maps of \(2, 2\) at scale 0 are too small'),
        (dict(pools=(1, 1)), 'same number .* of scales, got 4, 4, 4, 2'),
        (dict(kernels=((3, 3), (3, 3, 3), (5, 5, 5), (7, 7, 5, 5))), '1 widths and 2 kernels'),
        (dict(condition_channels=0), 'condition_channels must be an integer >= 1'),
    ],
)
def test_discriminator_refuses_what_it_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        MultiScaleDiscriminator(**settings)


@pytest.mark.parametrize(
    'window, candidates, message',
    [
        (
            (1, 12, 16, 16),
            [(1, 3, 8, 8), (1, 3, 16, 16)],
            r'built for patches of \(8, 8\), but got',
        ),
        ((1, 12, 8, 8), [(1, 3, 8, 8)], 'built for 2 scales, but the predictor guesses at 1'),
        ((1, 9, 8, 8), [(1, 3, 4, 4), (1, 3, 8, 8)], 'condition_channels=12 .* but got 9 and 3'),
    ],
)
def test_discriminator_refuses_other_patches(window, candidates, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(JUDGE)(torch.rand(window), [torch.rand(size) for size in candidates])


def test_other_patches_make_a_new_discriminator_and_keep_the_predictor():
    trained = model()
    larger = model(discriminator=dict(JUDGE, patch_size=(16, 16)))
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(1)
    before = copy.deepcopy(larger.discriminator.state_dict())
    given = trained.state_dict()
    load_state_dict(larger, given)
    for ours, theirs in zip(larger.predictor.parameters(), trained.predictor.parameters()):
        assert torch.equal(ours, theirs)
    for name, value in larger.discriminator.state_dict().items():
        assert torch.equal(value, before[name])  # the convolutions too, which would fit
    assert len(given) == len(trained.state_dict())  # the checkpoint itself is left as it was
    same = model()
    load_state_dict(same, trained.state_dict())
    assert torch.equal(same.discriminator.scales[0][0].bias, trained.discriminator.scales[0][0].bias)


def test_losses_are_the_formulas():
    net, inputs = model(), clips()
    frames = inputs / 127.5 - 1
    window, truth = frames[:, :4].flatten(1, 2), frames[:, 4]
    guesses = net.predictor.predict_scales([frames[:, :4]])
    reals = [F.avg_pool2d(truth, 2), truth]
    real, fake = net.discriminator(window, reals), net.discriminator(window, guesses)
    losses = net(inputs, samples(), mode='loss_discriminator')
    bce = F.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(2, 1), torch.zeros(2, 1)
    torch.testing.assert_close(losses['loss_disc_real'], sum(bce(x, ones) for x in real))
    torch.testing.assert_close(losses['loss_disc_fake'], sum(bce(x, zeros) for x in fake))
    right = (real[1] > 0).sum() + (fake[1] < 0).sum()
    assert losses['d_accuracy'] == right / 4
    losses = net(inputs, samples(), mode='loss_generator')
    torch.testing.assert_close(losses['loss_gan'], sum(bce(x, ones) for x in fake))
    torch.testing.assert_close(losses['loss_l2_s0'], (guesses[1] - truth).square().mean())
    torch.testing.assert_close(losses['loss_l2_s1'], (guesses[0] - reals[0]).square().mean())


def test_the_discriminators_loss_lets_no_gradient_into_the_predictor():
    net = model()
    net.parse_losses(net(clips(), samples(), mode='loss_discriminator'))[0].backward()
    assert all(p.grad is None for p in net.predictor.parameters())
    assert all(p.grad is not None for p in net.discriminator.parameters())


def test_every_step_of_a_rollout_is_judged():
    net = model(train_cfg=dict(rollout_steps=2))
    losses = net(clips(frames=6), samples(), mode='loss_generator')
    assert {'t+1.loss_gan', 't+2.loss_gan', 't+2.loss_l2_s0'} <= set(losses)
    # The discriminator's is the mean over steps; two equal steps, all gray, are as one.
    frames = torch.full((2, 6, 3, 8, 8), 127.5)
    with torch.no_grad():
        for parameter in net.predictor.parameters():
            parameter.zero_()
    one = model()
    one.load_state_dict(net.state_dict())
    two_steps = net(frames, samples(), mode='loss_discriminator')
    first = one(frames[:, :5], samples(), mode='loss_discriminator')
    torch.testing.assert_close(two_steps['loss_disc_real'], first['loss_disc_real'])


def test_the_balanced_weight_is_a_share_of_the_reconstructions_gradient():
    cap, ratio = 0.05, 1e-4  # so small a ratio that the cap of one scale is not reached
    net = model(gan_loss=dict(type='GANLoss', loss_weight=cap), balance=dict(ratio=ratio, momentum=0.5))
    inputs = clips()
    frames = inputs / 127.5 - 1
    window, truth = frames[:, :4].flatten(1, 2), frames[:, 4]
    bce = F.binary_cross_entropy_with_logits
    weights, terms = [], []
    for scale, (guess, real) in enumerate(
        zip(net.predictor.predict_scales([frames[:, :4]]), (F.avg_pool2d(truth, 2), truth))
    ):
        leaf = guess.detach().requires_grad_(True)
        rec = F.mse_loss(leaf, real) + net.predictor.losses['gdl'](leaf, real)
        adv = bce(net.discriminator.judge(scale, window, leaf), torch.ones(2, 1))
        (of_rec,), (of_adv,) = torch.autograd.grad(rec, leaf), torch.autograd.grad(adv, leaf)
        weights.append(min(cap, float(ratio * of_rec.norm() / of_adv.norm())))
        terms.append(adv.detach())
    assert min(weights) < cap
    losses = net(inputs, samples(), mode='loss_generator')
    torch.testing.assert_close(losses['gan_weight'], torch.tensor(weights[1]))
    torch.testing.assert_close(losses['loss_gan'], sum(w * term for w, term in zip(weights, terms)))
    before = net.balance.average.clone()
    net(inputs.flip(0), samples(), mode='loss_generator')
    assert net.state_dict()['balance.average'] is not None and not torch.equal(net.balance.average, before)
    losses['loss_gan'].backward()
    assert all(p.grad is not None for p in net.predictor.parameters())


def test_balance_is_capped_by_the_cap_the_ratio_and_its_mean():
    balance = AdversarialBalance(3, cap=0.05, ratio=0.1, momentum=0.75)
    first = balance(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([1.0, 4.0, 0.0]))
    torch.testing.assert_close(first, torch.tensor([0.05, 0.025, 0.0]))
    second = balance(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([10.0, 1.0, 0.0]))
    # 0.01 now, below the mean; 0.1 now against a mean of 0.75 * 0.025 + 0.25 * 0.1; no adversary, no bound
    torch.testing.assert_close(second, torch.tensor([0.01, 0.04375, 0.05]))


def test_features_are_matched_at_every_convolution():
    net = model(feature_matching=2.0)
    inputs = clips()
    frames = inputs / 127.5 - 1
    window, truth = frames[:, :4].flatten(1, 2), frames[:, 4]
    guesses = net.predictor.predict_scales([frames[:, :4]])
    distances = []
    for judge, guess, real in zip(net.discriminator.scales, guesses, (F.avg_pool2d(truth, 2), truth)):
        small = F.adaptive_avg_pool2d(window, guess.shape[-2:])
        ours, theirs = torch.cat((small, guess), 1), torch.cat((small, real), 1)
        for layer in [layer for layer in judge if isinstance(layer, torch.nn.Conv2d)]:
            ours, theirs = layer(ours).relu(), layer(theirs).relu()
            distances.append((ours - theirs).abs().mean())
    assert len(distances) == 3
    losses = net(inputs, samples(), mode='loss_generator')
    torch.testing.assert_close(losses['loss_features'], 2 * sum(distances) / 3)
    assert 'loss_features' not in model()(inputs, samples(), mode='loss_generator')
    copy_last = model(feature_matching=2.0)
    copy_last.predictor.predict_scales = lambda past: [F.avg_pool2d(truth, 2), truth]
    assert copy_last(inputs, samples(), mode='loss_generator')['loss_features'] == 0


def test_each_network_is_trained_on_half_of_a_batch_of_its_own():
    net = model(split_batch=True)
    halves = model()
    halves.load_state_dict(net.state_dict())
    inputs, seen = clips(batch=4), []
    net.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append((kwargs['mode'], kwargs['inputs'])), with_kwargs=True
    )
    net.train_step(dict(inputs=list(inputs), data_samples=samples(4)), build_optim_wrapper(net, ADVERSARIAL))
    assert [mode for mode, _ in seen] == ['loss_discriminator', 'loss_generator']
    assert torch.equal(seen[0][1], inputs[:2]) and torch.equal(seen[1][1], inputs[2:])
    with pytest.raises(ValueError, match=r'size must be even, got \[3\]'):
        net.train_step(
            dict(inputs=list(clips(batch=3)), data_samples=samples(3)),
            build_optim_wrapper(net, ADVERSARIAL),
        )


def train_and_count(shared, steps=3, **settings):
    """Train an adversarial forecaster; its weights, its logs, and how often each part ran."""
    net, counts = model(**settings), dict(encoder=0, predictor=0)
    if not shared:  # every pass rolls out anew, as a discriminator or a predictor alone would be trained
        net.begin_step = lambda **data: None
    encode, predict = net.encoder.encode, net.predictor.predict_scales
    net.encoder.encode = lambda *args: counts.update(encoder=counts['encoder'] + 1) or encode(*args)
    net.predictor.predict_scales = lambda *args: (
        counts.update(predictor=counts['predictor'] + 1) or predict(*args)
    )
    optimizers = build_optim_wrapper(net, ADVERSARIAL)
    data = dict(inputs=list(clips(frames=6)), data_samples=samples())
    logs = [net.train_step(data, optimizers) for _ in range(steps)]
    assert net._rolled_out is None
    return net.state_dict(), logs, counts


@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(gan_loss=dict(type='GANLoss', gan_type='hinge'), penalty='r1', feature_matching=0.5),
        dict(gan_loss=dict(type='GANLoss', loss_weight=0.05), balance=dict(ratio=0.1, momentum=0.5)),
    ],
)
def test_a_step_encodes_and_rolls_out_once(settings):
    settings = dict(settings, train_cfg=dict(rollout_steps=2))
    weights, logs, counts = train_and_count(True, **settings)
    expected, before, twice = train_and_count(False, **settings)
    assert counts == dict(encoder=3, predictor=6) and twice == dict(encoder=6, predictor=12)
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=0)
    for ours, theirs in zip(logs, before, strict=True):
        assert set(ours) == set(theirs)
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name])


def test_a_further_step_of_the_predictor_rolls_out_anew():
    net = model()
    net.discriminator_steps, net.generator_steps = 2, 2
    reference = copy.deepcopy(net)
    reference.begin_step = lambda **data: None
    for each in (net, reference):
        each.train_step(
            dict(inputs=list(clips()), data_samples=samples()), build_optim_wrapper(each, ADVERSARIAL)
        )
    for ours, theirs in zip(net.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_distributed_step_is_the_same(tmp_path):
    torch.distributed.init_process_group('gloo', f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        alone = model()
        wrapped = AdversarialDistributedDataParallel(copy.deepcopy(alone))
        for net, trained in ((alone, alone), (wrapped, wrapped.module)):
            optimizers = build_optim_wrapper(trained, ADVERSARIAL)
            for _ in range(2):
                net.train_step(dict(inputs=list(clips()), data_samples=samples()), optimizers)
        for ours, theirs in zip(alone.parameters(), wrapped.module.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)
    finally:
        torch.distributed.destroy_process_group()


def test_a_step_that_fails_leaves_nothing_behind():
    net = model()
    net.discriminator.forward = None
    with pytest.raises(TypeError):
        net.train_step(
            dict(inputs=list(clips()), data_samples=samples()), build_optim_wrapper(net, ADVERSARIAL)
        )
    assert net._rolled_out is None


@pytest.mark.parametrize('gan_type, penalty', [('wgan', 'gp'), ('lsgan', None), ('hinge', 'r1')])
def test_other_adversarial_losses_train(gan_type, penalty):
    net = model(gan_loss=dict(type='GANLoss', gan_type=gan_type), penalty=penalty)
    before = copy.deepcopy(net.state_dict())
    optimizers = build_optim_wrapper(net, ADVERSARIAL)
    logs = net.train_step(dict(inputs=list(clips()), data_samples=samples()), optimizers)
    assert ('loss_penalty' in logs) == (penalty is not None) and torch.isfinite(logs['loss'])
    after = net.state_dict()
    for part in ('predictor', 'discriminator'):
        names = [name for name in before if name.startswith(part) and name.endswith('weight')]
        assert names and all(not torch.equal(before[name], after[name]) for name in names)


def test_without_a_discriminator_it_is_trained_as_any_forecaster():
    net = model(adversarial=False)
    optimizer = build_optim_wrapper(net, dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01)))
    # A texture that moves by a pixel per frame.
    noise = torch.Generator().manual_seed(0)
    texture = torch.randint(0, 256, (1, 3, 8, 16), generator=noise).float()
    clip = torch.stack([texture[..., t : t + 8] for t in range(5)], dim=1)
    data = dict(inputs=list(clip), data_samples=samples(1))
    first, *_, last = [net.train_step(data, optimizer)['loss'].item() for _ in range(30)]
    assert last < 0.7 * first


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(gan_loss=dict(type='GANLoss')), 'of a discriminator, but there is none'),
        (dict(balance={}), 'of a discriminator, but there is none'),
        (dict(feature_matching=1.0), 'of a discriminator, but there is none'),
        (dict(feature_matching=-1.0), 'feature_matching must be 0 or more'),
        (dict(penalty='r2'), "penalty must be one of None, 'gp', 'r1', got 'r2'"),
    ],
)
def test_refuses_half_an_adversary(kwargs, message):
    with pytest.raises(ValueError, match=message):
        model(adversarial=False, **kwargs)


def test_the_second_frame_is_forecast_from_three_frames_and_the_first():
    net = model(adversarial=False, test_cfg=dict(rollout_steps=2))
    inputs = clips(frames=4)
    frames = inputs / 127.5 - 1
    (out,) = net(inputs, samples(), mode='tensor')
    first = net.predictor.predict_scales([frames])[-1]
    window = torch.cat((frames[:, 1:], first[:, None]), dim=1)
    torch.testing.assert_close(out[:, 0], first)
    torch.testing.assert_close(out[:, 1], net.predictor.predict_scales([window])[-1])


def test_eight_frames_in_and_eight_out_at_once():
    net = model(adversarial=False, predictor=dict(PREDICTOR, num_past=8, num_outputs=8), num_past=8)
    found = net(clips(frames=16), samples(), mode='predict')
    assert found[0].pred_frames.shape == (8, 3, 8, 8)
    assert 'loss_l2_s0' in net(clips(frames=16), samples(), mode='loss')


@pytest.mark.parametrize('baseline, frame', [('copy-last', 3), ('oracle', 4)])
def test_baselines_give_frames_back_exactly(baseline, frame):
    net = model(adversarial=False, test_cfg=dict(rollout_steps=1), **VideoForecaster.baselines[baseline])
    inputs = clips()
    for sample, clip in zip(net(inputs, samples(), mode='predict'), inputs):
        torch.testing.assert_close(sample.pred_frames, clip[frame][None], rtol=0, atol=1e-4)


@pytest.mark.parametrize('steps', [1, 2])
def test_the_blurred_copy_is_a_blend_of_the_copy_and_its_blur(steps):
    from scipy.ndimage import gaussian_filter

    baseline = VideoForecaster.baselines['blurred-copy-last']
    net = model(adversarial=False, test_cfg=dict(rollout_steps=steps), **baseline)
    inputs = clips(frames=4)
    found = net(inputs, samples(), mode='predict')
    for sample, clip in zip(found, inputs):
        newest = clip[3].double().numpy()
        blur = gaussian_filter(newest, (0, 1, 1), mode='nearest', radius=(0, 3, 3))
        want = torch.from_numpy(0.3 * newest + 0.7 * blur).float().expand(steps, -1, -1, -1)
        torch.testing.assert_close(sample.pred_frames, want, rtol=0, atol=1e-3)
    assert list(VideoForecaster.baselines) == [
        'copy-last',
        'blurred-copy-last',
        'flow',
        'ego-motion',
        'oracle',
    ]


def test_decoder_clips_and_resamples_to_the_size_of_the_clip():
    maps = torch.tensor([-2.0, 0.0, 2.0]).view(1, 3, 1, 1, 1).expand(1, 3, 3, 4, 4)
    (sample,) = RGBDecoder().decode([maps], samples(1, (8, 6)))
    assert sample.pred_frames.shape == (3, 3, 8, 6)
    assert sample.pred_frames[:, 0, 0, 0].tolist() == [0, 127.5, 255]
    assert 'pred_frames' not in RGBDecoder().decode([maps], samples(1), target='ref')[0]


def test_frames_that_cannot_be_halved_are_refused():
    net = model(adversarial=False)
    with pytest.raises(ValueError, match=r'multiples of 2, got \(9, 8\).*ClipPadToMultiple'):
        net(clips(size=(9, 8)), samples(), mode='tensor')
