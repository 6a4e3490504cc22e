"""The contract of generators."""

import torch
import torch.nn as nn
from torch import Tensor


class BaseGenerator(nn.Module):
    """``forward(noise, condition)`` gives images (B, 3, output_scale, output_scale) in [-1, 1].

    ``noise`` is (B, noise_size), standard normal. ``condition`` depends on ``condition_kind``: None; 'label',
    where it is (B,) int64 in 0..num_classes-1; 'mask', (B, 1, output_scale, output_scale) in [0, 1].
    Initial weights are set on construction.
    """

    condition_kind: str | None = None
    num_classes: int | None = None

    def __init__(self, output_scale: int, noise_size: int):
        super().__init__()
        self.output_scale = output_scale
        self.noise_size = noise_size

    def check_noise(self, noise: Tensor) -> None:
        """Refuse noise of another size."""
        if noise.ndim != 2 or noise.shape[1] != self.noise_size:
            raise ValueError(
                f'{type(self).__name__} needs noise (B, {self.noise_size}), got {tuple(noise.shape)}; set '
                'noise_size of model and generator to the same number'
            )


class LabelEmbedding(nn.Module):
    """A label's vector, put after the noise.

    Args:
        num_classes: Of the attribute that is asked for.
        size: Of the vector.
    """

    def __init__(self, num_classes: int, size: int):
        super().__init__()
        self.table = nn.Embedding(num_classes, size)

    def forward(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        classes = self.table.num_embeddings
        if labels is None or labels.shape != noise.shape[:1]:
            given = None if labels is None else tuple(labels.shape)
            raise ValueError(
                f'the generator needs one label in 0..{classes - 1} per image as condition, got {given} '
                f'for {len(noise)} images'
            )
        if len(labels) and not (0 <= labels.min() and labels.max() < classes):
            raise ValueError(
                f'labels asked of the generator must lie in 0..{classes - 1}, got '
                f'{labels.min().item()}..{labels.max().item()}'
            )
        return torch.cat([noise, self.table(labels)], dim=1)
