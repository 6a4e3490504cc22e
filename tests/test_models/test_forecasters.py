import pytest
import torch
import torch.nn as nn
from mmengine.structures import PixelData

from mmforecast.models.encoders import BaseEncoder
from mmforecast.models.forecasters import BaseForecaster, S2SForecaster
from mmforecast.models.predictors import BasePredictor
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

NUM_CLASSES = 5
SMALL = dict(widths=((4,), (4,)), kernels=((3, 3), (3, 3)), losses=dict(gdl=dict(type='GDLoss')))


@MODELS.register_module()
class CountingPredictor(BasePredictor):
    """Predicts twice the newest map plus the oldest; keeps the windows it saw."""

    num_past = 2

    def __init__(self, num_outputs=1):
        super().__init__()
        self.num_outputs = num_outputs
        self.gain = nn.Parameter(torch.tensor(2.0))
        self.seen = []

    def forward(self, past, context):
        self.seen.append((context.step, past[0][0, :, 0, 0, 0].tolist()))
        new = self.gain * past[0][:, -1:] + past[0][:, :1]
        return [new.repeat(1, self.num_outputs, 1, 1, 1)]

    def loss_and_predict(self, past, target, context):
        new = self(past, context)
        return dict(loss_mse=(new[0] - target[0]).pow(2).mean()), new


@MODELS.register_module()
class MeanEncoder(BaseEncoder):
    """The mean of every frame, as a 1x1 map."""

    channels = 1
    from_rgb = True

    def encode(self, frames, samples):
        return [frames.mean(dim=(2, 3, 4), keepdim=True)]


@MODELS.register_module()
class KeepDecoder(nn.Module):
    def decode(self, future, samples, context, target='pred'):
        for sample, maps in zip(samples, future[0]):
            sample.set_field(maps, f'{target}_maps')


def counting(**kwargs):
    cfg = dict(
        encoder=dict(type='MeanEncoder'),
        predictor=dict(type='CountingPredictor'),
        decoder=dict(type='KeepDecoder'),
        num_past=2,
    )
    return BaseForecaster(**{**cfg, **kwargs})


def clip(values):
    return torch.tensor(values).float().view(1, -1, 1, 1, 1).expand(1, len(values), 3, 2, 2)


def test_rollout_slides_over_inputs_and_predictions():
    model = counting(test_cfg=dict(rollout_steps=3))
    out = model(clip([1, 3]), [ForecastDataSample()], mode='tensor')[0]
    # 2*3+1 = 7; 2*7+3 = 17; 2*17+7 = 41
    assert out.flatten().tolist() == [7, 17, 41]
    assert model.predictor.seen == [(0, [1, 3]), (1, [3, 7]), (2, [7, 17])]


def test_backpropagation_through_time_is_exact():
    model = counting(train_cfg=dict(rollout_steps=2))
    losses = model(clip([1, 3, 8, 10]), [ForecastDataSample()], mode='loss')
    g = torch.tensor(2.0, requires_grad=True)
    first = g * 3 + 1
    second = g * first + 3
    expected = (first - 8) ** 2 + (second - 10) ** 2
    assert list(losses) == ['t+1.loss_mse', 't+2.loss_mse']
    total, _ = model.parse_losses(losses)
    total.backward()
    expected.backward()
    assert total.item() == expected.item()
    assert model.predictor.gain.grad.item() == pytest.approx(g.grad.item())


def test_batch_model_needs_whole_calls():
    model = counting(predictor=dict(type='CountingPredictor', num_outputs=3))
    assert model.train_steps == model.test_steps == 3
    with pytest.raises(ValueError, match='multiple'):
        counting(predictor=dict(type='CountingPredictor', num_outputs=3), test_cfg=dict(rollout_steps=4))


def test_predict_writes_forecast_and_reference():
    model = counting(test_cfg=dict(rollout_steps=1))
    (sample,) = model(clip([1, 3, 9]), [ForecastDataSample()], mode='predict')
    assert sample.pred_maps.item() == 7 and sample.ref_maps.item() == 9
    model = counting(test_cfg=dict(rollout_steps=1, reference=False))
    (sample,) = model(clip([1, 3, 9]), [ForecastDataSample()], mode='predict')
    assert 'ref_maps' not in sample


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(num_past=3), 'built for num_past=2, but the model has num_past=3'),
        (dict(train_cfg=dict(rollout_steps=0)), 'integer >= 1'),
        (dict(test_cfg=dict(steps=3)), "unknown keys \\['steps'\\]"),
    ],
)
def test_refuses_bad_configuration(kwargs, message):
    with pytest.raises(ValueError, match=message):
        counting(**kwargs)


