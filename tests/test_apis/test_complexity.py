"""Multiply-adds against formulas, and shapes alone against tensors with data."""

import pytest
import torch

from mmforecast.apis import baselines_of, build_forecaster, load_config
from mmforecast.apis.complexity import NeedsDataError, complexity, count_costs, count_macs, heads_macs
from mmforecast.apis.evaluate import build_model
from mmforecast.models.predictors.f2f import F2FLevel

SIZE = (64, 128)
SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor'),
    test_cfg=dict(mode='whole'),
    backbone=dict(
        type='UNet',
        in_channels=3,
        base_channels=4,
        num_stages=3,
        strides=(1,) * 3,
        enc_num_convs=(1,) * 3,
        dec_num_convs=(1,) * 2,
        downsamples=(True,) * 2,
        enc_dilations=(1,) * 3,
        dec_dilations=(1,) * 2,
    ),
    decode_head=dict(
        type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False, num_classes=3, in_index=-1
    ),
)
NECK = dict(type='F2FPredictor', channels=64, size_factor=1)


def forecaster(repository, **changes):
    cfg = load_config(str(repository / 'configs/f2f/f2f_tiny_synthetic.py'))
    cfg.model.encoder.merge(dict(checkpoint=None, size=SIZE))
    return build_forecaster(cfg, changes={'predictor': NECK, **changes})


def level_macs(channels, num_past, size_factor, refines=False):
    """Per cell, by the paper's table of layers."""
    wide, narrow = 64 * size_factor, 32 * size_factor
    given = channels * (num_past + refines)
    return (
        given * wide
        + 2 * 9 * wide * wide
        + 9 * wide * narrow
        + 2 * 9 * narrow * narrow
        + 49 * narrow * channels
    )


def test_a_level_of_the_paper():
    with torch.device('meta'):
        level = F2FLevel(256, 4, 8, 1)
    macs, _ = count_macs(level, torch.zeros(1, 1024, 32, 64, device='meta'))
    biases = sum(p.numel() for name, p in level.named_parameters() if name.endswith('bias'))
    assert macs == 32 * 64 * (10_816_000 - biases) == 32 * 64 * level_macs(256, 4, 8)


def test_the_three_scales_of_p2_at_full_size():
    with torch.device('meta'):
        level = F2FLevel(256, 4, 8, 3)
    macs, out = count_macs(level, torch.zeros(1, 1024, 256, 512, device='meta'))
    refiner = level_macs(256, 4, 8, refines=True)
    assert macs == (131072 + 32768) * refiner + 8192 * level_macs(256, 4, 8)
    assert 131072 * refiner == pytest.approx(1.4e12, rel=0.03)
    assert out[0].shape == (1, 256, 256, 512)


def test_f2mf_is_counted_as_its_convolutions_without_statistics(repository):
    cfg = load_config(
        str(repository / 'configs/f2mf/f2mf_tiny_synthetic.py'), {'model.encoder.checkpoint': None}
    )
    model = build_forecaster(cfg)
    (net,) = model.predictor.nets
    weights = sum(p.numel() for p in net.parameters() if p.ndim == 4)
    embedding = sum(p.numel() for p in net.embedding.parameters() if p.ndim == 4)
    _, predictor, _ = complexity(model, (128, 256))
    assert predictor.macs == (weights + 3 * embedding) * 16 * 32  # four maps are embedded
    assert (predictor.parameters, predictor.whole) == (98_023, 3)


def test_a_forecaster_by_part(repository):
    model = forecaster(repository)
    encoder, predictor, decoder = costs = complexity(model, SIZE)
    assert [cost.part for cost in costs] == ['encoder', 'predictor', 'decoder']
    assert sum(cost.parameters for cost in costs) == sum(p.numel() for p in model.parameters())
    single, refiner = level_macs(64, 4, 1), level_macs(64, 4, 1, refines=True)
    assert predictor.macs == (512 + 128) * refiner + (32 + 128 + 32 + 8) * single
    assert (encoder.short, encoder.whole) == (4, 4)
    assert (predictor.short, predictor.whole) == (1, 3)
    assert (decoder.short, decoder.whole) == (1, 3)
    last = complexity(forecaster(repository, decoder=dict(type='DetectionDecoder', steps='last')), SIZE)
    assert (last[2].short, last[2].whole, last[2].macs) == (1, 1, decoder.macs)


def test_heads_are_counted_at_their_limits(repository):
    model = forecaster(repository)
    before = complexity(model, SIZE)[2].macs
    head = model.encoder.detector.roi_head.bbox_head
    linear = sum(m.weight.numel() for m in head.modules() if isinstance(m, torch.nn.Linear))
    model.encoder.detector.test_cfg.rpn.max_per_img += 10
    assert complexity(model, SIZE)[2].macs - before == 10 * linear


def test_shapes_alone_count_as_much_as_data(repository):
    meta = complexity(forecaster(repository), SIZE)
    assert meta == complexity(forecaster(repository), SIZE, device='cpu')


