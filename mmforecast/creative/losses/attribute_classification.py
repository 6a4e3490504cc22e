"""Classification of attributes, some of whose labels are missing."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from mmforecast.creative import MISSING_LABEL
from mmforecast.registry import MODELS

from .auxiliary import AuxiliaryLoss


def attribute_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the labeled images of a batch; exactly 0, with a graph, if none is.

    Args:
        logits: (B, K).
        labels: (B,) int64 in 0..K-1, -1 where missing.
    """
    classes = logits.shape[1]
    if labels.numel() and (labels.max() >= classes or labels.min() < MISSING_LABEL):
        raise ValueError(
            f'labels must lie in 0..{classes - 1}, or be {MISSING_LABEL} where missing, got '
            f'{labels.min().item()}..{labels.max().item()}; give the discriminator as many classes as the '
            'data has'
        )
    if (labels == MISSING_LABEL).all():
        return logits.sum() * 0
    return F.cross_entropy(logits, labels, ignore_index=MISSING_LABEL)


@MODELS.register_module()
class AttributeClassificationLoss(AuxiliaryLoss):
    """Sum over attributes of :func:`attribute_cross_entropy`.

    As the discriminator's loss it sees real images alone, as in DeSIGN: generated ones have no class to be
    told from. With ``data_info=dict(logits='cls_pred_fake_g', labels='fake_labels')`` it is a generator's,
    which is to generate the class that it was asked for.

    Args:
        branches: attributes; None for all that the discriminator has.
        kwargs: See ``AuxiliaryLoss``. ``compute`` takes ``logits``, (B, K) by attribute, and ``labels``,
            (B,) by attribute.
    """

    default_data_info = dict(logits='cls_pred_real', labels='gt_labels')
    default_name = 'loss_class'

    def __init__(self, branches: Sequence[str] | None = None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(branches, str):
            raise ValueError(
                "AttributeClassificationLoss: branches must be a sequence of attributes such as ('shape',), "
                f'or None for all, got {branches!r}'
            )
        self.branches = None if branches is None else tuple(branches)

    def compute(self, logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
        branches = tuple(logits) if self.branches is None else self.branches
        if not branches:
            raise ValueError(
                'AttributeClassificationLoss needs a discriminator with attributes, e.g. '
                'attributes=dict(shape=7); this one has none'
            )
        losses = []
        for name in branches:
            for what, having in (
                ('discriminator classifies', logits),
                ('data has labels of', labels),
            ):
                if name not in having:
                    raise ValueError(
                        f'AttributeClassificationLoss: the {what} {sorted(having) or "nothing"}, not '
                        f'{name!r}; set branches, or attributes of the discriminator'
                    )
            losses.append(attribute_cross_entropy(logits[name], labels[name]))
        return sum(losses)
