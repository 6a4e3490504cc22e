"""Megvii's YOLOX (arXiv 2107.08430) as weights of mmdet's YOLOX.

Both have the same layers under other names. A file of Megvii's trainer holds the weights in its entry 'model',
beside the state of the optimizer.
"""

import os
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmforecast.fileio import load_checkpoint

from .files import file_kind

__all__ = ['read_yolox', 'yolox_config', 'yolox_to_mmdet']

# Our names of parts, by the beginnings of theirs.
_PARTS = {
    'backbone.backbone.stem.conv.': 'backbone.stem.conv.',
    'backbone.backbone.dark2.': 'backbone.stage1.',
    'backbone.backbone.dark3.': 'backbone.stage2.',
    'backbone.backbone.dark4.': 'backbone.stage3.',
    'backbone.backbone.dark5.': 'backbone.stage4.',
    'backbone.lateral_conv0.': 'neck.reduce_layers.0.',
    'backbone.reduce_conv1.': 'neck.reduce_layers.1.',
    'backbone.C3_p4.': 'neck.top_down_blocks.0.',
    'backbone.C3_p3.': 'neck.top_down_blocks.1.',
    'backbone.bu_conv2.': 'neck.downsamples.0.',
    'backbone.bu_conv1.': 'neck.downsamples.1.',
    'backbone.C3_n3.': 'neck.bottom_up_blocks.0.',
    'backbone.C3_n4.': 'neck.bottom_up_blocks.1.',
    'head.stems.': 'neck.out_convs.',
    'head.cls_convs.': 'bbox_head.multi_level_cls_convs.',
    'head.reg_convs.': 'bbox_head.multi_level_reg_convs.',
    'head.cls_preds.': 'bbox_head.multi_level_conv_cls.',
    'head.reg_preds.': 'bbox_head.multi_level_conv_reg.',
    'head.obj_preds.': 'bbox_head.multi_level_conv_obj.',
}
# Layers of three convolutions and bottlenecks (CSP).
_CSP = re.compile(r'^(backbone\.stage[123]\.1|backbone\.stage4\.2|neck\.(?:top_down|bottom_up)_blocks\.\d)\.')
_CSP_LAYERS = {'conv1': 'main_conv', 'conv2': 'short_conv', 'conv3': 'final_conv', 'm': 'blocks'}
# By the channels of the stem and the bottlenecks of the first stage.
_SIZES = {
    (16, 1): 'nano',
    (24, 1): 'tiny',
    (32, 1): 's',
    (48, 2): 'm',
    (64, 3): 'l',
    (80, 4): 'x',
}


def read_yolox(path: str | os.PathLike, allow_unsafe: bool = False) -> dict[str, Tensor]:
    """Read the weights of a file of Megvii's trainer.

    Raises:
        ValueError: It is no file of torch, or holds no weights.
        mmforecast.fileio.CheckpointError: It could run code, or it is broken.
        FileNotFoundError: There is no such file.
    """
    if file_kind(path) != 'torch':
        raise ValueError(f"{path} is no file of torch, as Megvii's .pth files are")
    content = load_checkpoint(os.fspath(path), map_location='cpu', allow_unsafe=allow_unsafe)
    weights = content.get('model', content) if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping) or not any(map(torch.is_tensor, weights.values())):
        raise ValueError(f"{path} holds no weights: expected them in its entry 'model'")
    return {str(name): value for name, value in weights.items() if torch.is_tensor(value)}


def yolox_to_mmdet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name weights as mmdet's YOLOX does; their values, also of the batch norms, stay.

    Args:
        state: As of :func:`read_yolox`.

    Raises:
        ValueError: A weight is not one of a YOLOX with the CSP backbone, or the batch norms are folded into
            the convolutions.
    """
    converted = {_our_name(name): value for name, value in state.items()}
    folded = [name for name in converted if name.endswith('.conv.bias')]
    if folded:
        raise ValueError(
            f'the batch norms are folded into the convolutions ({folded[0]}): take the file that was trained, '
            'not one made for deployment'
        )
    return converted


def yolox_config(state: Mapping[str, Tensor]) -> str | None:
    """The name of mmdet's config of these weights, by their sizes; None if it has none.

    Args:
        state: Under mmdet's names.
    """
    width = state['backbone.stem.conv.conv.weight'].shape[0]
    depth = sum(name.endswith('.conv1.conv.weight') for name in state if name.startswith('backbone.stage1.1.'))
    size = _SIZES.get((width, depth))
    depthwise = any('.depthwise_conv.' in name for name in state)
    num_classes = state['bbox_head.multi_level_conv_cls.0.weight'].shape[0]
    if size is None or depthwise != (size == 'nano') or num_classes != 80:
        return None
    return f'yolox_{size}_8xb8-300e_coco'


def _our_name(name: str) -> str:
    plain = name.removeprefix('module.')
    theirs = next((start for start in _PARTS if plain.startswith(start)), None)
    if theirs is None:
        raise ValueError(
            f"{name} is no weight of Megvii's YOLOX with the CSP backbone (nano, tiny, s, m, l, x); its YOLOX "
            'with Darknet53 has no counterpart in mmdet'
        )
    new = _PARTS[theirs] + plain[len(theirs) :]
    csp = _CSP.match(new)
    if csp is not None:
        layer, _, rest = new[csp.end() :].partition('.')
        new = f'{csp[0]}{_CSP_LAYERS.get(layer, layer)}.{rest}'
    return new.replace('.dconv.', '.depthwise_conv.').replace('.pconv.', '.pointwise_conv.')
