"""The masked transformer on label maps: sizes, hand cases and invariances."""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData

from mmforecast.apis import build_forecaster, load_config
from mmforecast.models.forecasters import S2SForecaster
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.label_planes import draw_masks
from mmforecast.models.predictors.masked_transformer import (
    AxisPositions,
    FactorizedLayer,
    from_patches,
    resize_positions,
    to_patches,
)
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

CONTEXT = ForecastContext(frames=None, samples=[])
TINY = dict(size=(16, 32), patch_size=4, embed_dims=12, num_layers=2, num_heads=2, pixel_dims=3)


def build(channels=5, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type='MaskedLabelTransformer', channels=channels, num_past=4, **kwargs))


def random_maps(channels=5, steps=4, size=(16, 32)):
    return torch.rand(2, steps, channels, *size, generator=torch.Generator().manual_seed(1))


def shake(model):
    """Leave the start, at which all tokens get the same output."""
    torch.nn.init.normal_(model.transformer.out.weight)
    return model.eval()


@pytest.mark.parametrize(
    'name, channels, expected',
    [
        ('masked-labels_cityscapes', 19, 461_232_337),
        ('masked-labels_depth_cityscapes', 20, 465_169_873),
        ('masked-labels_depth_tiny_synthetic', 20, 488_305),
    ],
)
def test_sizes_of_the_shipped_configs(name, channels, expected, repository):
    config = Config.fromfile(repository / f'configs/masked_labels/{name}.py').model.predictor
    with torch.device('meta'):
        model = MODELS.build(dict(config, channels=channels))
        unknown = MODELS.build(dict(config, channels=channels, unknown=True))
    assert sum(weight.numel() for weight in model.parameters()) == expected
    assert sum(weight.numel() for weight in unknown.parameters()) == expected + 10


def test_sizes_of_the_parts_at_the_papers_size():
    with torch.device('meta'):
        model = build(20, size=(256, 512), depth_bins=256)

    def size(part):
        return sum(weight.numel() for weight in part.parameters())

    assert size(model.transformer.layers) == 453_335_040
    assert size(model.transformer.positions) == 27_136
    assert size(model.transformer.out) == 7_869_440
    assert [size(plane.embed) for plane in model.planes] == [1_966_848] * 2
    assert [plane.table.numel() for plane in model.planes] == [190, 2560]


def test_a_layer_has_the_documented_number_of_parameters():
    assert sum(w.numel() for w in FactorizedLayer(12, 2).parameters()) == 16 * 12**2 + 19 * 12


def test_patches_hold_channels_then_rows_then_columns():
    maps = torch.arange(2 * 4 * 6.0).view(1, 2, 4, 6)
    tokens = to_patches(maps, 2)
    assert tokens.shape == (1, 2, 3, 8)
    assert tokens[0, 1, 2].tolist() == [16, 17, 22, 23, 40, 41, 46, 47]
    assert torch.equal(from_patches(tokens, 2), maps)


def test_positions_of_a_finer_grid_are_interpolated_column_by_column():
    table = torch.randn(16, 4)
    finer = resize_positions(table, 32)
    for column in range(4):
        expected = torch.nn.functional.interpolate(table[None, None, :, column], size=32, mode='linear')
        torch.testing.assert_close(finer[:, column], expected[0, 0])
    pairs = finer[1:-1].view(15, 2, 4).mean(dim=1)  # inside, two fine cells average to two coarse ones
    torch.testing.assert_close(pairs, (table[1:] + table[:-1]) / 2)
    assert resize_positions(table, 16) is table


def test_positions_of_another_grid_are_loaded_resampled():
    coarse, fine = AxisPositions(5, (4, 8), 12), AxisPositions(5, (8, 16), 12)
    fine.load_state_dict(coarse.state_dict())
    assert torch.equal(fine.time, coarse.time)
    assert torch.equal(fine.rows, resize_positions(coarse.rows, 8))


def test_attention_over_time_ignores_other_cells():
    layer = FactorizedLayer(12, 2).eval()
    tokens = torch.randn(1, 5, 3, 4, 12)
    changed = tokens.clone()
    changed[:, 1, 0, 0] += 1
    differs = (layer._over_time(tokens) != layer._over_time(changed)).any(dim=-1)[0]
    assert differs[:, 0, 0].all() and differs.sum() == 5
    window = FactorizedLayer(12, 2, time_window=2).eval()
    changed = torch.cat((changed[:, :, :2], tokens[:, :, 2:]), dim=2)[:, :, :2]
    differs = (window._over_time(tokens[:, :, :2]) != window._over_time(changed)).any(dim=-1)[0]
    assert differs[:, :2, :2].all() and not differs[:, :, 2:].any()


