"""The released networks of F2F (Luc et al., ECCV 2018, arXiv 1803.11496) as weights of F2FPredictor.

A file holds the networks of one or several pyramid levels, each of one or several scales, each of
seven convolutions ``<prefix>.conv1`` to ``<prefix>.conv7``. The prefixes differ between files, so the
networks are told apart by them and recognized by their sizes: the first convolution of the coarsest
scale sees ``num_past * channels`` channels, that of a finer scale ``channels`` more, for the coarser
guess. The levels come P5 to P2, each with its coarsest scale first.
"""

import os
import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmforecast.fileio import load_checkpoint

from .files import file_kind

__all__ = ['f2f_to_neck', 'read_f2f']

LEVELS = ('P2', 'P3', 'P4', 'P5')

_KEY = re.compile(r'^(?:(?P<prefix>.*)\.)?conv(?P<number>\d+)\.(?P<part>weight|bias)$')
_KERNELS = (1, 3, 3, 3, 3, 3, 7)
_BLOB_LEVELS = dict(zip(('res2_2_sum', 'res3_3_sum', 'res4_5_sum', 'res5_2_sum'), LEVELS))
_EXPECTED = "networks of seven convolutions, '<prefix>.conv1.weight' to '<prefix>.conv7.bias'"

Network = list[tuple[Tensor, Tensor]]  # weight and bias of each convolution


def read_f2f(path: str | os.PathLike, allow_unsafe: bool = False) -> dict[str, Tensor]:
    """Read the tensors of a ``.net`` file, in the file's order, also from within one dict in it.

    Raises:
        ValueError: It is no file of tensors.
        mmforecast.engine.CheckpointError: It could run code, or it is broken.
        FileNotFoundError: There is no such file.
    """
    if file_kind(path) != 'torch':
        raise ValueError(
            f"{path} is no file of torch, as the F2F authors' .net files are; the weights of their "
            'detector, a Detectron .pkl, go to tools/model_converters/detectron_mask_rcnn.py'
        )
    content = load_checkpoint(os.fspath(path), map_location='cpu', allow_unsafe=allow_unsafe)
    candidates = [content, *(content.values() if isinstance(content, Mapping) else ())]
    for candidate in candidates:
        if isinstance(candidate, Mapping) and any(map(torch.is_tensor, candidate.values())):
            return {str(name): v for name, v in candidate.items() if torch.is_tensor(v)}
    raise ValueError(f'{path} holds no named tensors: expected {_EXPECTED}')


def f2f_to_neck(state: Mapping[str, Tensor], levels: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Name the weights of one or several levels as F2FPredictor does.

    Args:
        state: In the file's order.
        levels: Pyramid levels of the file, such as ('P5', 'P2'), in its order. By default they are
            taken from the names (``fpn_res5_2_sum``), where these tell, or from the number: four are
            P5 to P2; of a single level the name doesn't matter.

    Returns:
        ``nets.<level>.scales.<s>.<i>.conv.{weight,bias}``: level 0 is the finest of the file, s = 0
        the finest scale, i = 0..6 the convolutions. All else (channels, frames, widths) is in the
        shapes.

    Raises:
        ValueError: There are no such networks, they don't fit together, or their levels can't be
            told.
    """
    networks = _networks(state)
    by_level = _by_level(networks)
    names = _level_names([[prefix for prefix, _ in group] for group in by_level], levels)
    converted = {}
    ordered = sorted(zip(names, by_level), key=lambda pair: pair[0])
    for level, (_, group) in enumerate(ordered):
        for scale, (_, network) in enumerate(reversed(group)):  # the file has the coarsest first
            for number, (weight, bias) in enumerate(network):
                stem = f'nets.{level}.scales.{scale}.{number}.conv'
                converted[f'{stem}.weight'], converted[f'{stem}.bias'] = weight, bias
    return converted


def _networks(state: Mapping[str, Tensor]) -> dict[str, Network]:
    """The networks by prefix, in the order in which they appear."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        match = _KEY.match(name)
        if match is None:
            raise ValueError(f"'{name}' is no weight of F2F: expected {_EXPECTED}")
        network = found.setdefault(match['prefix'] or '', {})
        network[f'conv{match["number"]}.{match["part"]}'] = value
    return {prefix: _convolutions(prefix, parts) for prefix, parts in found.items()}


def _convolutions(prefix: str, parts: Mapping[str, Tensor]) -> Network:
    expected = [f'conv{number}.{part}' for number in range(1, 8) for part in ('weight', 'bias')]
    if sorted(parts) != sorted(expected):
        odd = ', '.join(sorted(set(expected) ^ set(parts)))
        raise ValueError(
            f"The network '{prefix}' has other layers than F2F's conv1 to conv7: {odd} missing or too many"
        )
    network = [(parts[f'conv{n}.weight'], parts[f'conv{n}.bias']) for n in range(1, 8)]
    before = None
    for number, (kernel, (weight, bias)) in enumerate(zip(_KERNELS, network), start=1):
        channels = before if before is not None else weight.shape[1]
        before = weight.shape[0]
        shape = (before, channels, kernel, kernel)
        if tuple(weight.shape) != shape or tuple(bias.shape) != (before,):
            raise ValueError(
                f"conv{number} of the network '{prefix}' is {tuple(weight.shape)} with a bias "
                f'{tuple(bias.shape)}, but F2F has {shape} with a bias {(before,)} there'
            )
    return network


def _by_level(networks: Mapping[str, Network]) -> list[list[tuple[str, Network]]]:
    """The networks of each level, coarsest first, in the order of the file."""
    channels = {network[-1][0].shape[0] for network in networks.values()}
    inputs = [network[0][0].shape[1] for network in networks.values()]
    (width,) = channels if len(channels) == 1 else (0,)
    coarse = min(inputs, default=0)
    if not width or coarse % width or set(inputs) - {coarse, coarse + width}:
        raise ValueError(
            f'The {len(networks)} networks see {inputs} channels and predict {sorted(channels)}, but '
            "in F2F all predict one number c, a level's coarsest sees num_past * c, and its finer "
            'ones c more'
        )
    levels: list[list[tuple[str, Network]]] = []
    for (prefix, network), seen in zip(networks.items(), inputs):
        if seen == coarse:
            levels.append([])
        elif not levels:
            raise ValueError(
                f"The file starts with '{prefix}', a finer scale ({seen} input channels), but a "
                f"level's coarsest ({coarse}) comes first in F2F"
            )
        levels[-1].append((prefix, network))
    return levels


def _level_names(prefixes: list[list[str]], given: Sequence[str] | None) -> list[str]:
    scales = [len(group) for group in prefixes]
    found = f'the file has {len(scales)} levels of {scales} scales'
    if given is not None:
        names = list(given)
        if len(names) != len(scales) or len(set(names)) != len(names) or set(names) - set(LEVELS):
            raise ValueError(
                f'levels must name each level of the file once, of {", ".join(LEVELS)}, got '
                f'{" ".join(names)}, but {found}'
            )
        return names
    said = [{level for blob, level in _BLOB_LEVELS.items() if blob in ' '.join(g)} for g in prefixes]
    names = [level for group in said for level in group]
    if all(len(group) == 1 for group in said) and len(set(names)) == len(names):
        return names
    if len(scales) == 1:
        return [LEVELS[0]]
    if len(scales) == len(LEVELS) and max(scales[:-1]) == 1:
        return list(reversed(LEVELS))
    raise ValueError(
        f'{found[0].upper()}{found[1:]}, where four with only the last (P2) of several are expected: '
        'name them in the order of the file, such as levels P5 P4 (--levels of the tool)'
    )
