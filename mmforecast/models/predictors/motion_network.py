"""The network of the motion forecaster: which neighbor's motion each pixel takes."""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import backward_warp
from mmforecast.models.utils.camera_motion import pixel_grid

EVIDENCE = 10
INPUTS = EVIDENCE + 8


def _asinh(values: Tensor) -> Tensor:
    """Inverse hyperbolic sine, to 1e-6: several times as fast as ``torch.asinh``."""
    return values.sign() * (values.abs() + (values * values + 1).sqrt()).log()


def lengths(vectors: Tensor) -> Tensor:
    """Lengths (B, 1, h, w) of vectors (B, 2, h, w): much faster than ``Tensor.norm`` over two channels."""
    return torch.hypot(vectors[:, :1], vectors[:, 1:])


def evidence(luma: Tensor, observed: dict[str, Tensor]) -> Tensor:
    """What the observed frames say of each pixel of the newest one.

    Args:
        luma: (B, 1, h, w) in [0, 1].
        observed: ``residual`` (B, 1, h, w), the mean absolute difference in [0, 255] between the newest frame
            and the one before, warped by the flow; ``cycle`` (B, 1, h, w), the length in pixels of the flow
            there and back; ``moved`` (B, 2, h, w) and ``share`` (B, 1, h, w), see ``ObservedMotion``;
            ``earlier_moved`` and ``earlier_share``, the same of the step before.

    Returns:
        (B, EVIDENCE, h, w), every channel of a size of about 1, whatever the size of the frame.
    """
    moved, share = observed['moved'].clamp(-200, 200), observed['share']
    length = lengths(moved)
    return torch.cat(
        [
            luma,
            observed['residual'].clamp(max=60) / 30,
            torch.log1p(observed['cycle'].clamp(max=50)),
            3 * share.clamp(-0.4, 0.6),
            5 * (observed['earlier_share'] - share).clamp(-0.3, 0.3),
            torch.log1p(length),
            _asinh(moved),
            ((moved - observed['earlier_moved']) / (length + 1)).clamp(-3, 3),
        ],
        dim=1,
    )


class MotionNetwork(nn.Module):
    """Corrects a field of camera motion ``E`` on the grid of the future frame.

    It predicts an offset ``o`` for every pixel and returns ``E(p + o)``: a pixel takes the motion of a
    neighbor. At the rim of an object that is the object's motion, and where something hidden comes into view
    it is the background's. The network never states a motion itself, so it cannot be wrong about speeds that
    it has not seen in training. The last layer starts at zero, and with it the offset.

    A U-Net at half the resolution of the field.

    Args:
        widths: Channels, from the finest scale to the coarsest, multiples of 4.
        reach: Largest offset, in widths of the frame.
    """

    def __init__(self, widths: Sequence[int] = (16, 24, 32, 48), reach: float = 0.03):
        super().__init__()
        if len(widths) < 2 or any(width < 4 or width % 4 for width in widths):
            raise ValueError(f'MotionNetwork: widths must be at least 2 multiples of 4, got {tuple(widths)}')
        self.reach = reach
        self.stem = nn.Sequential(nn.Conv2d(INPUTS, widths[0], 5, 2, 2), nn.GroupNorm(4, widths[0]), nn.SiLU())
        pairs = list(zip(widths[:-1], widths[1:]))
        self.down = nn.ModuleList([_block(widths[0], widths[0]), *(_block(a, b, stride=2) for a, b in pairs)])
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairs)
        self.head = nn.Conv2d(widths[0], 2, 3, padding=1)
        self.reset()
        self.to(memory_format=torch.channels_last)  # a fifth faster with so few channels

    def reset(self) -> None:
        """Set the last layer to zero: no offset."""
        constant_init(self.head, 0)

    def forward(self, evidence: Tensor, fields: dict[str, Tensor], steps: int) -> Tensor:
        """The corrected backward field.

        Args:
            evidence: (B, EVIDENCE, h, w) of the newest observed frame, see :func:`evidence`.
            fields: Backward fields in pixels, (B, 2, h, w): ``ego``, which is ``E``, and ``constant``, the
                newest flow repeated; and ``known`` (B, 1, h, w), 1 where the newest frame shows the pixel.
            steps: How far ahead, at least 1. Three steps and more look alike to the network.

        Returns:
            (B, 2, h, w) in pixels.
        """
        ego = fields['ego']
        size = ego.shape[-2:]
        out = self._unet(_inputs(evidence, fields, steps))
        out = F.interpolate(out, size=size, mode='bilinear', align_corners=False)
        return backward_warp(ego, self.reach * size[1] * torch.tanh(out))

    def _unet(self, maps: Tensor) -> Tensor:
        maps = self.stem(maps)
        scales = []
        for layer in self.down:
            maps = layer(maps)
            scales.append(maps)
        for layer, finer in zip(reversed(self.up), reversed(scales[:-1])):
            maps = F.interpolate(maps, size=finer.shape[-2:], mode='bilinear', align_corners=False)
            maps = layer(torch.cat([maps, finer], dim=1))
        return self.head(maps)


def _inputs(evidence: Tensor, fields: dict[str, Tensor], steps: int) -> Tensor:
    """(B, INPUTS, h, w): the evidence carried to the future frame, and the fields."""
    ego = fields['ego']
    height, width = ego.shape[-2:]
    carried = backward_warp(evidence, ego)
    luma = carried[:, :1]
    detail = luma - _window_mean(luma, radius=7)
    place = pixel_grid(ego) / ego.new_tensor([max(width - 1, 1), max(height - 1, 1)]).view(1, 2, 1, 1) - 0.5
    place = place.flip(1).expand(len(ego), -1, -1, -1)
    ahead = torch.full_like(luma, min(steps, 3) - 2)
    return torch.cat(
        [
            4 * detail,
            carried[:, 1:],
            fields['known'],
            _asinh(ego / 2),
            _asinh(fields['constant'] - ego),
            place,
            ahead,
        ],
        dim=1,
    )


def _window_mean(maps: Tensor, radius: int) -> Tensor:
    """Mean over square windows within the map (B, C, h, w): along columns, then along rows."""
    side = 2 * radius + 1
    maps = F.avg_pool2d(maps, (side, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(maps, (1, side), 1, (0, radius), count_include_pad=False)


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Two 3x3 convolutions, each with group norm and SiLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1),
        nn.GroupNorm(4, outputs),
        nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1),
        nn.GroupNorm(4, outputs),
        nn.SiLU(),
    )
