"""The masked transformer on features, and features of vision transformers: sizes, hand cases, invariances."""

import pytest
import torch
from mmengine.config import Config

from mmforecast.fileio import CheckpointError
from mmforecast.models.encoders import ViTFeatureEncoder
from mmforecast.models.forecasters import SegmentorFeatureForecaster
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils.feature_pca import FeaturePCA
from mmforecast.models.utils.standardization import measure
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

CONTEXT = ForecastContext(frames=None, samples=[])
TINY = dict(embed_dims=12, num_layers=2, num_heads=2)
MSE = dict(mse=dict(type='mmdet.MSELoss'))


def build(channels=3, size=(4, 8), **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type='MaskedFeatureTransformer', channels=channels, size=size, **kwargs))


def shake(model):
    torch.nn.init.normal_(model.transformer.out.weight)
    return model.eval()


def window(*sizes, channels=3, steps=4):
    return [torch.randn(2, steps, channels, *size) for size in sizes or [(4, 8)]]


def number(*parts):
    return sum(weight.numel() for part in parts for weight in part.parameters())


@pytest.mark.parametrize(
    'config, expected',
    [
        (dict(channels=1152, size=(16, 32)), 257_744_640),
        (dict(channels=1152, size=(32, 64)), 257_763_072),
        (dict(channels=3072, size=(16, 32)), 262_170_240),
        (dict(channels=64, size=(8, 16), embed_dims=96, num_layers=2, num_heads=4), 312_032),
    ],
)
def test_sizes(config, expected):
    with torch.device('meta'):
        assert number(build(**config)) == expected


@pytest.mark.parametrize(
    'name, channels, expected',
    [
        ('masked-features_cityscapes', 1152, 257_744_640),
        ('masked-features_high_cityscapes', 1152, 257_763_072),
        ('masked-features_p5_tiny_synthetic', 64, 312_032),
    ],
)
def test_sizes_of_the_shipped_configs(name, channels, expected, repository):
    config = Config.fromfile(repository / f'configs/masked_features/{name}.py').model.predictor
    with torch.device('meta'):
        assert number(MODELS.build(dict(config, channels=channels))) == expected


def test_an_empty_frame_is_filled_in_at_every_level():
    model = shake(build(num_levels=2, **TINY))
    past = window((8, 16), (4, 8))
    future = model(past)
    assert [tuple(level.shape) for level in future] == [(2, 1, 3, 8, 16), (2, 1, 3, 4, 8)]
    assert [tuple(level.shape[-2:]) for level in model(window((4, 4), (2, 2)))] == [(4, 4), (2, 2)]
    past[1][:, 0] += 1  # every level sees every other
    assert all(not torch.equal(a, b) for a, b in zip(future, model(past)))


def test_patches_of_the_coarsest_level():
    model = build(size=(8, 16), patch_size=2, **TINY)
    assert model.transformer.positions.rows.shape == (4, 4)
    assert model(window((8, 16)))[0].shape == (2, 1, 3, 8, 16)


def test_the_start_gives_one_vector_everywhere_or_the_newest_map():
    past = window()
    (same,) = build(**TINY)(past)
    assert torch.equal(same, same[..., :1, :1].expand_as(same))
    (copy,) = build(residual=True, **TINY)(past)
    assert torch.equal(copy, past[0][:, -1:])


def test_the_papers_loss_is_that_of_the_hand_case():
    loss = MODELS.build(dict(type='mmdet.SmoothL1Loss', beta=0.1))
    errors = torch.tensor([0.05, 0.3]).view(1, 1, 1, 2)
    assert loss(errors, torch.zeros(1, 1, 1, 2)).item() == pytest.approx(0.13125)


def test_batch_items_do_not_see_each_other():
    model, past = shake(build(**TINY)), window()
    (future,) = model(past)
    torch.testing.assert_close(model([past[0].flip(0)])[0], future.flip(0))


