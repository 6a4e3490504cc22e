"""The transform that reads where the future frames move."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.checks import check_between

from ..file_access import CorruptFrameError, FileReader
from ..motion import color_flow_mask
from .loading import read_image, set_shape

__all__ = ['LoadMotionMasks']


@TRANSFORMS.register_module()
class LoadMotionMasks(BaseTransform):
    """Read the moving pixels of the n future frames off color-coded flow pictures.

    Adds ``gt_motion_mask``, (n, H, W) bool, by the rule of :func:`color_flow_mask`. The pictures are
    those of ``flow_paths``, so that a step without one is an error: leave this transform out to score
    whole frames, or moving areas by our own flow.

    Args:
        threshold: In (0, 1): a pixel moves where its red, green or blue is below it.

    Raises:
        CorruptFrameError: A step has no picture, or it is truncated or corrupt.
        ValueError: The clips have no flow pictures, or they are not of the size of the frames.
    """

    def __init__(self, threshold: float = 0.2):
        check_between(type(self).__name__, 0, 1, threshold=threshold)
        self.threshold = threshold
        self.files = FileReader()

    def transform(self, results: dict) -> dict:
        sequence = results['sequence_id']
        if not results.get('flow_paths'):
            raise ValueError(
                f'LoadMotionMasks needs flow pictures of future frames, and the clips of sequence '
                f'{sequence} have none: leave it out'
            )
        masks = []
        for step, path in enumerate(results['flow_paths']):
            if path is None:
                raise CorruptFrameError(
                    f'future step {step + 1} of sequence {sequence} has no flow picture: restore it, '
                    'or leave LoadMotionMasks out.',
                    f'{sequence}: flow of step {step + 1}',
                )
            flow = read_image(self.files, path, cv2.IMREAD_COLOR, sequence)
            set_shape(results, flow.shape[:2], path)
            masks.append(color_flow_mask(flow, self.threshold))
        results['gt_motion_mask'] = np.stack(masks)
        return results
