"""Settings of CreativeGAN that come as dicts, checked at once."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmforecast.creative.models.utils.diff_augment import diff_augment, instance_noise
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_at_least, check_choice, check_integer, check_keys, check_range

_PENALTIES = (None, 'r1', 'gp')


def take_start(ema_config: dict) -> tuple[dict, int]:
    """The config of the average, and the iteration that it starts at."""
    averaged = {'type': 'ExponentialMovingAverage', 'momentum': 0.001, **ema_config}
    start = averaged.pop('start_iter', 0)
    check_integer('CreativeGAN', 0, ema_config__start_iter=start)
    if not 0 < averaged['momentum'] < 1:
        raise ValueError(
            'CreativeGAN: ema_config.momentum is the share of the newest weights, above 0 and below 1, '
            f'got {averaged["momentum"]!r}'
        )
    return averaged, start


def read_mix_config(mix_config: dict | None) -> dict[str, float]:
    """``pure`` and ``mask_share`` of condition 'mix', both in [0, 1]."""
    defaults = dict(pure=0.5, mask_share=0.0)
    check_keys('CreativeGAN', defaults, mix_config=mix_config or {})
    settings = {**defaults, **(mix_config or {})}
    check_range('CreativeGAN', 0, 1, **{f'mix_config__{name}': value for name, value in settings.items()})
    return settings


@dataclass
class Augmentation:
    """Arguments of :func:`diff_augment`, and the noise after it; by default nothing is changed."""

    flip: bool = False
    translation: float = 0.0
    noise: float = 0.0

    def __post_init__(self):
        if not 0 <= self.translation < 0.5:
            raise ValueError(
                'CreativeGAN: augmentation.translation is a share of the side in [0, 0.5), got '
                f'{self.translation!r}'
            )
        check_at_least('CreativeGAN', 0, augmentation__noise=self.noise)

    def __call__(self, images: Tensor, mask: Tensor | None = None) -> list[Tensor | None]:
        """Images (B, C, H, W) in [-1, 1], and masks (B, 1, H, W) that move with them but get no noise."""
        joined = images if mask is None else torch.cat([images, mask.to(images.dtype)], dim=1)
        joined = diff_augment(joined, self.flip, self.translation)
        colors = images.shape[1]
        moved = instance_noise(joined[:, :colors], self.noise)
        return [moved, None if mask is None else joined[:, colors:]]


class LossSettings(nn.Module):
    """What CreativeGAN is trained on.

    Args:
        attributes: Classes by attribute that the discriminator has.
        gan_loss: config, ``GANLoss`` by default. Its ``loss_weight`` is the generator's; a ``real_label_val``
            below 1 smooths the discriminator's labels.
        disc_auxiliary_loss, gen_auxiliary_loss: Config of an ``AuxiliaryLoss``, or a list of them.
        disc_weight: On the discriminator's real/fake loss.
        penalty: 'r1' on real images, 'gp' on points between real and generated ones, or None.
        penalty_weight: On the penalty.
    """

    def __init__(
        self,
        attributes: dict[str, int],
        gan_loss: dict | None = None,
        disc_auxiliary_loss: dict | list[dict] | None = None,
        gen_auxiliary_loss: dict | list[dict] | None = None,
        disc_weight: float = 1.0,
        penalty: str | None = None,
        penalty_weight: float = 10.0,
    ):
        super().__init__()
        check_choice('CreativeGAN', _PENALTIES, loss_config__penalty=penalty)
        check_at_least(
            'CreativeGAN',
            0,
            loss_config__disc_weight=disc_weight,
            loss_config__penalty_weight=penalty_weight,
        )
        self.gan_loss = MODELS.build(gan_loss or dict(type='GANLoss'))
        self.disc_auxiliary = _build('disc_auxiliary_loss', disc_auxiliary_loss, attributes)
        self.gen_auxiliary = _build('gen_auxiliary_loss', gen_auxiliary_loss, attributes)
        names = [loss.loss_name() for loss in (*self.disc_auxiliary, *self.gen_auxiliary)]
        if len(set(names)) < len(names):
            raise ValueError(
                f'CreativeGAN: two losses of loss_config have one name in the log, {names}; give one a '
                'loss_name'
            )
        self.disc_weight = disc_weight
        self.penalty = penalty
        self.penalty_weight = penalty_weight


def _build(where: str, configs: dict | list[dict] | None, attributes: dict[str, int]) -> nn.ModuleList:
    configs = [configs] if isinstance(configs, dict) else configs or []
    losses = [MODELS.build(cfg) for cfg in configs]
    for loss in losses:
        unknown = sorted(set(getattr(loss, 'branches', None) or ()) - set(attributes))
        if unknown:
            raise ValueError(
                f'CreativeGAN: {type(loss).__name__} of loss_config.{where} has branches {unknown}, but the '
                f'discriminator has attributes {attributes}; set attributes of the discriminator'
            )
    return nn.ModuleList(losses)