def test_one_step_of_flow_matching_is_the_first_prediction():
    model, past = shake(build(flow=True, **TINY)), window()
    noise = torch.randn(1, 4, 8, 3, generator=torch.Generator().manual_seed(0)).expand(2, -1, -1, -1)
    first = model.fill_in(model._tokens(past), noise, torch.zeros(2))
    (future,) = model(past)
    torch.testing.assert_close(future, first.permute(0, 3, 1, 2)[:, None])
    assert torch.equal(model(past)[0], future)
    model.flow_steps = 2
    half = noise + (first - noise) / 2
    second = model.fill_in(model._tokens(past), half, torch.full((2,), 0.5))
    expected = half + (second - half) / 0.5 / 2
    torch.testing.assert_close(model(past)[0], expected.permute(0, 3, 1, 2)[:, None])


def test_flow_matching_trains_on_velocities(monkeypatch):
    model = build(flow=True, dropout=0.0, **TINY)
    monkeypatch.setattr(torch, 'randn', lambda *size, **_: torch.zeros(*size))  # t = sigmoid(-2)
    monkeypatch.setattr(torch, 'randn_like', torch.zeros_like)
    past, target = window(), window(steps=1)
    losses, _ = model.loss_and_predict(past, target, CONTEXT)
    time = torch.sigmoid(torch.tensor(-2.0))
    wanted = target[0][:, 0].permute(0, 2, 3, 1)
    found = model.fill_in(model._tokens(past), time * wanted, time.expand(2))
    expected = (((found - wanted) / (1 - time)) ** 2).mean()
    torch.testing.assert_close(losses['loss_flow'], expected)
    losses['loss_flow'].backward()
    assert model.time[0].weight.grad is not None


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(embed_dims=16), 'multiple of 3, got 16'),
        (dict(flow=True, losses=MSE), 'set losses or flow, not both'),
        (dict(flow=True, residual=True), 'drop residual or flow'),
        (dict(size=(3, 8), patch_size=2), 'another patch_size'),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**{**TINY, **change})


def test_levels_without_a_common_grid_are_refused():
    with pytest.raises(ValueError, match=r'must give one grid, but levels are \[\(8, 16\), \(3, 8\)\]'):
        build(num_levels=2, **TINY)(window((8, 16), (3, 8)))


def test_training_without_a_loss_is_refused():
    with pytest.raises(ValueError, match='losses is empty'):
        build(**TINY).loss_and_predict(window(), window(steps=1), CONTEXT)


@pytest.fixture
def maps():
    """Correlated features (4, 5, 6, 6), of other scales."""
    torch.manual_seed(0)
    mixed = torch.einsum('kc,nchw->nkhw', torch.randn(5, 5), torch.randn(4, 5, 6, 6))
    return mixed * torch.tensor([1.0, 2.0, 5.0, 0.5, 3.0]).view(5, 1, 1) + 1


def measured(maps, count):
    pca = FeaturePCA(maps.shape[-3], count)
    measure([pca], [[part] for part in maps.split(2)])
    return pca


