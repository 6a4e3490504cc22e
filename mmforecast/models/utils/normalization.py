"""Frames as a trained network expects them."""

import torch.nn as nn
from torch import Tensor


def normalize_frames(preprocessor: nn.Module, frames: Tensor) -> Tensor:
    """Frames as a network's own data preprocessor normalizes them.

    Args:
        preprocessor: Of mmdet, mmseg or one of their forks, which name its settings differently.
        frames: (N, 3, H, W) RGB in [0, 255].

    Raises:
        ValueError: The preprocessor does not say how it normalizes.
    """
    names = ('channel_conversion', '_channel_conversion')
    swap = next((getattr(preprocessor, name) for name in names if hasattr(preprocessor, name)), None)
    enabled = getattr(preprocessor, '_enable_normalize', None)
    if swap is None or enabled is None:
        raise ValueError(
            f'the data_preprocessor {type(preprocessor).__name__} of the network does not say how its frames '
            'are normalized; keep that of its config'
        )
    if not swap:  # trained on BGR, the order that OpenCV loads
        frames = frames.flip(1)
    if enabled:
        frames = (frames - preprocessor.mean) / preprocessor.std
    return frames
