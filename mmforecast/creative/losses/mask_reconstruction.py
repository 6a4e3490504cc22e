"""The null style gives the shape mask back."""

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.creative.models.utils.batch_norm import untracked_statistics
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_shape

from .auxiliary import AuxiliaryLoss


def mask_reconstruction_loss(images: Tensor, mask: Tensor) -> Tensor:
    """Mean over pixels and channels of ``|image - (2 mask - 1)|``.

    Args:
        images: (B, 3, H, W) in [-1, 1].
        mask: (B, 1, H, W) in [0, 1], repeated over the channels.
    """
    check_shape('mask_reconstruction_loss', (len(images), 1, *images.shape[-2:]), mask=mask)
    return (images - (2 * mask.to(images.dtype) - 1)).abs().mean()


@MODELS.register_module()
class MaskReconstructionLoss(AuxiliaryLoss):
    """:func:`mask_reconstruction_loss` of ``G(mask, z = 0)``: forces a generator to use mask and noise.

    The batch of null noise doesn't count in the running statistics of batch norm, which sampling uses.
    ``compute`` takes the generator and the ``mask``, (B, 1, H, W).
    """

    default_data_info = dict(generator='gen', mask='mask')
    default_name = 'loss_mask'

    def compute(self, generator: nn.Module, mask: Tensor) -> Tensor:
        if mask is None:
            raise ValueError(
                "MaskReconstructionLoss needs masks: condition='mask' of the model, and gt_mask in the data"
            )
        noise = torch.zeros(len(mask), generator.noise_size, device=mask.device)
        with untracked_statistics(generator):
            images = generator(noise, mask)
        return mask_reconstruction_loss(images, mask)
