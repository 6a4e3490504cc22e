import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData

from mmforecast.models.data_preprocessors import ForecastDataPreprocessor
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import (
    LabelMapEncoder,
    PrecomputedEncoder,
    RGBEncoder,
    SegmentorEncoder,
    unit_to_rgb,
)
from mmforecast.models.utils.normalization import normalize_frames
from mmforecast.structures import ForecastDataSample

SEGMENTOR = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[10.0, 20.0, 30.0], std=[2.0, 4.0, 5.0], bgr_to_rgb=True
    ),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN'),
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        contract_dilation=True,
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=16,
        num_convs=1,
        num_classes=5,
        norm_cfg=dict(type='BN'),
    ),
    test_cfg=dict(mode='whole'),
)


def test_segmentor_encoder_can_be_stored():
    encoder = SegmentorEncoder(SEGMENTOR)
    assert encoder.level_names == ('scores',)
    assert encoder.network is encoder.segmentor
    assert not any(name.startswith('network') for name in encoder.state_dict())


def labelled_sample(labels, labelled=None):
    return ForecastDataSample(
        gt_sem_seg=PixelData(data=labels),
        metainfo=dict(sequence_id='a_000001', labelled=labelled or [True] * len(labels)),
    )


def test_label_map_encoder_round_trip_and_ignored_pixels():
    labels = torch.randint(0, 5, (3, 4, 6)).to(torch.uint8)
    labels[0, 0, 0] = 255
    (scores,) = LabelMapEncoder(5, high=2.0).encode(None, [labelled_sample(labels)])
    assert scores.shape == (1, 3, 5, 4, 6)
    assert scores[0, 0, :, 0, 0].eq(0).all()
    known = labels != 255
    assert torch.equal(scores[0].argmax(1)[known], labels.long()[known])
    assert set(scores.unique().tolist()) == {-2.0, 0.0, 2.0}


def test_label_map_encoder_says_what_is_missing():
    labels = torch.zeros(2, 4, 4, dtype=torch.uint8)
    with pytest.raises(ValueError, match='LoadClipSemSeg'):
        LabelMapEncoder(5).encode(None, [ForecastDataSample()])
    with pytest.raises(ValueError, match='a_000001 has frames without labels'):
        LabelMapEncoder(5).encode(None, [labelled_sample(labels, [True, False])])
    with pytest.raises(ValueError, match='label 7'):
        LabelMapEncoder(5).encode(None, [labelled_sample(labels + 7)])


def test_precomputed_encoder():
    sample = ForecastDataSample(scores=torch.randn(4, 5, 3, 3).half())
    (scores,) = PrecomputedEncoder(5).encode(None, [sample])
    assert scores.dtype == torch.float32 and torch.equal(scores[0], sample.scores.float())
    with pytest.raises(ValueError, match='holds 5 channels'):
        PrecomputedEncoder(19).encode(None, [sample])
    with pytest.raises(ValueError, match='LoadClipScores'):
        PrecomputedEncoder(5).encode(None, [ForecastDataSample()])


def test_rgb_encoder_range_and_size():
    frames = torch.randint(0, 256, (2, 3, 3, 8, 8)).float()
    (full,) = RGBEncoder().encode(frames, [])
    assert full.min() >= -1 and full.max() <= 1
    assert torch.allclose(unit_to_rgb(full), frames, atol=1e-3)
    (small,) = RGBEncoder(size=(4, 4)).encode(frames, [])
    assert torch.allclose(small[..., 0, 0], full[..., :2, :2].mean(dim=(-1, -2)), atol=1e-5)
    with pytest.raises(ValueError, match='LoadClipFrames'):
        RGBEncoder().encode(torch.zeros(2, 3, 3, 0, 0), [])


@pytest.fixture(scope='module')
def segmentor_encoder():
    init_default_scope('mmforecast')
    return SegmentorEncoder(SEGMENTOR, size=(8, 16), chunk=2)


def test_segmentor_encoder_equals_the_segmentor(segmentor_encoder):
    frames = torch.randint(0, 256, (2, 3, 3, 32, 64)).float()
    (scores,) = segmentor_encoder.encode(frames, [])
    assert scores.shape == (2, 3, 5, 8, 16) and segmentor_encoder.channels == 5
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([10.0, 20.0, 30.0], [2.0, 4.0, 5.0]))
    with torch.no_grad():
        raw = segmentor_encoder.segmentor(((frames - mean) / std)[1], mode='tensor')
    assert not scores.requires_grad
    expected = torch.nn.functional.interpolate(raw, (8, 16), mode='bilinear', align_corners=False)
    assert torch.allclose(scores[1], expected, atol=1e-5)


