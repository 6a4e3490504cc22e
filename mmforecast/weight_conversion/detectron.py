"""Mask R-CNN R-50-FPN of Detectron (the Caffe2 one) under the names of mmdet.

Every layer computes the same in mmdet as in Detectron, in a model with :data:`MMDET_SETTINGS`. What
is left outside the layers:

* Boxes. Detectron's last column is inclusive (its widths are x2 - x1 + 1), mmdet's is exclusive. The
  F2F authors trained their detector before Detectron took 1 off the decoded x2 and y2, which is
  mmdet's arithmetic in the RPN; in the box head theirs sees boxes one pixel wider and higher. Decoded
  boxes can differ by up to one pixel.
* Anchors. Detectron rounds their widths and heights at the size of one cell, and scales them then
  (48x24 on P2, instead of 45.3x22.6); centers and order agree.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmforecast.fileio.safe_pickle import load_pickle
from mmforecast.structures.cityscapes import THING_CLASSES

from .files import file_kind

__all__ = [
    'DETECTRON_CITYSCAPES_CLASSES',
    'MMDET_SETTINGS',
    'bbox_reg_weights',
    'class_order',
    'detectron_to_mmdet',
    'read_detectron',
]

# Rows of the outputs of a Detectron model for Cityscapes: the order of the categories in its
# annotation files. Sources: detectron/datasets/coco_to_cityscapes_id.py, and 'categories' of the F2F
# authors' coco_style_annotations/instancesonly_gtFine_test.json, which agree.
DETECTRON_CITYSCAPES_CLASSES = (
    '__background__',
    'bicycle',
    'car',
    'person',
    'train',
    'truck',
    'motorcycle',
    'bus',
    'rider',
)


def _roi_extractor(output_size: int) -> dict:
    return dict(roi_layer=dict(type='RoIAlign', output_size=output_size, sampling_ratio=2, aligned=False))


# What such weights need on top of mmdet::_base_/models/mask-rcnn_r50_fpn.py.
MMDET_SETTINGS = dict(
    data_preprocessor=dict(
        mean=[102.9801, 115.9465, 122.7717],  # BGR
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
    ),
    backbone=dict(norm_cfg=dict(requires_grad=False), style='caffe', init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    roi_head=dict(
        bbox_roi_extractor=_roi_extractor(7),
        bbox_head=dict(num_classes=8),
        mask_roi_extractor=_roi_extractor(14),
        mask_head=dict(num_classes=8),
    ),
)

_BLOCKS = (3, 4, 6, 3)
_LEVELS = ('res2_2_sum', 'res3_3_sum', 'res4_5_sum', 'res5_2_sum')
_BN_EPS = 1e-5
_MMDET_REG_WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # 1 / target_stds of mmdet's box head
_LAYER = re.compile(r'(conv_rpn|rpn_|fpn_|res\d|fc\d_|_\[|mask_|conv\d_mask|kps_|retnet_)')


def read_detectron(
    path: str | os.PathLike,
) -> tuple[dict[str, np.ndarray], str | None]:
    """Read the blobs and the config, as YAML text, of a weights file of Detectron, safely.

    Raises:
        ValueError: It is no such file, or it could run code.
        FileNotFoundError: There is no such file.
    """
    if file_kind(path) == 'torch':
        raise ValueError(
            f"{path} is a file of torch, not a Detectron .pkl; the F2F authors' .net files go to "
            'tools/model_converters/f2f.py'
        )
    content = load_pickle(path)
    blobs = content.get('blobs', content) if isinstance(content, dict) else None
    if not isinstance(blobs, dict) or not any(isinstance(b, np.ndarray) for b in blobs.values()):
        raise ValueError(
            f"{path} holds no blobs: expected a Detectron .pkl, a dict with 'blobs' of named arrays, "
            f'got {_describe(content)}'
        )
    cfg = content.get('cfg')
    arrays = {name: np.asarray(b) for name, b in blobs.items() if isinstance(b, np.ndarray)}
    return arrays, cfg if isinstance(cfg, str) else None


def _describe(content: object) -> str:
    if not isinstance(content, dict):
        return f'a {type(content).__name__}'
    return f'a dict of {", ".join(map(repr, list(content)[:3])) or "nothing"}'


def bbox_reg_weights(cfg: str | None) -> tuple[float, ...]:
    """``MODEL.BBOX_REG_WEIGHTS`` of a weights file: the deltas are the box head's outputs over them.

    Models of before that setting have it multiplied into their weights, (1, 1, 1, 1); a file without
    a config counts as newer, (10, 10, 5, 5). Detectron's utils/net.py reads files so too.
    """
    if cfg is None:
        return _MMDET_REG_WEIGHTS
    found = re.search(r'BBOX_REG_WEIGHTS:(.*?)(?:\n\s*[A-Z]\w*:|\Z)', cfg, flags=re.DOTALL)
    if found is None:
        return (1.0, 1.0, 1.0, 1.0)
    text = re.sub(r'[&!]\S+', '', found.group(1))  # YAML's tags and anchors
    numbers = tuple(float(number) for number in re.findall(r'\d+(?:\.\d*)?', text))
    if len(numbers) != 4 or not all(numbers):
        raise ValueError(
            f'BBOX_REG_WEIGHTS of the config in the file should be four positive numbers, got '
            f'{found.group(1).strip()!r}; give them as bbox_reg_weights'
        )
    return numbers


def class_order(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes of the converted model: ours in our order; others as given, without background."""
    foreground = tuple(classes[1:])
    return THING_CLASSES if sorted(foreground) == sorted(THING_CLASSES) else foreground


