"""The label map of SegmentorEncoder and SemSegDecoder is the segmentor's own, whatever its kind."""

import copy
import os

import mmseg
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmseg.structures import SegDataSample

from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.encoders import SegmentorEncoder

CONFIGS = os.path.join(os.path.dirname(mmseg.__file__), '.mim', 'configs')
NORM = dict(type='BN', requires_grad=True)
SIZE = (70, 100)
PREPROCESSOR = dict(type='SegDataPreProcessor', mean=[120.0, 110, 100], std=[60.0, 50, 55], bgr_to_rgb=True)


def convolutional(align_corners=False, test_cfg=None, padding=None, **head):
    backbone = dict(
        type='ResNetV1c', depth=18, stem_channels=8, base_channels=8, norm_cfg=NORM, dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1), contract_dilation=True,
    )  # fmt: skip
    decode_head = dict(
        type='FCNHead', in_channels=64, channels=8, num_convs=1, num_classes=6, norm_cfg=NORM,
        align_corners=align_corners,
    )  # fmt: skip
    return dict(
        type='EncoderDecoder',
        data_preprocessor={**PREPROCESSOR, 'test_cfg': padding, 'pad_val': 0},
        backbone=backbone,
        decode_head={**decode_head, **head},
        test_cfg=test_cfg or dict(mode='whole'),
    )


def shrunk(path, **changes):
    """A model of mmseg's configs over a narrow ResNet-18."""
    model = Config.fromfile(os.path.join(CONFIGS, path)).model.to_dict()
    model.pop('pretrained', None)
    model['backbone'].update(depth=18, base_channels=8, stem_channels=8, norm_cfg=NORM, init_cfg=None)
    model['data_preprocessor'] = {**PREPROCESSOR, 'pad_val': 0, 'test_cfg': changes.pop('padding', None)}
    model['auxiliary_head'] = None
    for key, value in changes.items():
        model[key].update(value) if isinstance(value, dict) else model.update({key: value})
    return model


def point_rend():
    model = shrunk('_base_/models/pointrend_r50.py')
    model['neck'].update(in_channels=[8, 16, 32, 64], out_channels=16)
    coarse, points = model['decode_head']
    coarse.update(in_channels=[16] * 4, channels=16, norm_cfg=NORM, num_classes=6)
    points.update(in_channels=[16], channels=16, num_classes=6)
    model['test_cfg'].update(subdivision_num_points=64)
    return model


def mask2former():
    model = shrunk(
        'mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py', padding=dict(size_divisor=32)
    )
    head = model['decode_head']
    head.update(in_channels=[8, 16, 32, 64], feat_channels=32, out_channels=32, num_classes=6, num_queries=8)
    head['loss_cls']['class_weight'] = [1.0] * 6 + [0.1]
    layer = dict(embed_dims=32, num_heads=4)
    pixels = head['pixel_decoder']
    pixels['encoder'].update(num_layers=1)
    pixels['encoder']['layer_cfg']['self_attn_cfg'].update(embed_dims=32, num_heads=4)
    pixels['encoder']['layer_cfg']['ffn_cfg'].update(embed_dims=32, feedforward_channels=32)
    pixels['positional_encoding'].update(num_feats=16)
    head['positional_encoding'].update(num_feats=16)
    decoder = head['transformer_decoder']
    decoder.update(num_layers=3)
    for part in ('self_attn_cfg', 'cross_attn_cfg'):
        decoder['layer_cfg'][part].update(layer)
    decoder['layer_cfg']['ffn_cfg'].update(embed_dims=32, feedforward_channels=32)
    return model


SEGMENTORS = {
    'whole': convolutional,
    'aligned corners': lambda: convolutional(align_corners=True),
    'slide': lambda: convolutional(test_cfg=dict(mode='slide', crop_size=(48, 48), stride=(32, 32))),
    'padded to multiples': lambda: convolutional(padding=dict(size_divisor=32)),
    'padded to a size': lambda: convolutional(padding=dict(size=(96, 128))),
    'binary': lambda: convolutional(num_classes=2, out_channels=1, threshold=0.4,
                                    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)),
    'point rend': point_rend,
    'mask2former': mask2former,
}  # fmt: skip


@torch.no_grad()
def own_labels(segmentor, frame):
    """(H, W) labels that mmseg's own test loop gives for a frame (3, H, W) RGB."""
    meta = dict(ori_shape=SIZE, img_shape=SIZE, pad_shape=SIZE, padding_size=[0] * 4)
    data = dict(inputs=[frame.flip(0)], data_samples=[SegDataSample(metainfo=meta)])
    return segmentor.test_step(data)[0].pred_sem_seg.data[0].long()


def several_classes(segmentor):
    """Weights with which a frame has several classes: random ones of a trained network's scale."""
    for parameter in segmentor.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=1.5 * (parameter.numel() / len(parameter)) ** -0.5)


@pytest.mark.parametrize('name', SEGMENTORS)
def test_label_maps_are_the_segmentors_own(name):
    encoder = SegmentorEncoder(copy.deepcopy(SEGMENTORS[name]()), chunk=1)
    several_classes(encoder.segmentor)
    frames = F.interpolate(torch.rand(3, 3, 9, 13) * 255, SIZE, mode='bilinear').round()
    (scores,) = encoder.encode(frames[None], [])
    assert encoder.map_size(frames[None], []) == scores.shape[-2:]
    assert scores.shape[2] == encoder.channels == (2 if name == 'binary' else 6)
    labels = SemSegDecoder().labels(scores[0], SIZE).long()
    own = torch.stack([own_labels(encoder.segmentor, frame) for frame in frames])
    assert len(own.unique()) > 1
    assert torch.equal(labels, own), f'agreement {(labels == own).float().mean():.4f}'


@pytest.mark.parametrize('first, multiple', [(1, 4), (2, 8)])
def test_a_unet_takes_any_size(first, multiple):
    """mmseg's refuses sides that its stages do not halve evenly; padded by mmseg, it gives the same labels."""
    backbone = dict(
        type='UNet', base_channels=4, num_stages=3, strides=(first, 1, 1), downsamples=(True, True),
        enc_num_convs=(1,) * 3, dec_num_convs=(1,) * 2, enc_dilations=(1,) * 3, dec_dilations=(1,) * 2,
        norm_cfg=NORM,
    )  # fmt: skip
    model = {**convolutional(in_channels=4, in_index=2), 'backbone': backbone}
    encoder = SegmentorEncoder(copy.deepcopy(model))
    several_classes(encoder.segmentor)
    model['data_preprocessor']['test_cfg'] = dict(size_divisor=multiple)
    padded = SegmentorEncoder(copy.deepcopy(model)).segmentor
    padded.load_state_dict(encoder.segmentor.state_dict())
    frames = F.interpolate(torch.rand(2, 3, 9, 13) * 255, SIZE, mode='bilinear').round()
    (scores,) = encoder.encode(frames[None], [])
    assert encoder.map_size(frames[None], []) == scores.shape[-2:]
    labels = SemSegDecoder().labels(scores[0], SIZE).long()
    own = torch.stack([own_labels(padded, frame) for frame in frames])
    assert len(own.unique()) > 1 and torch.equal(labels, own)
    with pytest.raises(AssertionError, match='divisible'):
        own_labels(encoder.segmentor, frames[0])
