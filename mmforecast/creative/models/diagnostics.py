"""Scalars that show a GAN's collapse while it trains. None of them has 'loss' in its name."""

import torch
from torch import Tensor

from mmforecast.creative import MISSING_LABEL
from mmforecast.creative.losses.deviation import normalized_entropy
from mmforecast.models.utils.adversarial import real_fake_scalars


@torch.no_grad()
def discriminator_scalars(
    real: Tensor, fake: Tensor, classes: dict[str, Tensor], labels: dict[str, Tensor]
) -> dict[str, Tensor]:
    """What the discriminator says.

    Args:
        real, fake: (B, 1) logits.
        classes: (B, K) logits of real images, by attribute.
        labels: (B,) by attribute, -1 where missing.

    Returns:
        ``d_real`` and ``d_fake``, mean sigmoids; ``d_accuracy``, the share of images, real and generated, that
        are on the right side of 0; ``accuracy_<attribute>`` over labeled images, left out where there are
        none.
    """
    scalars = real_fake_scalars(real, fake)
    for name, logits in classes.items():
        known = labels[name] != MISSING_LABEL if name in labels else torch.zeros(len(logits)).bool()
        if known.any():
            right = logits[known].argmax(1) == labels[name][known]
            scalars[f'accuracy_{name}'] = right.float().mean()
    return scalars


@torch.no_grad()
def generator_scalars(fake: Tensor, real: Tensor, classes: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the generator makes.

    Args:
        fake, real: Images (B, C, H, W) in [-1, 1].
        classes: (B, K) logits of generated images, by attribute.

    Returns:
        ``entropy_<attribute>`` in [0, 1], the mean of :func:`normalized_entropy`; ``nn_distance``, the mean
        distance of a generated image to the nearest of the real ones in the batch, as root mean square over
        pixels; ``diversity``, the mean distance between two generated images over that between two real ones:
        near 0 where all are alike, left out where a batch has no two.
    """
    scalars = {f'entropy_{name}': normalized_entropy(x).mean() for name, x in classes.items()}
    fake, real = fake.flatten(1).float(), real.flatten(1).float()
    scalars['nn_distance'] = torch.cdist(fake, real).amin(1).mean() / real.shape[1] ** 0.5
    if min(len(fake), len(real)) > 1:
        spread = torch.pdist(real).mean().clamp(min=1e-6)
        scalars['diversity'] = torch.pdist(fake).mean() / spread
    return scalars