def detectron_to_mmdet(
    blobs: Mapping[str, np.ndarray],
    classes: Sequence[str] = DETECTRON_CITYSCAPES_CLASSES,
    bbox_reg_weights: Sequence[float] = _MMDET_REG_WEIGHTS,
) -> dict[str, Tensor]:
    """Name and arrange the blobs of Mask R-CNN R-50-FPN as mmdet does.

    An affine channel (s, b) becomes a batch normalization of weight s, bias b, mean 0 and variance
    1 - eps. The class rows, background first, are brought into the order of :func:`class_order`,
    background last for the class scores and dropped for boxes and masks.

    Args:
        blobs: Name to array. Momentum, and blobs that are no layers of a detector, are left out.
        classes: What the K + 1 rows of the outputs stand for, background first.
        bbox_reg_weights: As :func:`bbox_reg_weights` gives them.

    Returns:
        float32 state dict for mmdet's ``MaskRCNN`` with :data:`MMDET_SETTINGS`.

    Raises:
        ValueError: Blobs are missing, or there are ones of a deeper network or of another head, or
            their sizes don't go with the classes.
    """
    weights = {name: blob for name, blob in blobs.items() if not name.endswith('_momentum')}
    state: dict[str, Tensor] = {}
    used = set()

    def take(name: str) -> Tensor:
        if name not in weights:
            raise ValueError(
                f"The blob '{name}' of Mask R-CNN R-50-FPN is missing among the {len(weights)} blobs "
                f'of the file ({", ".join(sorted(weights)[:3])}, ...): convert a Mask R-CNN with '
                'ResNet-50, FPN, a 2-layer box head and a mask head of 4 convolutions'
            )
        used.add(name)
        return torch.from_numpy(np.array(weights[name], dtype=np.float32))

    for theirs, ours in _affine_convs():
        state[f'{ours[0]}.weight'] = take(f'{theirs[0]}_w')
        scale = take(f'{theirs[1]}_s')
        state[f'{ours[1]}.weight'] = scale
        state[f'{ours[1]}.bias'] = take(f'{theirs[1]}_b')
        state[f'{ours[1]}.running_mean'] = torch.zeros_like(scale)
        state[f'{ours[1]}.running_var'] = torch.full_like(scale, 1 - _BN_EPS)
        state[f'{ours[1]}.num_batches_tracked'] = torch.tensor(0)
    for theirs, ours in _plain_layers():
        state[f'{ours}.weight'] = take(f'{theirs}_w')
        state[f'{ours}.bias'] = take(f'{theirs}_b')
    left = sorted(name for name in weights if name not in used and _LAYER.match(name))
    if left:
        raise ValueError(
            f'The file holds {len(left)} blobs that Mask R-CNN R-50-FPN has no place for '
            f'({", ".join(left[:3])}): it is of a deeper network or has another head'
        )
    _arrange_outputs(state, list(classes), bbox_reg_weights)
    return state


