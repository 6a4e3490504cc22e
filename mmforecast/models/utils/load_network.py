"""Loading the weights of a network that is part of a model."""

import os

import torch.nn as nn

from mmforecast.fileio import CheckpointError, load_checkpoint


def decides(name: str) -> bool:
    """Whether a network in eval mode depends on an entry of its state; files of old versions lack this one."""
    return not name.endswith('num_batches_tracked')


def weights_to_train(model: nn.Module) -> list[str]:
    """Names of weights that are neither frozen nor loaded by a part from its own ``checkpoint``."""
    parts = (name for name, part in model.named_modules() if getattr(part, 'checkpoint', None))
    loaded = tuple(name and f'{name}.' for name in parts)
    return [
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad and not name.startswith(loaded)
    ]


def load_network(network: nn.Module, checkpoint: str, prefix: str = '') -> None:
    """Load all weights of ``network`` from a checkpoint; weights that it has besides are ignored.

    Args:
        network: Where they are loaded.
        checkpoint: Path or address.
        prefix: Of the network's weights in the checkpoint, as in 'detector.'.

    Raises:
        CheckpointError: Weights are missing, or have other shapes.
        FileNotFoundError: There is no such file.
    """
    name = type(network).__name__
    try:
        loaded = load_checkpoint(checkpoint, map_location='cpu')
    except FileNotFoundError as error:
        if '://' in checkpoint:
            raise
        raise FileNotFoundError(
            f'there is no file {os.path.abspath(checkpoint)} with the weights of {name}: train it first, or '
            'set `checkpoint` to where they are'
        ) from error
    plain = {name.removeprefix('module.'): value for name, value in loaded.get('state_dict', loaded).items()}
    state = {name[len(prefix) :]: value for name, value in plain.items() if name.startswith(prefix)}
    advice = 'take the config that it was trained with'
    try:
        absent = network.load_state_dict(state, strict=False).missing_keys
    except RuntimeError as error:
        raise CheckpointError(
            f'{checkpoint} does not fit this {name}: {_first_line(error)}; {advice}'
        ) from error
    missing = [key for key in absent if decides(key)]
    if missing:
        more = f' and {len(missing) - 3} more' if len(missing) > 3 else ''
        raise CheckpointError(
            f'{checkpoint} is not a checkpoint of this {name}: it lacks {", ".join(missing[:3])}{more}; '
            f'{advice}'
        )
    meta = loaded.get('meta') or {}
    # mmdet 2 and mmseg 0, which most files of the zoos are of, wrote CLASSES and PALETTE.
    old = {key.lower(): meta[key] for key in ('CLASSES', 'PALETTE') if meta.get(key)}
    known = meta.get('dataset_meta') or old
    if isinstance(known, dict) and known:
        network.dataset_meta = known


def _first_line(error: Exception) -> str:
    """What torch says of the first weight that does not fit."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line.rstrip('.') for line in lines[1:] if line), lines[0])
