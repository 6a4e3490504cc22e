"""StackGAN's second stage without its text code. Zhang et al., "StackGAN", ICCV 2017."""

import torch
import torch.nn as nn
from mmengine.runner import CheckpointLoader
from torch import Tensor

import mmforecast.fileio  # noqa: F401  (makes mmengine read checkpoints safely)
from mmforecast.creative.models.utils.gan_layers import conv, init_dcgan
from mmforecast.fileio import CheckpointError
from mmforecast.models.utils import KeepFrozen, freeze
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_multiple, check_positive

from .base import BaseGenerator


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input; ReLU at the end."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(conv(channels, channels, 3), conv(channels, channels, 3, act=None))

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.layers(x)).relu()


@MODELS.register_module()
class StackGANGenerator(KeepFrozen, BaseGenerator):
    """A frozen first stage draws a small image, the second one draws it again at four times the side.

    Args:
        stage1: Config of the first stage, any generator.
        checkpoint: Of a trained ``CreativeGAN`` whose generator is ``stage1``; its averaged generator is taken
            where it has one. None keeps what ``load_from`` gives.
        base_channels: Of the first layer; StackGAN's is 128. A multiple of 4.
        num_blocks: Residual blocks between encoding and decoding.
    """

    frozen_children = ('stage1',)

    def __init__(
        self,
        stage1: dict,
        checkpoint: str | None = None,
        base_channels: int = 128,
        num_blocks: int = 4,
    ):
        first = MODELS.build(stage1)
        super().__init__(4 * first.output_scale, first.noise_size)
        width = base_channels
        check_positive('StackGANGenerator', base_channels=width, num_blocks=num_blocks)
        check_multiple('StackGANGenerator', 4, base_channels=width)
        self.condition_kind, self.num_classes = first.condition_kind, first.num_classes
        self.encoder = nn.Sequential(
            conv(3, width, 3, norm=False),
            conv(width, 2 * width, 4, stride=2),
            conv(2 * width, 4 * width, 4, stride=2),
        )
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(num_blocks)))
        widths = [4 * width, 2 * width, width, width // 2, width // 4]
        ups = (
            nn.Sequential(nn.Upsample(scale_factor=2), conv(wide, narrow, 3))
            for wide, narrow in zip(widths, widths[1:])
        )
        self.decoder = nn.Sequential(*ups, conv(width // 4, 3, 3, act='tanh', norm=False))
        init_dcgan(self)
        self.stage1 = first
        self.checkpoint = checkpoint
        if checkpoint is not None:
            load_generator(first, checkpoint)
        freeze(first)

    def init_weights(self) -> None:
        """Load the first stage once more: an ``init_cfg`` of the whole model may have reached it."""
        if self.checkpoint is not None:
            load_generator(self.stage1, self.checkpoint)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            small = self.stage1(noise, condition)
        return self.decoder(self.blocks(self.encoder(small)))


def load_generator(generator: nn.Module, checkpoint: str) -> None:
    """Give a generator the weights of a ``CreativeGAN``'s, the averaged one's where there is one.

    Raises:
        CheckpointError: It holds no generator, or another one.
    """
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    state = loaded.get('state_dict', loaded)
    for prefix in ('generator_ema.module.', 'generator.'):
        weights = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        if weights:
            break
    else:
        raise CheckpointError(f'{checkpoint} holds no generator; give the checkpoint of a CreativeGAN')
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f'The generator in {checkpoint} is not the one of stage1, a {type(generator).__name__} of '
            f'{generator.output_scale}x{generator.output_scale}: {error}'
        ) from error
