"""Comparison of a checkpoint with the model that is to load it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from .checkpoint import CheckpointError

__all__ = ['Match', 'match_state_dict', 'require_match']


@dataclass(frozen=True)
class Match:
    """How a checkpoint's weights fit a model's; lists are in the order of their owner.

    Attributes:
        trainable: Names of the model's trainable parameters; all its entries, where none is
            trainable.
        found: Those of them that the checkpoint has in the same shape.
        missing: Those of them that it doesn't have.
        reshaped: Those of them that it has in another shape, as 'name (theirs instead of ours)'.
        unexpected: Names in the checkpoint that the model doesn't have.
    """

    trainable: list[str]
    found: list[str]
    missing: list[str]
    reshaped: list[str]
    unexpected: list[str]

    @property
    def share(self) -> float:
        """Found of trainable, in [0, 1]; 1 for a model without any weights."""
        return len(self.found) / len(self.trainable) if self.trainable else 1.0

    def __str__(self) -> str:
        parts = [f'{len(self.found)} of {len(self.trainable)} trainable weights of the model are in it']
        for name, entries in (
            ('missing', self.missing),
            ('of another shape', self.reshaped),
            ('unknown to the model', self.unexpected),
        ):
            if entries:
                more = f' and {len(entries) - 3} more' if len(entries) > 3 else ''
                parts.append(f'{name}: {", ".join(entries[:3])}{more}')
        return '; '.join(parts)


def match_state_dict(model: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> Match:
    """Compare a ``state_dict`` with that of ``model``; a leading 'module.' of DDP is ignored."""
    theirs = {_without_ddp(name): value for name, value in state_dict.items()}
    ours = model.state_dict()
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad] or list(ours)
    same = {name for name in ours if name in theirs and theirs[name].shape == ours[name].shape}
    return Match(
        trainable=trainable,
        found=[name for name in trainable if name in same],
        missing=[name for name in trainable if name not in theirs],
        reshaped=[
            f'{name} ({tuple(theirs[name].shape)} instead of {tuple(ours[name].shape)})'
            for name in trainable
            if name in theirs and name not in same
        ],
        unexpected=[name for name in theirs if name not in ours],
    )


def require_match(
    model: nn.Module, checkpoint: dict, min_matched: float, may_lack: Collection[str] = ()
) -> Match:
    """Refuse a checkpoint of another model.

    Args:
        model: Where the checkpoint is to be loaded.
        checkpoint: With a 'state_dict', or itself one.
        min_matched: Least share of the model's trainable weights that the checkpoint must hold.
        may_lack: Parts of the model that count only if the checkpoint has some of their weights.

    Raises:
        CheckpointError: It holds fewer, or no weights at all.
    """
    state_dict = checkpoint.get('state_dict', checkpoint)
    if not all(torch.is_tensor(value) for value in state_dict.values()):
        raise CheckpointError(
            "The checkpoint has no 'state_dict' of weights; take one that a training run wrote"
        )
    match = match_state_dict(model, state_dict)
    lacking = [part for part in may_lack if not _has_part(state_dict, part)]
    counted = [name for name in match.trainable if not _in_parts(name, lacking)]
    share = len(match.found) / len(counted) if counted else match.share
    if share < min_matched:
        raise CheckpointError(
            f'The checkpoint is of another model: only {match}. Take the config that it was '
            'trained with; to start only a part of the model from it, give that part '
            "init_cfg=dict(type='Pretrained', checkpoint=..., prefix=...)"
        )
    return match


def _without_ddp(name: str) -> str:
    return name.removeprefix('module.')


def _has_part(state_dict: Mapping[str, torch.Tensor], part: str) -> bool:
    return any(_in_parts(_without_ddp(name), [part]) for name in state_dict)


def _in_parts(name: str, parts: Collection[str]) -> bool:
    return any(name.startswith(f'{part}.') for part in parts)
