"""The moving pixels of a clip, by our own optical flow."""

import numpy as np
import torch

from mmforecast.utils.checks import check_above
from mmforecast.utils.flow import dis_flow


def moving_pixels(frames: np.ndarray | torch.Tensor, threshold: float = 1.0) -> np.ndarray:
    """Masks of the pixels where the flow from a frame to the next one is fast.

    The flow is OpenCV's DIS, from a frame to the one after it, on the pixels of the former.

    Args:
        frames: (n + 1, 3, H, W) RGB in [0, 255], consecutive frames of a clip: the last observed one, and the
            true n after it.
        threshold: Pixels per frame of the clip from which on a pixel moves.

    Returns:
        bool (n, H, W), of the steps from one frame to the next.

    Raises:
        ValueError: ``threshold`` isn't positive, or the frames are smaller than 16x16.
    """
    check_above('moving_pixels', 0, threshold=threshold)
    frames = torch.as_tensor(frames)
    height, width = frames.shape[-2:]
    if min(height, width) < 16:
        raise ValueError(
            f'a motion mask by optical flow needs frames of at least 16x16 pixels, got {height}x{width}'
        )
    return (dis_flow(frames[:-1], frames[1:]).norm(dim=1) >= threshold).cpu().numpy()
