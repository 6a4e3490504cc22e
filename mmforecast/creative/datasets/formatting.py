"""The last transform of an image pipeline: from arrays to the model's inputs."""

from mmcv.transforms import BaseTransform

from mmforecast.creative import CreativeDataSample
from mmforecast.datasets.transforms.formatting import to_tensor
from mmforecast.registry import TRANSFORMS

__all__ = ['PackCreativeInputs']


@TRANSFORMS.register_module()
class PackCreativeInputs(BaseTransform):
    """Turn the results of one image into ``dict(inputs, data_samples)``.

    ``inputs`` is the (3, H, W) uint8 RGB tensor. ``data_samples`` is a :class:`CreativeDataSample` with
    ``gt_labels``, ``gt_mask`` where one was loaded, and metainfo.

    Args:
        meta_keys: Metainfo to keep, of those that the results hold.
    """

    def __init__(
        self,
        meta_keys: tuple[str, ...] = ('img_path', 'sample_idx', 'img_shape', 'ori_shape', 'flip'),
    ):
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        sample = CreativeDataSample(metainfo={key: results[key] for key in self.meta_keys if key in results})
        sample.gt_labels = dict(results['gt_labels'])
        if 'gt_seg_map' in results:
            sample.gt_mask = to_tensor(results['gt_seg_map'][None] > 0)
        return dict(inputs=to_tensor(results['img'].transpose(2, 0, 1)), data_samples=sample)