def test_segmentor_scores_can_follow_the_size_of_the_frames():
    encoder = SegmentorEncoder(SEGMENTOR, stride=8)
    assert encoder.encode(torch.zeros(1, 1, 3, 32, 48), [])[0].shape == (1, 1, 5, 4, 6)
    encoder.segmentor.forward = None  # the size is known without running it
    assert encoder.map_size(torch.zeros(1, 4, 3, 32, 48), []) == (4, 6)
    with pytest.raises(ValueError, match='size or stride'):
        SegmentorEncoder(SEGMENTOR, size=(8, 8), stride=8)


def test_segmentor_encoder_honors_bgr_networks():
    cfg = dict(
        SEGMENTOR,
        data_preprocessor=dict(
            type='SegDataPreProcessor', mean=[1.0, 2.0, 3.0], std=[1.0, 1.0, 1.0], bgr_to_rgb=False
        ),
    )
    encoder = SegmentorEncoder(cfg)
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 255
    assert normalize_frames(encoder.segmentor.data_preprocessor, red)[0, :, 0, 0].tolist() == [
        -1.0,
        -2.0,
        252.0,
    ]


def test_segmentor_stays_frozen_and_in_eval_mode(segmentor_encoder):
    segmentor_encoder.train()
    assert segmentor_encoder.training
    assert not any(module.training for module in segmentor_encoder.segmentor.modules())
    assert not any(p.requires_grad for p in segmentor_encoder.parameters())
    before = {k: v.clone() for k, v in segmentor_encoder.segmentor.state_dict().items()}
    segmentor_encoder.encode(torch.rand(1, 2, 3, 32, 64) * 255, [])
    after = segmentor_encoder.segmentor.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)  # batch-norm statistics too


def test_decoder_takes_the_argmax_after_resampling_scores():
    scores = torch.tensor([[3.0, -1.0], [-1.0, -1.0]])
    both = torch.stack((scores, torch.zeros(2, 2)))[None, None]  # class 1 has score 0 everywhere
    sample = ForecastDataSample(metainfo=dict(img_shape=(4, 4)))
    SemSegDecoder(keep_scores=True).decode([both], [sample])
    up = torch.nn.functional.interpolate(both[0], (4, 4), mode='bilinear', align_corners=False)
    assert torch.equal(sample.pred_sem_seg.data, up.argmax(1).to(torch.uint8))
    assert sample.pred_sem_seg.data[0, 1, 1] == 0
    assert sample.pred_scores.dtype == torch.float16
    SemSegDecoder().decode([both], [sample], target='ref')
    assert 'ref_sem_seg' in sample


def test_preprocessor_stacks_and_refuses_mixed_sizes():
    preprocessor = ForecastDataPreprocessor()
    clips = [torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8) for _ in range(2)]
    out = preprocessor(dict(inputs=clips, data_samples=None))
    assert out['inputs'].dtype == torch.float32 and torch.equal(out['inputs'][1], clips[1].float())
    clips[1] = clips[1][..., :4]
    with pytest.raises(ValueError, match='ClipResize'):
        preprocessor(dict(inputs=clips, data_samples=None))


def test_label_maps_are_averaged_over_cells():
    labels = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]], dtype=torch.uint8)
    sample = ForecastDataSample(gt_sem_seg=PixelData(data=labels[None]), metainfo=dict(labelled=[True]))
    (scores,) = LabelMapEncoder(num_classes=2, stride=2).encode(torch.empty(1, 1, 3, 0, 0), [sample])
    assert scores.tolist() == [[[[[0.5, -1.0]], [[-0.5, 1.0]]]]]
    with pytest.raises(
        ValueError, match=r'must be multiples of stride=4, but clip of sequence \? has \(2, 4\)'
    ):
        LabelMapEncoder(num_classes=2, stride=4).encode(torch.empty(1, 1, 3, 0, 0), [sample])
    with pytest.raises(ValueError, match='stride must be an integer >= 1'):
        LabelMapEncoder(num_classes=2, stride=0)
