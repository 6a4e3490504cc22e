"""The transform that reads true motion from the newest observed frame into the future."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.fileio.flow_png import decode_flow
from mmforecast.registry import TRANSFORMS

from ..file_access import CorruptFrameError, FileReader
from .loading import read_image, set_shape

__all__ = ['LoadClipMotion', 'follow_flow']

# Flow changes little from frame to frame; where it jumps, something else has come in front. In pixels, and as
# a share of its length.
_JUMP, _JUMP_SHARE = 2.0, 0.5


@TRANSFORMS.register_module()
class LoadClipMotion(BaseTransform):
    """Follow true flow from the newest observed frame to each future one.

    Adds ``gt_motion``, (n, 2, H, W) float32: how far (right, down), in pixels, each pixel of the newest
    observed frame has moved in each of the n future frames. NaN where that is unknown: the point has left the
    frame, or is hidden there. It is hidden where the future frame shows another instance or class than the
    newest one, as far as ``gt_instance_map`` or else ``gt_sem_seg`` is loaded before.

    The files are those of ``motion_paths``, in KITTI's 16-bit PNG: flow from each frame of the sequence to
    the next, also of those that a stride leaves out.

    Raises:
        CorruptFrameError: A frame has no flow, or its file is truncated or corrupt.
        ValueError: A file is no flow, or not of the size of the frames; or clips have no future frames.
    """

    def __init__(self):
        self.files = FileReader()

    def transform(self, results: dict) -> dict:
        if not results['num_future']:
            raise ValueError(
                'LoadClipMotion follows motion into future frames, of which num_future=0 of the dataset '
                'leaves none; raise it, or leave LoadClipMotion out'
            )
        flows = [self._read(path, results) for path in results['motion_paths']]
        steps = range(1, results['num_future'] + 1)
        motion = follow_flow(flows)[[step * results['stride'] - 1 for step in steps]]
        for key in ('gt_instance_map', 'gt_sem_seg'):
            if key in results:
                shown = results[key][results['num_past'] - 1 :]
                hidden = [differs(shown[0], shown[step], motion[step - 1]) for step in steps]
                motion[np.broadcast_to(np.stack(hidden)[:, None], motion.shape)] = np.nan
                break
        results['gt_motion'] = motion
        return results

    def _read(self, path: str | None, results: dict) -> np.ndarray:
        sequence = results['sequence_id']
        if path is None:
            raise CorruptFrameError(
                f'a frame of sequence {sequence} has no flow to the next one: set flow_path in data_prefix '
                'of the dataset, restore the file, or leave LoadClipMotion out.',
                f'{sequence}: flow',
            )
        image = read_image(self.files, path, cv2.IMREAD_UNCHANGED, sequence)
        if image.dtype != np.uint16 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f'{path} of sequence {sequence} is not flow: expected 3 channels of 16 bits, got shape '
                f'{image.shape} of {image.dtype}'
            )
        set_shape(results, image.shape[:2], path)
        flow, valid = decode_flow(image[..., ::-1])
        flow[~valid] = np.nan
        return flow


def follow_flow(flows: list[np.ndarray]) -> np.ndarray:
    """Where the pixels of the first frame are in each later one.

    Args:
        flows: T of (H, W, 2), from each frame to the next, in pixels; NaN where unknown.

    Returns:
        (T, 2, H, W) float32, the displacement (right, down) from the first frame. NaN from where a point
        leaves the frame, or where the flow that it meets is unknown or jumps.
    """
    height, width = flows[0].shape[:2]
    start = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    moved, last, out = np.zeros_like(start), None, []
    for flow in flows:
        step = _look_up(flow, start + moved)
        if last is not None:
            jump = np.linalg.norm(step - last, axis=-1)
            step[jump > _JUMP + _JUMP_SHARE * np.linalg.norm(last, axis=-1)] = np.nan
        moved, last = moved + step, step
        out.append(np.where(_inside(start + moved)[..., None], moved, np.nan).transpose(2, 0, 1))
    return np.stack(out).astype(np.float32)


def _look_up(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values (h, w, C) of maps (H, W, C) at the pixels nearest to places (h, w, 2); NaN outside the frame."""
    inside = _inside(places, maps.shape[:2])
    x, y = np.where(inside[..., None], np.rint(places), 0).astype(int).transpose(2, 0, 1)
    return np.where(inside[..., None], maps[y, x], np.nan)


def _inside(places: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """Whether places (h, w, 2), as (x, y), lie in a frame of this (height, width); False for NaN."""
    height, width = size or places.shape[:2]
    x, y = places[..., 0], places[..., 1]
    return (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)


def differs(before: np.ndarray, after: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Where ids (H, W) differ from those of the later frame where ``motion`` (2, H, W) leads to."""
    y, x = np.indices(before.shape)
    places = np.stack([x, y], axis=-1) + motion.transpose(1, 2, 0)
    return _look_up(after[..., None].astype(np.float32), places)[..., 0] != before
