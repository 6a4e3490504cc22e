"""Conditions of a generator: none, a class of one attribute, a shape, or a mix of classes."""

import torch
from torch import Tensor, nn

from mmforecast.creative import MISSING_LABEL, CreativeDataSample

from .mixes import one_hot_mix

Samples = list[CreativeDataSample]


class Condition:
    """Reads ``condition``: None, 'label:<attribute>', 'mask' or 'mix'; and takes it from data.

    Args:
        condition: As the user wrote it.
        generator, discriminator: Must agree with it.

    Attributes:
        kind: None, 'label', 'mask' or 'mix'.
        attribute: That labels are of.
        attributes: Classes by attribute that are mixed; {} for other kinds.
        num_classes: Of the attribute of labels; of each attribute that is mixed; or None.
    """

    def __init__(self, condition: str | None, generator: nn.Module, discriminator: nn.Module):
        kind, _, attribute = (condition or '').partition(':')
        if kind not in ('', 'label', 'mask', 'mix') or (kind == 'label') != bool(attribute):
            raise ValueError(
                f"CreativeGAN: condition must be None, 'label:<attribute>', 'mask' or 'mix', got {condition!r}"
            )
        self.kind, self.attribute = kind or None, attribute or None
        if generator.condition_kind != self.kind:
            raise ValueError(
                f'CreativeGAN: condition={condition!r}, but {type(generator).__name__} takes '
                f'{generator.condition_kind or "none"}; set condition, or num_classes of a '
                'DCGANGenerator, or take a MaskStyleGenerator or a GarmentGenerator'
            )
        if discriminator.disc_sees_mask and self.kind != 'mask':
            raise ValueError(f"CreativeGAN: disc_sees_mask=True needs condition='mask', got {condition!r}")
        self.attributes = dict(generator.attributes) if self.kind == 'mix' else {}
        self.num_classes = tuple(self.attributes.values()) or generator.num_classes
        for name, classes in self.attributes.items():
            if discriminator.attributes.get(name) != classes:
                raise ValueError(
                    f'CreativeGAN: the generator mixes {classes} classes of {name!r}, but the discriminator '
                    f'has attributes {discriminator.attributes}'
                )
        known = discriminator.attributes.get(self.attribute)
        if self.kind == 'label' and known != self.num_classes:
            raise ValueError(
                f'CreativeGAN: condition={condition!r} with num_classes={self.num_classes} of the '
                f'generator needs attributes=dict({attribute}={self.num_classes}) of the '
                f'discriminator, which has {discriminator.attributes}'
            )

    def labels(self, samples: Samples | None, drawn: Tensor) -> Tensor:
        """(B,) labels of the samples; those that are missing are taken from ``drawn``."""
        return self._known(samples, self.attribute, drawn)

    def mixed_labels(self, samples: Samples | None, drawn: Tensor) -> dict[str, Tensor]:
        """(B,) labels by attribute that is mixed; those that are missing are taken from ``drawn``, (B, A)."""
        columns = zip(self.attributes, drawn.unbind(1), strict=True)
        return {name: self._known(samples, name, column) for name, column in columns}

    def pure_mix(self, samples: Samples | None, drawn: Tensor) -> Tensor:
        """The mix (B, sum of classes) of the samples' own classes."""
        return one_hot_mix(list(self.mixed_labels(samples, drawn).values()), self.attributes)

    @staticmethod
    def _known(samples: Samples | None, attribute: str, drawn: Tensor) -> Tensor:
        known = collect_labels(samples, drawn.device)
        if attribute not in known:
            raise ValueError(
                f'the condition is a label of {attribute!r}, but the data has labels of '
                f'{sorted(known) or "nothing"}'
            )
        given = known[attribute]
        return torch.where(given == MISSING_LABEL, drawn, given)

    def masks(self, samples: Samples | None) -> Tensor:
        """(B, 1, H, W) bool masks of the samples."""
        masks = [sample.get('gt_mask') for sample in samples or []]
        if not masks or any(mask is None for mask in masks):
            without = [s.get('img_path') for s, mask in zip(samples or [], masks) if mask is None]
            raise ValueError(
                "condition='mask', or a mask_share, needs gt_mask in every data sample, but it is missing "
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
