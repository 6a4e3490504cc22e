"""Forecast frames: what label maps and instances of moments that nobody has seen are drawn over."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import nn

from mmforecast.models.predictors.ego_motion import EgoMotion
from mmforecast.models.utils import backward_warp, resize_flow
from mmforecast.structures import box_regions
from mmforecast.utils.frame_memory import FrameMemory

__all__ = ['ForecastFrames', 'FrameForecaster', 'shares_seen']

# Optical flow needs frames of so many pixels, and two of them.
_MIN_SIDE = 16
# Splatting leaves small gaps where the image grows; wider ones have come into view.
_GAP = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
_VOTE = 13


@dataclass
class ForecastFrames:
    """Frames that were moved on from the newest one.

    Attributes:
        images: (n, H, W, 3) uint8 RGB.
        visible: (n, H, W) bool: whether the newest frame showed what is at the pixel; the rest is a guess.
    """

    images: np.ndarray
    visible: np.ndarray


class FrameForecaster:
    """Forecasts frames at their own size, whatever a model forecasts: the motion is estimated on small ones.

    Args:
        model: A forecaster. If its predictor is an ``EgoMotion`` or derived from it, or corrects one, that one
            moves the frames; else an ``EgoMotion`` does, without training.
        memory: Where the motion is found that the model has observed in the same frames.
    """

    def __init__(self, model: nn.Module, memory: FrameMemory | None = None):
        self.memory = FrameMemory() if memory is None else memory
        predictor = model.predictor
        candidates = (predictor, getattr(predictor, 'motion', None))
        found = [module for module in candidates if isinstance(module, EgoMotion)]
        self.motion: EgoMotion = found[0] if found else EgoMotion()

    @torch.no_grad()
    def __call__(self, past: np.ndarray, steps: int) -> ForecastFrames | None:
        """The frames of the steps after the newest of the past.

        Args:
            past: (T, H, W, 3) uint8 RGB, evenly spaced.
            steps: n, at least 1.

        Returns:
            None where motion can't be estimated: of a single frame, or of fewer than 16 rows or columns.
        """
        if len(past) < 2 or min(past.shape[1:3]) < _MIN_SIDE:
            return None
        weight = next(self.motion.parameters(), None)
        frames = torch.from_numpy(np.ascontiguousarray(past)).permute(0, 3, 1, 2)[None].float()
        frames = frames if weight is None else frames.to(weight.device)
        with self.memory.in_use():
            observed = self.motion.observe(frames)
        moved = [self._move(frames[:, -1], *self.motion.forecast_field(observed, k + 1)) for k in range(steps)]
        images, visible = (np.stack(part) for part in zip(*moved, strict=True))
        return ForecastFrames(images, visible)

    @staticmethod
    def _move(newest: torch.Tensor, field: torch.Tensor, known: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """One image (H, W, 3) and what of it is visible (H, W), by a field of any size."""
        size = tuple(newest.shape[-2:])
        image = backward_warp(newest, resize_flow(field.to(newest), size))[0].permute(1, 2, 0)
        mask = cv2.morphologyEx(known[0, 0].cpu().numpy().astype(np.uint8), cv2.MORPH_CLOSE, _GAP)
        mask = cv2.medianBlur(mask, _VOTE)
        visible = F.interpolate(torch.from_numpy(mask)[None, None].float(), size=size, mode='nearest')
        return image.round().clamp(0, 255).to(torch.uint8).cpu().numpy(), visible[0, 0].numpy() > 0


def shares_seen(instances: InstanceData, visible: np.ndarray) -> list[float]:
    """The share of each instance that the newest frame showed: of its mask's pixels, or else of its box.

    Args:
        instances: N instances with ``masks`` (N, H, W) or ``bboxes`` (N, 4) in pixels.
        visible: (H, W) bool.

    Returns:
        N values in [0, 1]; 0 for an instance without a pixel in the frame.
    """
    if not len(instances):
        return []
    seen = torch.from_numpy(visible)
    if 'masks' in instances:
        regions = (torch.as_tensor(mask).cpu().bool() for mask in instances.masks)
    else:
        regions = (box_regions(box[None].cpu(), visible.shape)[0] for box in instances.bboxes)
    return [_share(region, seen) for region in regions]


def _share(region: torch.Tensor, seen: torch.Tensor) -> float:
    """The part of a region (H, W) that is seen; both bool."""
    count = int(region.count_nonzero())
    return int((region & seen).count_nonzero()) / count if count else 0.0
