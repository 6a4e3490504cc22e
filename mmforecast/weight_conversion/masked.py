"""The released weights of FUTURIST and DINO-Foresight under the names of our transformers.

Both are checkpoints of Lightning, ``dict(state_dict=...)``, and share the names of the transformer. A layer's
parts are numbered: attention over time, attention over space, MLP.
"""

import os
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmforecast.fileio import load_checkpoint

__all__ = ['dino_foresight_to_forecaster', 'dpt_to_segmentor', 'futurist_to_predictor', 'read_lightning']

_PARTS = ('time', 'space', 'mlp')
_LAYER = re.compile(r'^maskvit\.transformer\.layers\.(\d+)\.([012])\.(norm|fn\.mha|fn\.net)\.(.+)$')
_SHARED = {
    'maskvit.pos_embd.emb.d_0': 'transformer.positions.time',
    'maskvit.pos_embd.emb.d_1': 'transformer.positions.rows',
    'maskvit.pos_embd.emb.d_2': 'transformer.positions.columns',
    'maskvit.fc_out.weight': 'transformer.out.weight',
    'maskvit.fc_out.bias': 'transformer.out.bias',
}
_LABELS = {
    'emb_s.weight': 'planes.0.table',
    'emb_d.weight': 'planes.1.table',
    'bias_s': 'planes.0.bias',
    'bias_d': 'planes.1.bias',
    'embed_segm.weight': 'planes.0.embed.weight',
    'embed_segm.bias': 'planes.0.embed.bias',
    'embed_depth.weight': 'planes.1.embed.weight',
    'embed_depth.bias': 'planes.1.embed.bias',
    'replace_vector_segm': 'planes.0.replacement',
    'replace_vector_depth': 'planes.1.replacement',
}
_FEATURES = {
    'embed.weight': 'predictor.embed.weight',
    'embed.bias': 'predictor.embed.bias',
    'replace_vector': 'predictor.replacement',
    'mean': 'encoder.standardizers.0.mean',
    'std': 'encoder.standardizers.0.std',
    'pca_mean': 'encoder.standardizers.0.center',
    'pca_components': 'encoder.standardizers.0.components',
}
_UNUSED = re.compile(r'^(color_per_class$|dino_v2\.)')
_HEAD = re.compile(
    r'^scratch\.(?:layer(?P<level>[1-4])_rn|refinenet(?P<block>[1-4])\.(?P<part>.+)|output_conv\.(?P<out>\d))'
    r'\.(?P<rest>\w+)$'
)
_UNITS = dict(resConfUnit1='skip', resConfUnit2='unit')
_UNIT_LAYERS = dict(conv1=1, bn1=2, conv2=4, bn2=5)
_OUTPUT = {'0': 'decode_head.convs.0.conv', '1': 'decode_head.convs.0.bn', '4': 'decode_head.conv_seg'}


def read_lightning(path: str | os.PathLike, allow_unsafe: bool = False) -> dict[str, Tensor]:
    """Read the weights of a checkpoint of Lightning.

    Args:
        path: Of the file.
        allow_unsafe: Read it even if it could run code.

    Raises:
        ValueError: It holds no weights.
    """
    content = load_checkpoint(os.fspath(path), map_location='cpu', allow_unsafe=allow_unsafe)
    state = content.get('state_dict', content) if isinstance(content, Mapping) else {}
    tensors = {str(name): value for name, value in state.items() if torch.is_tensor(value)}
    if not tensors:
        raise ValueError(f"{path} holds no named tensors; expected a Lightning checkpoint's state_dict")
    return tensors


def futurist_to_predictor(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of FUTURIST as ``MaskedLabelTransformer`` does.

    Args:
        state: Of ``futurist.ckpt``.

    Raises:
        ValueError: A name is not known, or a part is missing.
    """
    converted = _converted(state, {**_LABELS, **_SHARED}, 'FUTURIST', '')
    return {name: value.flatten() if 'replacement' in name else value for name, value in converted.items()}


def dino_foresight_to_forecaster(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of DINO-Foresight as a forecaster with ``MaskedFeatureTransformer`` does.

    The vision transformer, which the file may hold too, is left out.

    Args:
        state: Of ``dinof_lowres.ckpt`` or ``dinof_highres.ckpt``.

    Returns:
        ``predictor.*``, and ``encoder.standardizers.0.*`` of ``ViTFeatureEncoder`` where the file has them.

    Raises:
        ValueError: A name is not known, or a part is missing.
    """
    shared = {name: f'predictor.{ours}' for name, ours in _SHARED.items()}
    converted = _converted(state, {**_FEATURES, **shared}, 'DINO-Foresight', 'predictor.')
    vectors = ('replacement', '.mean', '.std', '.center')
    return {name: value.flatten() if name.endswith(vectors) else value for name, value in converted.items()}


def _converted(
    state: Mapping[str, Tensor], names: Mapping[str, str], system: str, prefix: str
) -> dict[str, Tensor]:
    converted = {}
    for name, value in state.items():
        if _UNUSED.match(name):
            continue
        match = _LAYER.match(name)
        if match is not None:
            layer, part, kind, rest = match.groups()
            ours = _PARTS[int(part)] + ('_norm' if kind == 'norm' else '')
            converted[f'{prefix}transformer.layers.{layer}.{ours}.{rest}'] = value
        elif name in names:
            converted[names[name]] = value
        else:
            raise ValueError(f"'{name}' is no weight of {system}; is it the checkpoint of another model?")
    missing = [name for name in _SHARED if not any(name == theirs for theirs in state)]
    if missing:
        raise ValueError(f'the file lacks {", ".join(missing)} of {system}; is it whole?')
    return converted


def dpt_to_segmentor(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of a released DPT head as neck and head of a segmentor (``DPTNeck``, ``FCNHead``).

    Args:
        state: With the names ``projects.*``, ``resize_layers.*`` and ``scratch.*``, or all of them after
            ``head.``; all else is left out.

    Raises:
        ValueError: There is no such head, or one of its names is not known.
    """
    prefix = 'head.' if any(name.startswith('head.') for name in state) else ''
    converted = {}
    for name, value in state.items():
        own = name.removeprefix(prefix)
        if not name.startswith(prefix) or not own.startswith(('projects.', 'resize_layers.', 'scratch.')):
            continue
        converted[_head_name(own)] = value
    if not converted:
        raise ValueError('there is no DPT head: expected projects.*, resize_layers.* and scratch.*')
    return converted


def _head_name(name: str) -> str:
    if name.startswith('projects.'):
        return f'neck.{name}'
    if name.startswith('resize_layers.'):
        return f'neck.resizes.{name.removeprefix("resize_layers.")}'
    match = _HEAD.match(name)
    if match is not None and match['level']:
        return f'neck.reduces.{int(match["level"]) - 1}.{match["rest"]}'
    if match is not None and match['out'] in _OUTPUT:
        return f'{_OUTPUT[match["out"]]}.{match["rest"]}'
    if match is not None and match['block']:
        stem = f'neck.fusions.{int(match["block"]) - 1}'
        unit, _, layer = match['part'].partition('.')
        if unit == 'out_conv':
            return f'{stem}.out.{match["rest"]}'
        if unit in _UNITS and layer in _UNIT_LAYERS:
            return f'{stem}.{_UNITS[unit]}.layers.{_UNIT_LAYERS[layer]}.{match["rest"]}'
    raise ValueError(f"'{name}' is no weight of the DPT head; is it the checkpoint of another head?")