def test_attention_over_space_ignores_other_frames():
    layer = FactorizedLayer(12, 2).eval()
    tokens = torch.randn(1, 5, 3, 4, 12)
    changed = tokens.clone()
    changed[:, 1, 0, 0] += 1
    differs = (layer._over_space(tokens) != layer._over_space(changed)).any(dim=-1)[0]
    assert differs[1].all() and not differs[[0, 2, 3, 4]].any()


@pytest.mark.parametrize('depth_bins, channels', [(None, 5), (8, 6)])
def test_a_masked_frame_does_not_change_the_output(depth_bins, channels):
    model = shake(build(channels, depth_bins=depth_bins, **TINY))
    ids = model.to_ids(random_maps(channels, steps=5))
    others = [torch.cat((each[:, :-1], 0 * each[:, -1:]), dim=1) for each in ids]
    for ours, theirs in zip(model.logits(ids), model.logits(others)):
        assert torch.equal(ours, theirs)
    past = [random_maps(channels, steps=5)[:, :4]]
    assert torch.equal(model(past)[0][:, :, :5], model.logits(ids)[0])


def test_shapes_of_the_logits_and_of_the_forecast():
    model = build(6, depth_bins=8, **TINY)
    ids = model.to_ids(random_maps(6, steps=5))
    assert [tuple(each.shape) for each in model.logits(ids, newest=False)] == [
        (2, 5, 5, 16, 32),
        (2, 5, 8, 16, 32),
    ]
    (future,) = model([random_maps(6)])
    assert future.shape == (2, 1, 6, 16, 32)
    assert torch.equal(future[:, :, 5], (future[:, :, 5] * 7).round() / 7)
    assert model([random_maps(6, size=(8, 24))])[0].shape == (2, 1, 6, 8, 24)  # another grid


def test_the_forecast_fed_back_is_read_as_its_argmax():
    model = shake(build(6, depth_bins=8, **TINY))
    (future,) = model([random_maps(6)])
    labels, depth = model.to_ids(future)
    assert torch.equal(labels, future[:, :, :5].argmax(dim=2))
    assert torch.equal(model.from_logits([future[:, :, :5], _one_hot(depth, 8)]), future)


def _one_hot(ids, count):
    return torch.nn.functional.one_hot(ids, count).movedim(-1, 2).float()


def test_the_start_gives_every_token_the_same_and_the_loss_of_guessing():
    model = build(20, size=(16, 32), depth_bins=256, patch_size=8, embed_dims=12, num_layers=1, num_heads=2)
    torch.nn.init.zeros_(model.transformer.out.bias)
    maps = random_maps(20, steps=5)
    maps[:, :, -1] = maps[:, :, -1] * 0.9 + 0.1  # known depth
    losses, _ = model.loss_and_predict([maps[:, :4]], [maps[:, 4:]], CONTEXT)
    assert losses['loss_labels'].item() == pytest.approx(0.85 * math.log(19), rel=1e-5)
    assert losses['loss_depth'].item() == pytest.approx(0.15 * math.log(256), rel=1e-5)
    assert sum(losses.values()).item() == pytest.approx(3.33455, abs=1e-5)


def test_tables_get_their_first_gradient_from_the_output_alone():
    model = build(5, schedule='full', **TINY)
    maps = random_maps(steps=5)
    for shaken in (False, True):
        if shaken:
            shake(model)
        model.zero_grad()
        losses, _ = model.loss_and_predict([maps[:, :4]], [maps[:, 4:]], CONTEXT)
        losses['loss_labels'].backward()
        assert model.planes[0].table.grad.any()
        assert model.planes[0].embed.weight.grad.any() == shaken  # the way back to the input


