"""Geometric transforms: one set of parameters for all fields of a clip."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmcv.image import rescale_size
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.checks import check_at_least, check_integer, check_range

from ..motion import squared_motion

__all__ = ['ClipMotionCrop', 'ClipRandomCrop', 'ClipRandomFlip', 'ClipResize']

# The axis of image rows in each field; columns are the next.
ROW_AXES = dict(frames=1, gt_sem_seg=1, gt_instance_map=1, gt_depth=1, gt_motion_mask=1, gt_motion=2, scores=2)
_LABEL_FIELDS = ('gt_sem_seg', 'gt_instance_map', 'gt_depth', 'gt_motion_mask')


def check_pair(name: str, value) -> tuple[int, int]:
    if len(tuple(value)) != 2 or min(value) < 1:
        raise ValueError(f'{name} must be two integers >= 1, got {value!r}')
    return int(value[0]), int(value[1])


def refuse_features(results: dict, transform: BaseTransform, instead: str):
    if 'features' in results:
        raise ValueError(
            f'{type(transform).__name__} does not act on features, which would no longer match the '
            f'other fields: {instead}'
        )


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Resize every frame, label map and instance map to one size.

    Frames are averaged over areas when they shrink and bilinear otherwise; labels, instances and depth
    take the nearest pixel, with pixel centers aligned as for the frames; so does true motion, scaled as
    the sides are. ``ori_shape`` stays.

    Args:
        scale: (width, height) of frames and labels, as in mmcv.
        keep_ratio: Keep the ratio of the sides, and make the frames as large as they can be with a longer side
            of ``max(scale)`` and a shorter one of ``min(scale)``, as in mmcv.
        score_scale: (width, height) of the scores, bilinear; None leaves them as they are.
    """

    def __init__(
        self,
        scale: tuple[int, int],
        score_scale: tuple[int, int] | None = None,
        keep_ratio: bool = False,
    ):
        self.scale = check_pair('scale', scale)
        self.keep_ratio = keep_ratio
        self.score_scale = None if score_scale is None else check_pair('score_scale', score_scale)

    def transform(self, results: dict) -> dict:
        width, height = self._size(results)
        if 'frames' in results:
            shrinks = results['frames'].shape[1] > height or results['frames'].shape[2] > width
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            results['frames'] = _resize(results['frames'], (width, height), method)
        for key in _LABEL_FIELDS:
            if key in results:
                results[key] = _resize(results[key], (width, height), cv2.INTER_NEAREST_EXACT)
        if 'gt_motion' in results:
            results['gt_motion'] = _resize_motion(results['gt_motion'], (width, height))
        has_pixels = any(key in results for key in ('frames', *_LABEL_FIELDS))
        if has_pixels:
            results['img_shape'] = (height, width)
        if 'scores' in results and self.score_scale is not None:
            results['scores'] = _resize_scores(results['scores'], self.score_scale)
            if not has_pixels:
                results['img_shape'] = results['scores'].shape[-2:]
        return results

    def _size(self, results: dict) -> tuple[int, int]:
        """(width, height) that a clip is resized to."""
        given = next((results[key].shape[1:3] for key in ('frames', *_LABEL_FIELDS) if key in results), None)
        return rescale_size(given[::-1], self.scale) if self.keep_ratio and given else self.scale