def test_components_are_those_of_the_standardized_channels(maps):
    pca = measured(maps, 3)
    values = maps.movedim(1, 0).flatten(1).double()
    standard = (values - values.mean(1, keepdim=True)) / values.std(1, unbiased=False, keepdim=True)
    _, _, rows = torch.linalg.svd(standard.t(), full_matrices=False)
    cosines = (rows[:3].float() * pca.components).sum(1)
    torch.testing.assert_close(cosines.abs(), torch.ones(3), atol=1e-4, rtol=0)
    largest = pca.components.gather(1, pca.components.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()
    torch.testing.assert_close(pca.components @ pca.components.t(), torch.eye(3), atol=1e-5, rtol=0)


def test_projection_and_back(maps):
    torch.testing.assert_close(
        whole := measured(maps, 5).undo(measured(maps, 5)(maps)), maps, atol=1e-4, rtol=1e-4
    )
    assert whole.shape == maps.shape
    pca = measured(maps, 2)
    once = pca.undo(pca(maps))
    assert not torch.allclose(once, maps)
    torch.testing.assert_close(pca.undo(pca(once)), once, atol=1e-4, rtol=1e-4)
    assert pca(maps[:, None]).shape == (4, 1, 2, 6, 6)


def test_a_projection_of_the_released_size_has_its_numbers():
    with torch.device('meta'):
        pca = FeaturePCA(3072, 1152)
    assert sum(buffer.numel() for buffer in pca.buffers()) == 3_548_160


def test_more_components_than_channels_are_refused():
    with pytest.raises(ValueError, match='num_components must lie in 1 to 4, .* got 5'):
        FeaturePCA(4, 5)


def dpt(width=768, channels=256, widths=(128, 256, 512, 512), classes=19):
    neck = MODELS.build(dict(type='DPTNeck', in_channels=width, channels=channels, widths=widths))
    head = MODELS.build(
        dict(
            _scope_='mmseg',
            type='FCNHead',
            in_channels=channels,
            channels=channels,
            num_convs=1,
            concat_input=False,
            num_classes=classes,
            norm_cfg=dict(type='BN'),
        )
    )
    return neck, head


@pytest.mark.parametrize(
    'kwargs, expected',
    [
        (dict(), 17_519_123),
        (dict(classes=256), 17_580_032),
        (dict(classes=3), 17_515_011),
        (dict(width=48, channels=16, widths=(8, 12, 16, 16)), 55_355),
    ],
)
def test_sizes_of_the_head(kwargs, expected):
    with torch.device('meta'):
        assert number(*dpt(**kwargs)) == expected


def test_the_head_works_at_eight_times_the_grid():
    neck, head = dpt(48, 16, (8, 12, 16, 16))
    layers = [torch.randn(1, 48, 8, 16) for _ in range(4)]
    assert head.eval()(neck.eval()(layers)).shape == (1, 19, 64, 128)
    with pytest.raises(ValueError, match='fuses four layers of a backbone, got 3'):
        neck(layers[:3])


def segmentor(patch=8, layers=(0, 1, 2, 3), **head):
    """A small vision transformer with random weights, under the head of DINO-Foresight."""
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=True, mean=[127.5] * 3, std=[127.5] * 3),
        backbone=dict(
            type='VisionTransformer',
            img_size=(32, 64),
            patch_size=patch,
            embed_dims=12,
            num_layers=4,
            num_heads=3,
            out_indices=layers,
            final_norm=True,
        ),
        neck=dict(type='mmforecast.DPTNeck', in_channels=12, channels=8, widths=(4, 6, 8, 8)),
        decode_head=dict(
            type='FCNHead',
            **{**dict(in_index=0), **head},
            in_channels=8,
            channels=8,
            num_convs=1,
            concat_input=False,
            num_classes=5,
            norm_cfg=dict(type='BN'),
        ),
        test_cfg=dict(mode='whole'),
    )


def encoder(**kwargs):
    torch.manual_seed(0)
    settings = dict(type='ViTFeatureEncoder', segmentor=segmentor(), size=(32, 64), standardize=False)
    built = MODELS.build({**settings, **kwargs})
    built.init_weights()
    return built


FRAMES = torch.rand(2, 3, 3, 32, 64, generator=torch.Generator().manual_seed(0)) * 255


def test_an_encoder_gives_the_layers_of_the_backbone():
    ours = encoder()
    assert (ours.channels, ours.stride, ours.from_rgb) == (48, 8, True)
    (maps,) = ours.train().encode(FRAMES, [])
    assert maps.shape == (2, 3, 48, 4, 8) and not maps.requires_grad
    assert not ours.segmentor.training and not any(w.requires_grad for w in ours.parameters())
    layers = ours.segmentor.backbone((FRAMES[:, 0] - 127.5) / 127.5)
    torch.testing.assert_close(maps[:, 0], torch.cat(layers, dim=1))


def test_scores_of_true_features_are_the_segmentors_own():
    ours = encoder()
    (maps,) = ours.encode(FRAMES, [])
    own = ours.segmentor((FRAMES[:, 0] - 127.5) / 127.5, mode='tensor')
    torch.testing.assert_close(ours.scores(maps[:, 0], (32, 64)), own)


def test_frames_of_any_size_are_resized():
    (maps,) = encoder().encode(torch.rand(1, 2, 3, 50, 90) * 255, [])
    assert maps.shape == (1, 2, 48, 4, 8)


def test_all_components_give_the_features_back():
    ours = encoder(standardize=True, num_components=48)
    with pytest.raises(ValueError, match='were never measured'):
        ours.encode(FRAMES, [])
    raw = ours.encode_raw(FRAMES, [])
    ours.measure([raw])
    torch.testing.assert_close(ours.raw(ours.encode(FRAMES, [])), raw, atol=1e-3, rtol=1e-3)
    assert (encoder(standardize=True, num_components=7).channels, ours.channels) == (7, 48)