def test_refuses_clips_that_do_not_fit():
    model = counting(train_cfg=dict(rollout_steps=2))
    with pytest.raises(ValueError, match='set num_future of the training dataset to 2'):
        model(clip([1, 3, 9]), [ForecastDataSample()], mode='loss')
    with pytest.raises(ValueError, match='at least T=2'):
        model(clip([1]), [ForecastDataSample()], mode='tensor')
    sample = ForecastDataSample(metainfo=dict(num_past=4))
    with pytest.raises(ValueError, match='set num_past of the dataset to 2'):
        model(clip([1, 3]), [sample], mode='tensor')
    with pytest.raises(ValueError, match='mode'):
        model(clip([1, 3]), [sample], mode='train')


# S2S and its variants.


@MODELS.register_module()
class LinearSegmentor(BaseEncoder):
    """Scores are fixed linear functions of the RGB values, at half the resolution."""

    channels = NUM_CLASSES
    from_rgb = True

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer('mix', torch.randn(NUM_CLASSES, 3, generator=generator) / 128)

    def encode(self, frames, samples):
        small = nn.functional.avg_pool2d(frames.flatten(0, 1), 2)
        return [torch.einsum('kc,nchw->nkhw', self.mix, small).unflatten(0, frames.shape[:2])]


def semantic(variant='S2S', encoder=None, predictor=None, **kwargs):
    channels = {'X': 3, 'S': NUM_CLASSES, 'XS': 3 + NUM_CLASSES}
    given, out = variant.split('2')
    predictor = predictor or dict(
        type='MultiScalePredictor', channels=channels[given], out_channels=channels[out], **SMALL
    )
    return S2SForecaster(encoder or dict(type='LinearSegmentor'), predictor, variant=variant, **kwargs)


def batch(num_frames=5):
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(2, num_frames, 3, 16, 32, generator=generator) * 255
    samples = [
        ForecastDataSample(
            gt_sem_seg=PixelData(
                data=torch.randint(0, NUM_CLASSES, (num_frames, 16, 32), generator=generator).to(torch.uint8)
            ),
            metainfo=dict(img_shape=(16, 32), labelled=[True] * num_frames),
        )
        for _ in range(2)
    ]
    return frames, samples


@pytest.mark.parametrize('variant', ['S2S', 'X2X', 'XS2S', 'XS2X', 'XS2XS'])
def test_every_variant_trains_a_step_and_predicts_labels(variant):
    model = semantic(variant)
    frames, samples = batch()
    total, _ = model.parse_losses(model(frames, samples, mode='loss'))
    total.backward()
    assert all(p.grad is not None for p in model.predictor.parameters())
    for sample in model(frames, samples, mode='predict'):
        assert sample.pred_sem_seg.data.shape == (1, 16, 32)
        assert sample.pred_sem_seg.data.max() < NUM_CLASSES
        assert sample.ref_sem_seg.data.shape == (1, 16, 32)
        assert ('pred_frames' in sample) == (variant.split('2')[1] != 'S')


def test_x2x_learns_the_size_of_its_maps_once_per_size_of_frames():
    model, calls = semantic('X2X'), []
    encode = model.encoder.encode
    model.encoder.encode = lambda *args: calls.append(args[0].shape) or encode(*args)
    frames, samples = batch()
    for _ in range(3):
        (maps,) = model.encode(frames, samples)
    assert calls == [(1, 1, 3, 16, 32)]
    expected = nn.functional.avg_pool2d((frames / 127.5 - 1).flatten(0, 1), 2).view(2, 5, 3, 8, 16)
    torch.testing.assert_close(maps, expected)
    assert model.encode(frames[..., :24], samples)[0].shape[-2:] == (8, 12)
    assert len(calls) == 2
    with pytest.raises(ValueError, match='X2X needs RGB frames; add LoadClipFrames'):
        model.encode(torch.zeros(1, 4, 3, 0, 0), samples)


@pytest.mark.parametrize('variant', ['XS2X', 'XS2S'])
def test_variants_that_lose_a_part_of_their_input_refuse_to_roll_out(variant):
    with pytest.raises(ValueError, match=f'{variant} predicts no'):
        semantic(variant, test_cfg=dict(rollout_steps=3))


