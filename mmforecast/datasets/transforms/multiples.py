"""Transforms that bring a clip to a size that a network can halve."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS
from mmforecast.structures.cityscapes import IGNORE_INDEX
from mmforecast.utils.checks import check_positive

from .geometry import ROW_AXES, refuse_features

__all__ = ['ClipCropToMultiple', 'ClipPadToMultiple']

# What is said of the pixels beside the picture: nothing.
_OUTSIDE = dict(gt_sem_seg=IGNORE_INDEX, gt_instance_map=-1, gt_depth=0, gt_motion_mask=0, gt_motion=np.nan)


class _ToMultiple(BaseTransform):
    """Base of both: finds out by how many rows and columns a clip is off.

    Args:
        divisor: What height and width must be multiples of.

    Raises:
        ValueError: Scores or features are loaded, which would no longer match.
    """

    def __init__(self, divisor: int = 8):
        check_positive(type(self).__name__, divisor=divisor)
        self.divisor = divisor

    def _check(self, results: dict) -> None:
        refuse_features(results, self, 'leave it out, the features are there already')
        if 'scores' in results:
            raise ValueError(
                f'{type(self).__name__} does not act on scores, which would no longer match the '
                'other fields: use ClipResize'
            )


@TRANSFORMS.register_module()
class ClipCropToMultiple(_ToMultiple):
    """Cut off the rows and columns that are too many, from all sides alike.

    For evaluation: what is left are pixels of the data. Sets ``crop_box``, (left, top, right, bottom) of
    the part of the frame that is left, with exclusive ends.

    Args:
        divisor: What height and width become multiples of: the largest that fit.

    Raises:
        ValueError: A side is shorter than ``divisor``, or scores or features are loaded.
    """

    def transform(self, results: dict) -> dict:
        self._check(results)
        shape = results['img_shape']
        if min(shape) < self.divisor:
            raise ValueError(
                f'frames of sequence {results["sequence_id"]} are {shape[0]}x{shape[1]}, and no part '
                f'of them has sides that are multiples of {self.divisor}: use ClipPadToMultiple'
            )
        height, width = (length // self.divisor * self.divisor for length in shape)
        top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
        for key, axis in ROW_AXES.items():
            if key in results:
                window = slice(top, top + height), slice(left, left + width)
                results[key] = results[key][(slice(None),) * axis + window]
        results['crop_box'] = (left, top, left + width, top + height)
        results['img_shape'] = (height, width)
        return results


@TRANSFORMS.register_module()
class ClipPadToMultiple(_ToMultiple):
    """Add rows below and columns to the right that mirror the frame.

    For forecasts of a whole video, whose frames ``frame[:height, :width]`` of ``unpadded_shape`` give
    back. Labels are unknown there, and nothing moves. Sets ``unpadded_shape``, (height, width) before.

    Args:
        divisor: What height and width become multiples of: the smallest that contain the frame.

    Raises:
        ValueError: Scores or features are loaded.
    """

    def transform(self, results: dict) -> dict:
        self._check(results)
        shape = results['img_shape']
        below, right = (-length % self.divisor for length in shape)
        for key in ('frames', *_OUTSIDE):
            if key in results:
                results[key] = _pad(results[key], below, right, _OUTSIDE.get(key))
        results['unpadded_shape'] = tuple(shape)
        results['img_shape'] = (shape[0] + below, shape[1] + right)
        return results


def _pad(images: np.ndarray, below: int, right: int, value: int | None) -> np.ndarray:
    """Pad (T, H, W, ...) images with a value, or by reflection where it is None."""
    if value is not None:
        margins = (*((0, 0),) * (images.ndim - 2), (0, below), (0, right))
        return np.pad(images, margins, constant_values=value)
    border = cv2.BORDER_REFLECT_101
    return np.stack([cv2.copyMakeBorder(image, 0, below, 0, right, border) for image in np.array(images)])
