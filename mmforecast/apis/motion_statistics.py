"""Statistics of how the camera of a dataset moves, to compare training data with real drives."""

from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmforecast.models.predictors import EgoMotion
from mmforecast.utils.progress import progress_bar

from .evaluate import build_loader

__all__ = ['MotionStatistics', 'motion_statistics']

AXES = ('pitch', 'yaw', 'roll')


@dataclass
class MotionStatistics:
    """The camera's motion over the two newest observed steps of every clip.

    Attributes:
        rotation: (N, 2, 3) pitch, yaw and roll in degrees per step, the earlier step first.
        speed: (N,) mean length of the optical flow of the newest step, in widths of the frame.
        share: (N,) share of the clips' pixels whose depth shrinks by more than 2 % in the newest step.
    """

    rotation: np.ndarray
    speed: np.ndarray
    share: np.ndarray

    def table(self) -> dict[str, float]:
        """Root mean squares in degrees, correlation from step to step, and mean speed, by column name."""
        row = {}
        for index, axis in enumerate(AXES):
            before, after = self.rotation[:, 0, index], self.rotation[:, 1, index]
            row[f'{axis} (deg)'] = float(np.sqrt(np.square(after).mean()))
            sizes = np.sqrt(np.square(before).sum() * np.square(after).sum())
            row[f'{axis} corr.'] = float((before * after).sum() / sizes) if sizes > 0 else float('nan')
        row['speed (% of width)'] = 100 * float(self.speed.mean())
        row['near pixels (%)'] = 100 * float(self.share.mean())
        return row


@torch.no_grad()
def motion_statistics(cfg: Config, focal: float = 0.9, progress: bool = True) -> MotionStatistics:
    """Measure the camera's motion on the test clips of a config.

    Args:
        cfg: ``test_dataloader`` is read, with frames loaded and ``num_past`` of at least 3; no model.
        focal: Focal length in widths of the frame, see :class:`EgoMotion`.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: The clips have fewer than three past frames, or no frames.
    """
    ego = EgoMotion(focal=focal)
    rotations, speeds, shares = [], [], []
    for batch in progress_bar(build_loader(cfg), desc='motion', unit='batch', disable=not progress):
        for frames, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            past = _past(frames, sample.num_past)
            steps = ego.camera_steps(ego.reduce(past))
            flow = steps[0][0]
            rotations.append(torch.cat([motion.rotation for _, motion in reversed(steps)]).numpy())
            speeds.append(float(flow.norm(dim=1).mean()) / flow.shape[-1])
            shares.append(float((ego.newest_motion(steps).share > 0.02).float().mean()))
    degrees = np.rad2deg(np.stack(rotations))
    return MotionStatistics(degrees, np.array(speeds), np.array(shares))


def _past(frames: Tensor, num_past: int) -> Tensor:
    """(1, num_past, 3, H, W) float past frames of a clip (T, 3, H, W)."""
    if num_past < 3 or frames.numel() == 0:
        raise ValueError(
            f'motion statistics need clips of at least 3 past frames, got num_past={num_past} and frames of '
            f'{tuple(frames.shape)}; set num_past of the dataset, and load the frames'
        )
    return frames[None, :num_past].float()