@pytest.mark.parametrize('variant', ['S2S', 'X2X', 'XS2XS'])
def test_variants_that_predict_their_input_roll_out(variant):
    model = semantic(variant, train_cfg=dict(rollout_steps=2), test_cfg=dict(rollout_steps=3))
    frames, samples = batch(num_frames=7)
    losses = model(frames, samples, mode='loss')
    assert {name.split('.')[0] for name in losses} == {'t+1', 't+2'}
    assert model(frames, samples, mode='predict')[0].pred_sem_seg.data.shape[0] == 3


def test_oracle_forecaster_equals_the_segmentor_on_the_true_frames():
    model = semantic(predictor=dict(type='Oracle'), test_cfg=dict(rollout_steps=3))
    for sample in model(*batch(num_frames=7), mode='predict'):
        assert torch.equal(sample.pred_sem_seg.data, sample.ref_sem_seg.data)


def test_label_map_oracle_is_the_ground_truth():
    model = semantic(
        encoder=dict(type='LabelMapEncoder', num_classes=NUM_CLASSES), predictor=dict(type='Oracle')
    )
    for sample in model(*batch(), mode='predict'):
        assert torch.equal(sample.pred_sem_seg.data, sample.gt_sem_seg.data[4:])


@pytest.mark.parametrize('variant', ['X2X', 'XS2X'])
def test_variants_of_frames_segment_their_own_frames(variant):
    frames, samples = batch()
    model = semantic(variant)
    sample = model(frames, samples, mode='predict')[0]
    rgb = nn.functional.interpolate(sample.pred_frames, (16, 32), mode='bilinear')[None]
    (scores,) = model.encoder.encode(rgb, [])
    assert torch.equal(model.decoder.labels(scores[0], (16, 32)), sample.pred_sem_seg.data)


@pytest.mark.parametrize('variant', ['XS2S', 'XS2XS'])
def test_scores_beside_rgb_are_scaled_and_scaled_back(variant):
    frames, samples = batch()
    plain, scaled = (semantic(variant, score_scale=scale) for scale in (1, 8))
    (one,), (other,) = plain.encode(frames, samples), scaled.encode(frames, samples)
    assert torch.equal(one[:, :, :3], other[:, :, :3])
    assert torch.equal(one[:, :, 3:], 8 * other[:, :, 3:])
    decoded = []
    scaled.decoder.decode = lambda future, *args: decoded.append(future[0])
    forecast = scaled.select_target([other[:, 4:]])
    scaled.decode(forecast, samples, None, 'pred')
    scaled.decode([other[:, 4:]], samples, None, 'ref')
    assert all(torch.equal(scores, one[:, 4:, 3:]) for scores in decoded) and len(decoded) == 2


def test_oracle_of_x2x_segments_the_true_frames_as_coarsely_as_predicted_ones():
    model = semantic('X2X', predictor=dict(type='Oracle'))
    for sample in model(*batch(), mode='predict'):
        assert torch.equal(sample.pred_sem_seg.data, sample.ref_sem_seg.data)


def test_the_discriminator_of_scores_sees_the_window_and_the_forecast():
    judge = dict(
        type='MultiScaleDiscriminator',
        patch_size=(8, 16),
        condition_channels=4 * NUM_CLASSES,
        candidate_channels=NUM_CLASSES,
        widths=((4,), (4,)),
        kernels=((3,), (3,)),
        hidden=((), (3,)),
        pools=(1, 2),
    )
    model = semantic(discriminator=judge, gan_loss=dict(type='GANLoss', gan_type='wgan'))
    inputs = batch()
    assert 'loss_gan' in model(*inputs, mode='loss_generator')
    assert 'loss_disc_fake' in model(*inputs, mode='loss_discriminator')
    assert 'loss_gan' not in model(*inputs, mode='loss')


def test_bad_variants_are_refused():
    with pytest.raises(ValueError, match='variant must be one of'):
        S2SForecaster(dict(type='LinearSegmentor'), dict(type='CopyLast'), variant='S2X')
    with pytest.raises(ValueError, match='must work on any RGB frame'):
        semantic('XS2X', encoder=dict(type='LabelMapEncoder', num_classes=NUM_CLASSES))
    with pytest.raises(ValueError, match='score_scale is for scores beside RGB, and X2X has none'):
        semantic('X2X', score_scale=10.0)
    with pytest.raises(ValueError, match='score_scale must be above 0, got 0'):
        semantic('XS2X', score_scale=0)
