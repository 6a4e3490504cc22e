"""Conditions of a generator: none, a class of one attribute, or a shape."""

import torch
from torch import Tensor, nn

from mmforecast.creative import MISSING_LABEL, CreativeDataSample

Samples = list[CreativeDataSample]


class Condition:
    """Reads ``condition``: None, 'label:<attribute>' or 'mask'; and takes it from data.

    Args:
        condition: As the user wrote it.
        generator, discriminator: Must agree with it.

    Attributes:
        kind: None, 'label' or 'mask'.
        attribute: That labels are of.
    """

    def __init__(self, condition: str | None, generator: nn.Module, discriminator: nn.Module):
        kind, _, attribute = (condition or '').partition(':')
        if kind not in ('', 'label', 'mask') or (kind == 'label') != bool(attribute):
            raise ValueError(
                f"CreativeGAN: condition must be None, 'label:<attribute>' or 'mask', got {condition!r}"
            )
        self.kind, self.attribute = kind or None, attribute or None
        if generator.condition_kind != self.kind:
            raise ValueError(
                f'CreativeGAN: condition={condition!r}, but {type(generator).__name__} takes '
                f'{generator.condition_kind or "none"}; set condition, or num_classes of a '
                'DCGANGenerator, or take a MaskStyleGenerator'
            )
        if discriminator.disc_sees_mask and self.kind != 'mask':
            raise ValueError(f"CreativeGAN: disc_sees_mask=True needs condition='mask', got {condition!r}")
        self.num_classes = generator.num_classes
        known = discriminator.attributes.get(self.attribute)
        if self.kind == 'label' and known != self.num_classes:
            raise ValueError(
                f'CreativeGAN: condition={condition!r} with num_classes={self.num_classes} of the '
                f'generator needs attributes=dict({attribute}={self.num_classes}) of the '
                f'discriminator, which has {discriminator.attributes}'
            )

    def labels(self, samples: Samples | None, drawn: Tensor) -> Tensor:
        """(B,) labels of the samples; those that are missing are taken from ``drawn``."""
        known = collect_labels(samples, drawn.device)
        if self.attribute not in known:
            raise ValueError(
                f'the condition is a label of {self.attribute!r}, but the data has labels of '
                f'{sorted(known) or "nothing"}'
            )
        given = known[self.attribute]
        return torch.where(given == MISSING_LABEL, drawn, given)

    def masks(self, samples: Samples | None) -> Tensor:
        """(B, 1, H, W) bool masks of the samples."""
        masks = [sample.get('gt_mask') for sample in samples or []]
        if not masks or any(mask is None for mask in masks):
            without = [s.get('img_path') for s, mask in zip(samples or [], masks) if mask is None]
            raise ValueError(
                "condition='mask' needs gt_mask in every data sample, but it is missing "
                f'{f"of {without[0]}" if without else "in all"}; load or make masks in the pipeline'
            )
        return torch.stack(masks)


def collect_labels(samples: Samples | None, device: torch.device) -> dict[str, Tensor]:
    """(B,) int64 labels by attribute, -1 where a sample has none; only attributes that some sample knows."""
    labels = [sample.get('gt_labels') or {} for sample in samples or []]
    names = {name: None for given in labels for name in given}
    return {
        name: torch.tensor([given.get(name, MISSING_LABEL) for given in labels], device=device)
        for name in names
    }