def _resize(images: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    pixels = images.view(np.uint8) if images.dtype == bool else images  # OpenCV knows no bool
    return np.stack([cv2.resize(image, size, interpolation=interpolation) for image in pixels]).view(
        images.dtype
    )


def _resize_motion(motion: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = motion.shape[2:]
    maps = _resize(motion.reshape(-1, height, width), size, cv2.INTER_NEAREST_EXACT)
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    return maps.reshape(-1, 2, *maps.shape[1:]) * scale[:, None, None]


def _resize_scores(scores: np.ndarray, scale: tuple[int, int]) -> np.ndarray:
    scores = torch.from_numpy(scores.astype(np.float32))
    return (
        F.interpolate(scores, size=scale[::-1], mode='bilinear', align_corners=False)
        .numpy()
        .astype(np.float16)
    )


@TRANSFORMS.register_module()
class ClipRandomCrop(BaseTransform):
    """Cut one random window out of the whole clip.

    Where scores are coarser than frames and labels, the window lies on the scores' grid, so that
    all of them show the same part of the scene.

    Args:
        size: (height, width) in pixels of ``img_shape``: of frames and labels where they are
            loaded, else of scores.

    Raises:
        ValueError: The window is larger than the clip, or off the scores' grid, or features are
            loaded.
    """

    def __init__(self, size: tuple[int, int]):
        self.size = check_pair('size', size)

    def transform(self, results: dict) -> dict:
        refuse_features(results, self, 'cut them alone with ClipRandomFeatureCrop')
        shape = results['img_shape']
        if self.size[0] > shape[0] or self.size[1] > shape[1]:
            raise ValueError(
                f'crop size {self.size} is larger than the clip {tuple(shape)} of sequence '
                f'{results["sequence_id"]}: choose a smaller one, or resize before'
            )
        cell = _score_cell(results)
        if self.size[0] % cell or self.size[1] % cell:
            raise ValueError(
                f'crop size {self.size} must be a multiple of {cell}, the size in pixels of one score'
            )
        corner = self.draw_corner(results, cell)
        for key, axis in ROW_AXES.items():
            if key in results:
                unit = cell if key == 'scores' else 1
                window = tuple(
                    slice(start // unit, (start + length) // unit) for start, length in zip(corner, self.size)
                )
                results[key] = results[key][(slice(None),) * axis + window]
        results['img_shape'] = self.size
        return results

    def draw_corner(self, results: dict, cell: int) -> list[int]:
        """The window's first row and column, multiples of ``cell``."""
        return [
            np.random.randint(length // cell - size // cell + 1) * cell
            for length, size in zip(results['img_shape'], self.size)
        ]


@TRANSFORMS.register_module()
class ClipMotionCrop(ClipRandomCrop):
    """Cut a random window in which something moves out of the whole clip.

    A window is drawn anew until it moves, up to ``max_redraws`` times; then the last one is taken. It
    moves if the mean squared difference between its last two frames, over pixels and channels scaled
    to [-1, 1], is above ``min_motion``. Source: the rule of the released code of arXiv 1511.05440,
    which sets no threshold.

    Args:
        size: (height, width) in pixels.
        min_motion: Threshold, at least 0.
        max_redraws: Draws after the first one.

    Raises:
        ValueError: As :class:`ClipRandomCrop`, or the clip has no two frames.
    """

    def __init__(self, size: tuple[int, int], min_motion: float = 0.005, max_redraws: int = 25):
        super().__init__(size)
        check_at_least(type(self).__name__, 0, min_motion=min_motion)
        check_integer(type(self).__name__, 0, max_redraws=max_redraws)
        self.min_motion = min_motion
        self.max_redraws = max_redraws

    def draw_corner(self, results: dict, cell: int) -> list[int]:
        frames = results.get('frames')
        if frames is None or len(frames) < 2:
            raise ValueError(
                f'ClipMotionCrop compares the last two frames of a clip, but sequence '
                f'{results["sequence_id"]} has {0 if frames is None else len(frames)} loaded'
            )
        for _ in range(self.max_redraws + 1):
            corner = super().draw_corner(results, cell)
            rows, columns = (slice(c, c + size) for c, size in zip(corner, self.size))
            if squared_motion(frames[-2, rows, columns], frames[-1, rows, columns]) > self.min_motion:
                break
        return corner


def _score_cell(results: dict) -> int:
    """Pixels of ``img_shape`` per score, along either axis."""
    if 'scores' not in results:
        return 1
    (height, width), (rows, columns) = results['img_shape'], results['scores'].shape[-2:]
    cell = height // rows
    if (rows * cell, columns * cell) != (height, width):
        raise ValueError(
            f'scores of {rows}x{columns} do not divide the clip of {height}x{width} pixels evenly, '
            'so that no crop fits both: resize one of them before'
        )
    return cell


@TRANSFORMS.register_module()
class ClipRandomFlip(BaseTransform):
    """Mirror the whole clip left to right, or leave it. Sets ``flip``: whether it is mirrored now.

    Args:
        prob: Probability, in [0, 1].

    Raises:
        ValueError: Features are loaded: a network does not give mirrored features for mirrored frames.
    """

    def __init__(self, prob: float = 0.5):
        check_range(type(self).__name__, 0, 1, prob=prob)
        self.prob = prob

    def transform(self, results: dict) -> dict:
        refuse_features(results, self, 'leave it out, or compute features in the training loop')
        flip = bool(np.random.random() < self.prob)
        results['flip'] = results.get('flip', False) != flip
        if flip:
            for key, axis in ROW_AXES.items():
                if key in results:
                    results[key] = np.flip(results[key], axis + 1)
            if 'gt_motion' in results:
                results['gt_motion'] = results['gt_motion'] * np.float32([-1, 1])[:, None, None]
        return results