def test_statistics_come_from_a_file(tmp_path):
    ours = encoder(standardize=True, num_components=7)
    ours.measure([ours.encode_raw(FRAMES, [])])
    path = str(tmp_path / 'statistics.pth')
    torch.save(dict(state_dict=ours.standardizers.state_dict()), path)
    again = encoder(standardize=True, num_components=7, statistics=path)
    assert not again.needs_statistics
    torch.testing.assert_close(again.encode(FRAMES, []), ours.encode(FRAMES, []))
    with pytest.raises(CheckpointError, match='does not hold statistics of ViTFeatureEncoder'):
        encoder(standardize=True, num_components=8, statistics=path)


@pytest.mark.parametrize(
    'change, message',
    [
        (
            dict(size=(32, 60)),
            r'size=\(32, 60\) must be multiples of 8, the side of a patch of VisionTransformer',
        ),
        (dict(num_components=4), 'set standardize=True'),
        (dict(segmentor=dict(segmentor(), backbone=dict(type='ResNet', depth=18))), 'must be of one'),
    ],
)
def test_bad_encoders_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        encoder(**change)


def test_it_trains_and_is_rolled_out_over_a_vision_transformer():
    torch.manual_seed(0)
    model = SegmentorFeatureForecaster(
        dict(type='ViTFeatureEncoder', segmentor=segmentor(), size=(32, 64), num_components=6),
        dict(type='MaskedFeatureTransformer', size=(4, 8), losses=MSE, **TINY),
        test_cfg=dict(rollout_steps=3),
    )
    model.init_weights()
    assert isinstance(model.encoder, ViTFeatureEncoder) and model.predictor.channels == 6
    clips = torch.rand(1, 7, 3, 32, 64) * 255
    model.encoder.measure([model.encoder.encode_raw(clips, [])])
    samples = [ForecastDataSample(metainfo=dict(num_past=4, img_shape=(32, 64)))]
    losses = model(clips, samples, mode='loss')
    losses['loss_mse'].backward()
    assert model.predictor.embed.weight.grad is not None
    (sample,) = model.eval()(clips, samples, mode='predict')
    assert sample.pred_sem_seg.data.shape == sample.ref_sem_seg.data.shape == (3, 32, 64)


def test_timm_is_asked_for_by_its_pip_line():
    try:
        import timm  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match=r"TimmViT: vit_tiny.* pip install 'mmforecast\[vit\]'"):
            MODELS.build(dict(type='TimmViT', name='vit_tiny_patch16_224'))


def test_a_vision_transformer_of_timm():
    pytest.importorskip('timm')
    small = dict(embed_dim=12, depth=4, num_heads=3, patch_size=8)
    vit = MODELS.build(dict(type='TimmViT', name='vit_tiny_patch16_224', layers=(0, 1, 2, 3), **small)).eval()
    assert vit.patch_size == 8
    with torch.no_grad():
        layers = vit(torch.rand(1, 3, 32, 64))
        whole = vit.vit.forward_features(torch.rand(1, 3, 32, 64))
    assert [tuple(layer.shape) for layer in layers] == [(1, 12, 4, 8)] * 4
    assert whole.shape[-1] == 12
    config = segmentor()
    config['backbone'] = dict(
        type='mmforecast.TimmViT', name='vit_tiny_patch16_224', layers=(0, 1, 2, 3), **small
    )
    (maps,) = encoder(segmentor=config).encode(FRAMES, [])
    assert maps.shape == (2, 3, 48, 4, 8)


def test_any_head_may_read_the_layers():
    config = segmentor(in_index=(0, 1, 2, 3), input_transform='resize_concat')
    del config['neck']
    config['decode_head']['in_channels'] = [12] * 4
    ours = encoder(segmentor=config)
    (maps,) = ours.encode(FRAMES, [])
    own = ours.segmentor((FRAMES[:, 0] - 127.5) / 127.5, mode='tensor')
    torch.testing.assert_close(ours.scores(maps[:, 0], (32, 64)), own)
