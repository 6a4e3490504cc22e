"""Adversarial losses, and the penalties on a discriminator's gradient."""

from collections.abc import Callable, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice

_TYPES = ('vanilla', 'lsgan', 'hinge', 'wgan')


@MODELS.register_module()
class GANLoss(nn.Module):
    """Adversarial loss on a discriminator's logits, named as in mmagic.

    With logits x, mean over all of them:

    - 'vanilla' (Goodfellow et al., 2014; Mathieu et al., ICLR 2016, section 3.1): binary cross-entropy;
      the generator's is the non-saturating -log s(x), or with ``saturating`` the original log(1 - s(x)).
    - 'lsgan' (Mao et al., 2017): (x - label)^2.
    - 'hinge' (Lim & Ye, 2017): max(0, 1 - x) on real, max(0, 1 + x) on fake, -x for the generator.
    - 'wgan' (Arjovsky et al., 2017): -x on real, x on fake, -x for the generator; it needs
      :func:`gradient_penalty`.

    Args:
        gan_type: One of the four.
        real_label_val, fake_label_val: Labels of 'vanilla' (in [0, 1]) and 'lsgan'; a real label below 1
            smooths it. The generator aims at the unsmoothed real label 1 of 'vanilla'.
        loss_weight: Factor on the generator's loss; the discriminator's isn't weighted.
        saturating: Read by 'vanilla' alone: the generator lowers log(1 - s(x)), whose gradient vanishes
            where the discriminator is certain.
    """

    def __init__(
        self,
        gan_type: str = 'vanilla',
        real_label_val: float = 1.0,
        fake_label_val: float = 0.0,
        loss_weight: float = 1.0,
        saturating: bool = False,
    ):
        super().__init__()
        check_choice('GANLoss', _TYPES, gan_type=gan_type)
        if saturating and gan_type != 'vanilla':
            raise ValueError(f"GANLoss: saturating=True is for gan_type='vanilla', got {gan_type!r}")
        if gan_type == 'vanilla' and not 0 <= fake_label_val < real_label_val <= 1:
            raise ValueError(
                'GANLoss: labels of cross-entropy must be 0 <= fake_label_val < real_label_val <= 1, '
                f'got {fake_label_val} and {real_label_val}'
            )
        self.gan_type = gan_type
        self.real_label_val = real_label_val
        self.fake_label_val = fake_label_val
        self.loss_weight = loss_weight
        self.saturating = saturating

    def forward(
        self,
        pred: Tensor | Sequence[Tensor],
        target_is_real: bool,
        is_disc: bool = False,
    ) -> Tensor:
        """The loss of logits of any shape; of a list of them, one per scale, the sum.

        Args:
            pred: logits.
            target_is_real: What they should say.
            is_disc: Whether the discriminator is trained on it, else the generator.
        """
        if not isinstance(pred, Tensor):
            return sum(self(logits, target_is_real, is_disc) for logits in pred)
        loss = self._loss(pred, target_is_real, is_disc)
        return loss if is_disc else loss * self.loss_weight

    def _loss(self, pred: Tensor, real: bool, is_disc: bool) -> Tensor:
        if self.gan_type == 'wgan' or (self.gan_type == 'hinge' and not is_disc):
            return -pred.mean() if real else pred.mean()
        if self.gan_type == 'hinge':
            return F.relu(1 - pred if real else 1 + pred).mean()
        value = self.real_label_val if real else self.fake_label_val
        if self.saturating and not is_disc:
            return -F.binary_cross_entropy_with_logits(pred, torch.full_like(pred, 1.0 - float(real)))
        if self.gan_type == 'vanilla':
            value = value if is_disc else float(real)
            return F.binary_cross_entropy_with_logits(pred, torch.full_like(pred, value))
        return F.mse_loss(pred, torch.full_like(pred, value))


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, target_norm: float = 1.0
) -> Tensor:
    """WGAN-GP (Gulrajani et al., 2017, equation 3): mean of (|grad D(x)| - target_norm)^2.

    Args:
        discriminator: (B, ...) images to logits of any shape; those of an image are summed.
        real, fake: (B, ...); x lies at a random point between the two, one per image.
    """
    real, fake = real.detach(), fake.detach()
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    norm = _gradient(discriminator, torch.lerp(fake, real, share)).norm(dim=1)
    return (norm - target_norm).square().mean()


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """R1 (Mescheder et al., 2018, equation 9) at gamma = 1: half the mean of |grad D(x)|^2 on real x."""
    return 0.5 * _gradient(discriminator, real.detach()).square().sum(1).mean()


def _gradient(discriminator: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(B, N) gradient of the summed logits with respect to each image, differentiable."""
    images = images.requires_grad_(True)
    logits = discriminator(images)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1)


def penalty_loss(
    kind: str | None, discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor
) -> Tensor | None:
    """The penalty called ``kind``, 'gp' or 'r1'; None for None."""
    if kind is None:
        return None
    return gradient_penalty(discriminator, real, fake) if kind == 'gp' else r1_penalty(discriminator, real)