def test_cross_entropy_counts_masked_and_known_pixels_alone():
    model = build(3, depth_bins=4, unknown=True, **TINY)
    logits = [torch.randn(1, 1, 2, 16, 32), torch.randn(1, 1, 4, 16, 32)]
    truth = [torch.randint(2, (1, 16, 32)), torch.randint(1, 4, (1, 16, 32))]
    masks = [torch.zeros(1, 4, 8, dtype=torch.bool) for _ in range(2)]
    for mask in masks:
        mask[0, 1, 2] = True
    truth[0][0, 4, 8] = 2  # unknown
    truth[1][0, 4, 9] = 0  # invalid
    losses = model.cross_entropies(logits, truth, masks)
    for index, (name, weight) in enumerate((('labels', 0.85), ('depth', 0.15))):
        scores = logits[index][0, 0, :, 4:8, 8:12].flatten(1).log_softmax(dim=0)
        wanted = truth[index][0, 4:8, 8:12].flatten()
        known = [i for i in range(16) if i != index]
        mean = -sum(scores[wanted[i], i] for i in known) / 15
        torch.testing.assert_close(losses[f'loss_{name}'], weight * mean)
    nothing = model.cross_entropies(logits, truth, [0 * mask == 1 for mask in masks])
    assert all(value == 0 for value in nothing.values())


def test_weights_of_classes_weigh_as_in_torch():
    model = build(2, class_weight=[1.0, 3.0], **TINY)
    logits, truth = torch.randn(1, 1, 2, 16, 32), torch.randint(2, (1, 16, 32))
    losses = model.cross_entropies([logits], [truth], [torch.ones(1, 4, 8, dtype=torch.bool)])
    expected = torch.nn.functional.cross_entropy(logits[:, 0], truth, torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(losses['loss_labels'], expected)


def test_masks_follow_their_statistics():
    torch.manual_seed(0)
    (single,) = draw_masks(1, 4000, (4, 8))
    ratios = single.float().mean(dim=(1, 2))
    assert ratios.mean().item() == pytest.approx(2 / math.pi, abs=0.02)
    first, second = draw_masks(2, 4000, (4, 8))
    assert (first | second).all()
    expected = 2 / math.pi + (1 - 2 / math.pi) / 2
    for mask in (first, second):
        assert mask.float().mean().item() == pytest.approx(expected, abs=0.02)
    halves = [(first & ~second).sum(), (second & ~first).sum()]
    assert abs(int(halves[0] - halves[1])) <= 1
    first, second = draw_masks(2, 4, (4, 8), sharing='shared')
    assert torch.equal(first, second)
    assert all(mask.all() for mask in draw_masks(2, 4, (4, 8), schedule='full'))
    first, second = draw_masks(2, 4000, (4, 8), 'linear', 'independent')
    shares = [mask.float().mean(dim=(1, 2)) for mask in (first, second)]
    assert torch.corrcoef(torch.stack(shares))[0, 1] > 0.8
    first, second = draw_masks(2, 4000, (4, 8), 'square', 'independent_ratios')
    shares = [mask.float().mean(dim=(1, 2)) for mask in (first, second)]
    assert abs(torch.corrcoef(torch.stack(shares))[0, 1]) < 0.1
    assert shares[0].mean().item() == pytest.approx(1 / 3, abs=0.02)


def test_pixels_of_no_class_are_an_id_of_their_own_or_refused():
    maps = random_maps(steps=5)
    maps[0, 0, :, 3, 4] = 0.0
    labels, *_ = build(unknown=True, **TINY).to_ids(maps)
    assert labels[0, 0, 3, 4] == 5 and (labels == 5).sum() == 1
    with pytest.raises(
        ValueError, match=r'^MaskedLabelTransformer: 0.02% of the pixels have no class .*unknown'
    ):
        build(**TINY).to_ids(maps)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(embed_dims=16), 'multiple of 3, got 16'),
        (dict(embed_dims=15), 'multiple of num_heads=2'),
        (dict(embed_dims=9, num_heads=1, depth_bins=8), 'must be even, got 9'),
        (dict(size=(16, 30)), r'multiples of patch_size=4, got \(16, 30\)'),
        (dict(schedule='sine'), 'schedule'),
        (dict(losses=dict(l1=dict(type='mmdet.L1Loss'))), 'losses must be empty'),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**{**TINY, **change})


def test_a_window_of_other_sides_is_refused():
    with pytest.raises(ValueError, match=r'multiples of patch_size=4, got \(16, 30\)'):
        build(**TINY)([random_maps(size=(16, 30))])


def forecaster(depth=False, **kwargs):
    scores = dict(type='LabelMapEncoder', num_classes=5)
    encoder = dict(type='LabelDepthEncoder', scores=scores) if depth else scores
    predictor = dict(type='MaskedLabelTransformer', **TINY, depth_bins=256 if depth else None)
    return S2SForecaster(encoder, {**predictor, **kwargs.pop('predictor', {})}, **kwargs)


