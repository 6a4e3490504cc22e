"""Small detectors of every kind, with mmdet's own configs as their source; and a clip of the street."""

import os

import mmdet
import pytest
import torch
from mmengine.config import Config

from mmforecast.street import generate_sequence

CONFIGS = os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')
SOURCES = {
    'mask-rcnn': '_base_/models/mask-rcnn_r50_fpn.py',
    'cascade-mask-rcnn': '_base_/models/cascade-mask-rcnn_r50_fpn.py',
    'faster-rcnn': '_base_/models/faster-rcnn_r50_fpn.py',
    'retinanet': '_base_/models/retinanet_r50_fpn.py',
    'fcos': 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',
    'mask-rcnn-c4': '_base_/models/mask-rcnn_r50-caffe-c4.py',
    'detr': 'detr/detr_r50_8xb2-150e_coco.py',
}
BACKBONE = dict(
    depth=18,
    base_channels=8,
    stem_channels=8,
    frozen_stages=-1,
    norm_eval=False,
    norm_cfg=dict(type='BN', requires_grad=True),
    init_cfg=None,
)


def small_detector_config(name):
    """An mmdet detector with a ResNet-18 of 8 channels, a neck and heads of 16, and 8 classes."""
    model = Config.fromfile(os.path.join(CONFIGS, SOURCES[name])).model
    model.backbone.merge(BACKBONE)
    if name == 'detr':
        model.neck.in_channels = [64]
    if name in ('mask-rcnn-c4', 'detr'):  # only to be refused
        return model.to_dict()
    model.neck.merge(dict(in_channels=[8, 16, 32, 64], out_channels=16))
    if 'roi_head' in model:
        _shrink_two_stages(model)
    else:
        head = dict(in_channels=16, feat_channels=16, stacked_convs=1, num_classes=8)
        model.bbox_head.merge(head)
        if name == 'fcos':
            model.bbox_head.norm_cfg = dict(type='GN', num_groups=4)
        model.test_cfg.merge(dict(score_thr=0.0, nms_pre=50, max_per_img=5))
    return model.to_dict()


def _shrink_two_stages(model):
    model.rpn_head.merge(dict(in_channels=16, feat_channels=16))
    heads = model.roi_head
    boxes = heads.bbox_head if isinstance(heads.bbox_head, list) else [heads.bbox_head]
    for head in boxes:
        head.merge(dict(in_channels=16, fc_out_channels=16, num_classes=8))
    heads.bbox_roi_extractor.out_channels = 16
    if 'mask_head' in heads:
        heads.mask_roi_extractor.out_channels = 16
        heads.mask_head.merge(dict(num_convs=1, in_channels=16, conv_out_channels=16, num_classes=8))
    model.test_cfg.rpn.merge(dict(nms_pre=50, max_per_img=20))
    model.test_cfg.rcnn.merge(dict(score_thr=0.0, max_per_img=5))


@pytest.fixture(scope='session')
def small_detector():
    """A function from a name in ``SOURCES`` to the config of a small detector."""
    return small_detector_config


@pytest.fixture(scope='session')
def street_clip():
    """Frames (1, 3, 3, 96, 192) of the street and their labels, one-hot, (1, 3, 34, 96, 192)."""
    street = generate_sequence(3, 'val', 1, 96, 192, num_frames=8)
    frames = torch.from_numpy(street['frames'][[0, 3, 6]]).permute(0, 3, 1, 2)[None].float()
    labels = torch.from_numpy(street['label_ids'][[0, 3, 6]]).long()
    scores = torch.nn.functional.one_hot(labels, 34).permute(0, 3, 1, 2)[None].float()
    return frames, scores