def test_what_needs_data_says_so(repository):
    model = forecaster(repository, predictor=dict(type='FlowWarp'))
    with pytest.raises(NeedsDataError, match='FlowWarp needs data.*--device cpu'):
        complexity(model, SIZE)
    model = forecaster(repository, predictor=dict(type='FlowWarp'))
    assert complexity(model, SIZE, device='cpu')[1].macs == 0


def encoder_of(**settings):
    model = dict(type='S2SForecaster', encoder=settings, predictor=dict(type='CopyLast'))
    return build_model(model, device='cpu')


def test_a_cached_encoder_costs_what_its_encoder_does():
    inner = dict(type='SegmentorEncoder', segmentor=SEGMENTOR)
    cached = complexity(encoder_of(type='CachedEncoder', encoder=inner), SIZE)
    assert cached == complexity(encoder_of(**inner), SIZE)
    assert cached[0].macs > 0


def test_representations_of_the_data_cost_nothing(repository):
    labels = load_config(str(repository / 'configs/s2s/s2s_2scale_tiny_synthetic.py'))
    scores = load_config(str(repository / 'configs/s2s/s2s_2scale_cityscapes.py'))
    costs = [complexity(build_forecaster(cfg), SIZE) for cfg in (labels, scores)]
    assert [cost[0].macs for cost in costs] == [0, 0]
    assert costs[0][1].macs == costs[1][1].macs > 0  # the same predictor, on maps of the same size


def test_painted_detections_are_counted_at_their_limits(repository):
    cfg = load_config(str(repository / 'configs/f2f/s2s-maps_tiny_synthetic.py'))
    cfg.model.encoder.checkpoint = None
    inner = build_forecaster(cfg).encoder.detector_encoder
    own, levels = count_macs(inner.encode, torch.zeros(1, 1, 3, *SIZE), [])
    heads = heads_macs(inner, levels, SIZE)
    costs = complexity(build_forecaster(cfg, changes={'predictor': dict(type='CopyLast')}), SIZE, 'meta')
    assert costs[0].macs == own + heads


def test_the_masked_transformer_is_counted_by_hand(repository):
    path = 'configs/masked_labels/masked-labels_depth_tiny_synthetic.py'
    cfg = load_config(str(repository / path))
    encoder, predictor, _ = complexity(build_forecaster(cfg), (128, 256))
    tokens, dims, frames, cells = 5 * 128, 96, 5, 128
    layer = tokens * 16 * dims**2 + 2 * tokens * (frames + cells) * dims
    embed, out = 2 * tokens * 640 * 48, cells * dims * 1280
    logits = 64 * 128 * 10 * (19 + 256)
    assert (encoder.macs, predictor.macs) == (0, 2 * layer + embed + out + logits)


def test_depth_beside_scores_of_a_segmentor_costs_what_the_segmentor_does(repository):
    cfg = load_config(str(repository / 'configs/masked_labels/masked-labels_unet_tiny_synthetic.py'))
    cfg.model.encoder.checkpoint = None
    alone = complexity(build_forecaster(cfg), (128, 256))[0]
    cfg.model.encoder = dict(type='LabelDepthEncoder', scores=cfg.model.encoder)
    beside = complexity(build_forecaster(cfg), (128, 256))[0]
    assert beside.macs == alone.macs > 0


def test_a_projection_to_components_is_counted(repository):
    path = 'configs/masked_features/masked-features_vit_tiny_synthetic.py'
    cfg = load_config(str(repository / path), {'model.encoder.checkpoint': None})
    whole = complexity(build_forecaster(cfg), (128, 256))[0]
    cfg.model.encoder.num_components = None
    raw = complexity(build_forecaster(cfg), (128, 256))[0]
    assert whole.macs - raw.macs == 16 * 32 * 192 * 64


@pytest.mark.parametrize(
    'config',
    [
        's2s/s2s_warp_tiny_synthetic.py',
        'panoptic/panoptic_labels_tiny_synthetic.py',
        'd2d/d2d_tiny_synthetic.py',
    ],
)
def test_every_baseline_is_counted(repository, config):
    """Baselines convolve nothing, and the oracle is given what it tells."""
    cfg = load_config(str(repository / 'configs' / config))
    for name, parts in baselines_of(cfg).items():
        costs, _, _ = count_costs(cfg, SIZE, changes=parts)
        assert [cost.part for cost in costs] == ['encoder', 'predictor', 'decoder'], name
        assert costs[1].parameters == 0 and costs[1].macs < 1000, name  # a camera's rotation


def test_a_recurrent_predictor_reads_all_past_frames_once(repository):
    """Four maps before the first step, one before each of the others."""
    cfg = load_config(str(repository / 'configs/s2s/s2s_last_tiny_synthetic.py'))
    plain = dict(predictor=dict(type='PyramidConvLSTM', hidden=8, num_cells=1))
    predictor = count_costs(cfg, SIZE, changes=plain)[0][1]
    read = 64 * 128 * (19 * 8 + 9 * (8 + 8) * 4 * 8)
    write = 64 * 128 * 8 * 19
    assert predictor.macs == 4 * read + write
    assert predictor.forecast_macs == 6 * read + 3 * write