def clip(steps=7, size=(16, 32)):
    generator = torch.Generator().manual_seed(2)
    sample = ForecastDataSample(metainfo=dict(labelled=[True] * steps, num_past=4, img_shape=size))
    labels = torch.randint(5, (steps, *size), generator=generator)
    sample.gt_sem_seg = PixelData(data=labels.to(torch.uint8))
    depth = torch.randint(1, 256, (steps, *size), generator=generator)
    sample.gt_depth = PixelData(data=depth.to(torch.uint8))
    return torch.zeros(1, steps, 3, 0, 0), [sample]


@pytest.mark.parametrize('depth', [False, True])
def test_it_trains_and_is_rolled_out(depth):
    model = forecaster(depth, test_cfg=dict(rollout_steps=3))
    inputs, samples = clip()
    losses = model(inputs, samples, mode='loss')
    assert set(losses) == {'loss_labels', *(['loss_depth'] if depth else [])}
    (sample,) = model.eval()(inputs, samples, mode='predict')
    assert sample.pred_sem_seg.data.shape == (3, 16, 32)
    assert torch.equal(sample.ref_sem_seg.data, sample.gt_sem_seg.data[4:])
    assert ('pred_depth' in sample) == depth
    if depth:
        assert torch.equal(sample.ref_depth.data, sample.gt_depth.data[4:])
        assert sample.pred_depth.data.dtype == torch.uint8


def test_training_through_several_steps_needs_a_full_mask():
    with pytest.raises(
        ValueError, match=r'MaskedLabelTransformer sees a part .*rollout_steps must be 1, got 3'
    ):
        forecaster(train_cfg=dict(rollout_steps=3))
    model = forecaster(predictor=dict(schedule='full'), train_cfg=dict(rollout_steps=3))
    losses = model(*clip(), mode='loss')
    assert set(losses) == {f't+{step}.loss_labels' for step in (1, 2, 3)}


@pytest.mark.parametrize('size', [(128, 256), (52, 90)])
def test_the_config_over_a_segmentor_takes_any_video(size, repository):
    cfg = load_config(
        str(repository / 'configs/masked_labels/masked-labels_unet_tiny_synthetic.py'),
        {'model.encoder.checkpoint': None},
    )
    model = build_forecaster(cfg, device='cpu')
    frames = 255 * torch.rand(1, 4, 3, *size)
    samples = [ForecastDataSample(metainfo=dict(img_shape=size, ori_shape=size, sequence_id='any'))]
    (sample,) = model(frames, samples, mode='predict')
    assert sample.pred_sem_seg.data.shape == (3, *size)


def test_baselines_forecast_depth_too():
    for kind in ('CopyLast', 'Oracle'):
        model = S2SForecaster(
            dict(type='LabelDepthEncoder', scores=dict(type='LabelMapEncoder', num_classes=5)),
            dict(type=kind),
            test_cfg=dict(rollout_steps=3),
        )
        (sample,) = model(*clip(), mode='predict')
        expected = (
            sample.gt_depth.data[4:] if kind == 'Oracle' else sample.gt_depth.data[3:4].expand(3, -1, -1)
        )
        assert torch.equal(sample.pred_depth.data, expected)


def test_depth_that_is_missing_is_said():
    inputs, samples = clip()
    del samples[0].gt_depth
    with pytest.raises(ValueError, match='carries no depth; add LoadClipDepth'):
        forecaster(depth=True)(inputs, samples, mode='loss')


@pytest.mark.slow
def test_it_learns_a_motion_to_the_right():
    torch.manual_seed(0)
    model = build(
        2, size=(8, 16), patch_size=4, embed_dims=24, num_layers=2, num_heads=2, pixel_dims=4, dropout=0.0
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(120):
        past, target = _moving_bars(16)
        losses, _ = model.loss_and_predict([past], [target], CONTEXT)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    past, target = _moving_bars(64)
    right = (model.eval()([past])[0].argmax(dim=2) == target.argmax(dim=2)).float().mean()
    still = (past[:, -1:].argmax(dim=2) == target.argmax(dim=2)).float().mean()
    assert right > 0.5 + still / 2 and still < 0.8


def _moving_bars(count):
    """Clips (count, 4 and 1, 2, 8, 16) of a bar that moves by 2 pixels a frame."""
    start = torch.randint(0, 5, (count, 1, 1, 1))
    time = torch.arange(5).view(1, 5, 1, 1)
    column = torch.arange(16).view(1, 1, 1, 16) - start - 2 * time
    bar = ((column >= 0) & (column < 4)).expand(-1, -1, 8, -1)
    maps = torch.stack((~bar, bar), dim=2).float()
    return maps[:, :4], maps[:, 4:]
