"""The same random changes for real and for generated images, with gradients through them.

Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020: on few images a
discriminator learns them by heart, unless it never sees one twice; and because generated images are changed
in the same way, the changes don't show up in them.

Noise on both (Arjovsky & Bottou, "Towards principled methods for training generative adversarial networks",
ICLR 2017) makes their distributions overlap, where a discriminator else tells them apart by details alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def diff_augment(images: Tensor, flip: bool = False, translation: float = 0.0) -> Tensor:
    """Change each image of a batch by itself; drawn from torch's global generator.

    Args:
        images: (B, C, H, W), with any further channels that belong to them.
        flip: Whether half of them are mirrored, left and right.
        translation: The largest shift, as a share of the side, in whole pixels; the border is repeated.
    """
    if flip:
        mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
        images = torch.where(mirrored, images.flip(3), images)
    if translation:
        images = _shift(images, translation)
    return images


def instance_noise(images: Tensor, std: float) -> Tensor:
    """Images (B, C, H, W) with Gaussian noise of this deviation, drawn from torch's global generator."""
    return images + std * torch.randn_like(images) if std else images


def _shift(images: Tensor, translation: float) -> Tensor:
    batch, _, height, width = images.shape
    reach = [int(round(translation * side)) for side in (height, width)]
    padded = F.pad(images, (reach[1], reach[1], reach[0], reach[0]), mode='replicate')
    rows, cols = (
        torch.randint(2 * far + 1, (batch, 1), device=images.device) + torch.arange(side, device=images.device)
        for far, side in zip(reach, (height, width))
    )
    number = torch.arange(batch, device=images.device)[:, None, None]
    return padded[number, :, rows[:, :, None], cols[:, None, :]].permute(0, 3, 1, 2)
