"""The generator's reward for images whose classes are mixed as asked."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS

from .auxiliary import AuxiliaryLoss


@MODELS.register_module()
class AttributeMixLoss(AuxiliaryLoss):
    """Sum over attributes of the cross-entropy ``-sum_k m_k log p_k`` to the mix m that was asked for.

    For a single class it is the loss of an AC-GAN's generator; for the uniform mix it is exactly
    :func:`~mmforecast.creative.losses.holistic_loss`, CAN(H). So one generator learns all degrees between.

    Args:
        branches: Attributes; None for all that are mixed.
        kwargs: See ``AuxiliaryLoss``. ``compute`` takes ``logits`` and ``mixes``, (B, K) by attribute.
    """

    default_data_info = dict(logits='cls_pred_fake_g', mixes='mixes')
    default_name = 'loss_mix'

    def __init__(self, branches: Sequence[str] | None = None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(branches, str) or (branches is not None and not branches):
            raise ValueError(
                "AttributeMixLoss: branches must be a sequence of attributes such as ('shape',), or None for "
                f'all, got {branches!r}'
            )
        self.branches = None if branches is None else tuple(branches)

    def compute(self, logits: dict[str, Tensor], mixes: dict[str, Tensor]) -> Tensor:
        if not mixes:
            raise ValueError("AttributeMixLoss needs a generator that is asked for mixes: condition='mix'")
        branches = tuple(mixes) if self.branches is None else self.branches
        unknown = [name for name in branches if name not in logits or name not in mixes]
        if unknown:
            raise ValueError(
                f'AttributeMixLoss: {unknown} must be both classified by the discriminator, which has '
                f'{sorted(logits)}, and mixed by the generator, which has {sorted(mixes)}'
            )
        return sum(F.cross_entropy(logits[name], mixes[name]) for name in branches)
