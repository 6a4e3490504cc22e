"""The transform that estimates how fast the camera moves."""

import torch
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.flow import dis_flow

__all__ = ['ClipCameraSpeed']


@TRANSFORMS.register_module()
class ClipCameraSpeed(BaseTransform):
    """Measure the motion between the two newest past frames, for scores by the camera's speed.

    Adds ``camera_speed``: the mean length of the optical flow (OpenCV's DIS) over the frame, in widths of the
    frame per step. It stands for the speed at which the picture changes: that of the camera, turns included,
    where most of the frame is not moving by itself.

    Raises:
        ValueError: The clip has no frames, or fewer than two past ones.
    """

    def transform(self, results: dict) -> dict:
        num_past = results['num_past']
        if 'frames' not in results or num_past < 2:
            raise ValueError(
                'ClipCameraSpeed compares two past frames: put it after LoadClipFrames, and set num_past to '
                '2 or more'
            )
        newest = torch.from_numpy(results['frames'][num_past - 2 : num_past].copy()).permute(0, 3, 1, 2)
        flow = dis_flow(newest[1:].float(), newest[:1].float())
        results['camera_speed'] = float(flow.norm(dim=1).mean()) / flow.shape[-1]
        return results