def _affine_convs() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Convolutions with an affine channel: (conv, affine) there, (conv, bn) here."""
    yield ('conv1', 'res_conv1_bn'), ('backbone.conv1', 'backbone.bn1')
    for stage, blocks in enumerate(_BLOCKS):
        for block in range(blocks):
            theirs, ours = f'res{stage + 2}_{block}_branch', f'backbone.layer{stage + 1}.{block}.'
            if block == 0:
                yield (
                    (f'{theirs}1', f'{theirs}1_bn'),
                    (f'{ours}downsample.0', f'{ours}downsample.1'),
                )
            for number, letter in enumerate('abc', start=1):
                conv = f'{theirs}2{letter}'
                yield (conv, f'{conv}_bn'), (f'{ours}conv{number}', f'{ours}bn{number}')


def _plain_layers() -> Iterator[tuple[str, str]]:
    """Layers with a bias: name there, name here."""
    for number, level in enumerate(_LEVELS):
        lateral = '' if level == _LEVELS[-1] else '_lateral'
        yield f'fpn_inner_{level}{lateral}', f'neck.lateral_convs.{number}.conv'
        yield f'fpn_{level}', f'neck.fpn_convs.{number}.conv'
    yield 'conv_rpn_fpn2', 'rpn_head.rpn_conv'
    yield 'rpn_cls_logits_fpn2', 'rpn_head.rpn_cls'
    yield 'rpn_bbox_pred_fpn2', 'rpn_head.rpn_reg'
    yield 'fc6', 'roi_head.bbox_head.shared_fcs.0'
    yield 'fc7', 'roi_head.bbox_head.shared_fcs.1'
    yield 'cls_score', 'roi_head.bbox_head.fc_cls'
    yield 'bbox_pred', 'roi_head.bbox_head.fc_reg'
    for number in range(4):
        yield f'_[mask]_fcn{number + 1}', f'roi_head.mask_head.convs.{number}.conv'
    yield 'conv5_mask', 'roi_head.mask_head.upsample'
    yield 'mask_fcn_logits', 'roi_head.mask_head.conv_logits'


def _arrange_outputs(state: dict[str, Tensor], classes: list[str], reg_weights: Sequence[float]) -> None:
    """Bring the rows of the class-wise outputs into mmdet's order, and the deltas to its scale."""
    rows = [classes.index(name) for name in class_order(classes)]
    scale = torch.tensor(_MMDET_REG_WEIGHTS) / torch.tensor(reg_weights)
    for name, per_class in (
        ('bbox_head.fc_cls', 1),
        ('bbox_head.fc_reg', 4),
        ('mask_head.conv_logits', 1),
    ):
        for part in ('weight', 'bias'):
            key = f'roi_head.{name}.{part}'
            value = state[key]
            if len(value) != per_class * len(classes):
                raise ValueError(
                    f'{key} has {len(value)} rows in the file, but {len(classes)} classes with '
                    f'background ({", ".join(classes)}) need {per_class * len(classes)}: give the '
                    'classes of the file in their order'
                )
            value = value.reshape(len(classes), per_class, *value.shape[1:])
            if per_class == 4:
                value = value * scale.reshape(4, *[1] * (value.dim() - 2))
            # The background is row 0; only the class scores have a place for it.
            state[key] = value[rows + [0] if name.endswith('fc_cls') else rows].flatten(0, 1)
