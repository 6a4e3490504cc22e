"""The last transform of a pipeline: from arrays to the model's inputs."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData

from mmforecast.registry import TRANSFORMS
from mmforecast.structures import ForecastDataSample

__all__ = ['PackForecastInputs', 'to_tensor']


@TRANSFORMS.register_module()
class PackForecastInputs(BaseTransform):
    """Turn a results dict into ``dict(inputs, data_samples)``.

    ``inputs`` is the (T, 3, H, W) uint8 RGB tensor, (T, 3, 0, 0) where no frames were loaded.
    ``data_samples`` is a :class:`ForecastDataSample` with ``gt_sem_seg``, ``gt_instance_map``, ``gt_depth``,
    ``gt_motion_mask``, ``gt_motion``, ``scores`` and ``features`` where they were loaded, and metainfo.

    Args:
        meta_keys: Metainfo to keep, of those that the results hold.
    """

    def __init__(
        self,
        meta_keys: tuple[str, ...] = (
            'sequence_id',
            'frame_indices',
            'frame_names',
            'img_paths',
            'num_past',
            'num_future',
            'stride',
            'fps',
            'labelled',
            'img_shape',
            'ori_shape',
            'crop_box',
            'unpadded_shape',
            'flip',
            'flow_paths',
            'feature_levels',
            'feature_source',
            'camera_speed',
        ),
    ):
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        if 'frames' in results:
            inputs = to_tensor(results['frames'].transpose(0, 3, 1, 2))
        else:
            inputs = torch.empty((len(results['frame_indices']), 3, 0, 0), dtype=torch.uint8)
        sample = ForecastDataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        for key in ('gt_sem_seg', 'gt_instance_map', 'gt_depth', 'gt_motion_mask'):
            if key in results:
                setattr(sample, key, PixelData(data=to_tensor(results[key])))
        if 'gt_motion' in results:
            sample.gt_motion = to_tensor(results['gt_motion'])
        if 'scores' in results:
            sample.scores = to_tensor(results['scores'])
        if 'features' in results:
            sample.features = [to_tensor(level) for level in results['features']]
        return dict(inputs=inputs, data_samples=sample)


def to_tensor(array: np.ndarray) -> torch.Tensor:
    """A contiguous tensor of its own memory: arrays may be flipped, cropped or read-only views."""
    return torch.from_numpy(np.array(array, order='C'))
