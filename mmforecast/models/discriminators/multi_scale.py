"""The conditional discriminator of video prediction, one network per scale.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", ICLR 2016, section 3.2:
each judges whether a frame is what follows the given ones, at its own resolution.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive


@MODELS.register_module()
class MultiScaleDiscriminator(BaseModule):
    """Logits of candidates for the future, given the past, at each of K scales.

    Scale k sees the window, averaged down to its resolution, beside the candidate. Convolutions without
    padding and ReLU, a max-pooling, fully connected layers with ReLU between them, one logit. Because of the
    fully connected layers it works on patches of one size only.

    Args:
        patch_size: (h, w) of the patches at the finest scale; coarser ones are half as large each.
        condition_channels: Of the window: past maps times the channels of one.
        candidate_channels: Of a candidate: maps that the predictor gives per call times the channels of one.
        widths: Channels of the convolutions by scale, coarsest first.
        kernels: Their sizes, one for each.
        hidden: Widths of the fully connected layers by scale; the last layer, of one logit, is added.
        pools: Side of the max-pooling after the convolutions by scale; 1 is none.

    The defaults are the paper's for patches of 32x32 and four RGB frames.
    """

    def __init__(
        self,
        patch_size: tuple[int, int] = (32, 32),
        condition_channels: int = 12,
        candidate_channels: int = 3,
        widths: Sequence[Sequence[int]] = (
            (64,),
            (64, 128, 128),
            (128, 256, 256),
            (128, 256, 512, 128),
        ),
        kernels: Sequence[Sequence[int]] = ((3,), (3, 3, 3), (5, 5, 5), (7, 7, 5, 5)),
        hidden: Sequence[Sequence[int]] = ((512, 256), (1024, 512), (1024, 512), (1024, 512)),
        pools: Sequence[int] = (1, 1, 1, 2),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        check_positive(
            'MultiScaleDiscriminator',
            condition_channels=condition_channels,
            candidate_channels=candidate_channels,
        )
        counts = [len(widths), len(kernels), len(hidden), len(pools)]
        if len(set(counts)) != 1 or counts[0] == 0:
            raise ValueError(
                'MultiScaleDiscriminator: widths, kernels, hidden and pools must list the same number '
                f'(>= 1) of scales, got {", ".join(map(str, counts))}'
            )
        self.patch_size = tuple(patch_size)
        self.condition_channels = condition_channels
        self.candidate_channels = candidate_channels
        given, last = condition_channels + candidate_channels, counts[0] - 1
        self.scales = nn.ModuleList(
            _judge(given, widths[k], kernels[k], hidden[k], pools[k], self._size(k, last), k)
            for k in range(counts[0])
        )
        for layer in self.modules():
            # With torch's own weights the logits of so many layers hardly depend on the input.
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
                nn.init.zeros_(layer.bias)

    def _size(self, scale: int, last: int) -> tuple[int, int]:
        shrink = 2 ** (last - scale)
        if any(side % shrink for side in self.patch_size):
            raise ValueError(
                f'MultiScaleDiscriminator: {last + 1} scales halve a patch {last} times, so the sides of '
                f'patch_size must be multiples of {2**last}, got {self.patch_size}'
            )
        return tuple(side // shrink for side in self.patch_size)

    def forward(self, window: Tensor, candidates: Sequence[Tensor]) -> list[Tensor]:
        """Logits (B, 1) of every scale, coarsest first.

        Args:
            window: (B, condition_channels, h, w), the past at the finest resolution.
            candidates: (B, candidate_channels, h_k, w_k) by scale, coarsest first.

        Raises:
            ValueError: The patches are not those that it was built for.
        """
        self._check(window, candidates)
        return [self.judge(scale, window, candidate) for scale, candidate in enumerate(candidates)]

    def judge(self, scale: int, window: Tensor, candidate: Tensor) -> Tensor:
        """Logits (B, 1) of one scale; arguments as for ``forward``."""
        return self.scales[scale](self._beside_window(window, candidate))

    def features(self, scale: int, window: Tensor, candidate: Tensor) -> list[Tensor]:
        """The output of every convolution of one scale after its ReLU, first to last; as for ``judge``."""
        maps, found = self._beside_window(window, candidate), []
        for layer in self.scales[scale]:
            if isinstance(layer, (nn.MaxPool2d, nn.Flatten)):
                break
            maps = layer(maps)
            if isinstance(layer, nn.ReLU):
                found.append(maps)
        return found

    @staticmethod
    def _beside_window(window: Tensor, candidate: Tensor) -> Tensor:
        return torch.cat((F.adaptive_avg_pool2d(window, candidate.shape[-2:]), candidate), dim=1)

    def candidates_of(self, truth: Tensor) -> list[Tensor]:
        """The truth (B, candidate_channels, h, w) as candidates: averaged down to every scale."""
        last = len(self.scales) - 1
        return [F.avg_pool2d(truth, 2 ** (last - k)) if k < last else truth for k in range(last + 1)]

    def _check(self, window: Tensor, candidates: Sequence[Tensor]) -> None:
        if len(candidates) != len(self.scales):
            raise ValueError(
                f'MultiScaleDiscriminator was built for {len(self.scales)} scales, but the predictor guesses '
                f'at {len(candidates)}; list as many widths, kernels, hidden and pools as the predictor has '
                'scales'
            )
        channels = (window.shape[1], candidates[-1].shape[1])
        if channels != (self.condition_channels, self.candidate_channels):
            raise ValueError(
                f'MultiScaleDiscriminator was built for condition_channels={self.condition_channels} and '
                f'candidate_channels={self.candidate_channels}, but got {channels[0]} and {channels[1]}: '
                'maps times the channels of one'
            )
        size = tuple(candidates[-1].shape[-2:])
        if size != self.patch_size:
            raise ValueError(
                f'MultiScaleDiscriminator was built for patches of {self.patch_size}, but got {size}; its '
                f'fully connected layers are tied to the size, so set patch_size={size} of the '
                'discriminator, which makes a new one (in fine-tuning, the predictor keeps its weights), '
                'or crop the clips to the size it has'
            )

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        """Weights for another patch size are left out altogether: half a discriminator is none."""
        theirs = {name: state_dict.get(prefix + name) for name in self.state_dict()}
        if any(
            theirs[name] is not None and theirs[name].shape != value.shape
            for name, value in self.state_dict().items()
        ):
            print_log(
                f'MultiScaleDiscriminator: this one, for patches of {self.patch_size}, starts anew; the '
                "checkpoint's is for patches of another size, or has other widths",
                logger='current',
            )
            for name in theirs:
                state_dict.pop(prefix + name, None)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _judge(
    channels: int,
    widths: Sequence[int],
    kernels: Sequence[int],
    hidden: Sequence[int],
    pool: int,
    size: tuple[int, int],
    scale: int,
) -> nn.Sequential:
    """The network of one scale, for maps of ``size``."""
    if len(widths) != len(kernels):
        raise ValueError(
            f'MultiScaleDiscriminator: scale {scale} has {len(widths)} widths and {len(kernels)} kernels; '
            'give one kernel for each'
        )
    layers: list[nn.Module] = []
    for width, kernel in zip(widths, kernels):
        layers += [nn.Conv2d(channels, width, kernel), nn.ReLU()]
        channels = width
    left = [(side - sum(kernel - 1 for kernel in kernels)) // pool for side in size]
    if min(left) < 1:
        raise ValueError(
            f'MultiScaleDiscriminator: maps of {size} at scale {scale} are too small for '
            f'kernels={tuple(kernels)} without padding and pools={pool}; use larger patches, smaller kernels '
            'or fewer scales'
        )
    if pool > 1:
        layers.append(nn.MaxPool2d(pool))
    layers.append(nn.Flatten())
    channels *= left[0] * left[1]
    for width in hidden:
        layers += [nn.Linear(channels, width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Linear(channels, 1))
