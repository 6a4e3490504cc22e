"""The geometry of a config's test pipeline, applied to a user's frames and undone on forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.datasets.transforms import ClipPadToMultiple, ClipResize
from mmforecast.registry import TRANSFORMS
from mmforecast.structures import ForecastDataSample
from mmforecast.visualization.instances import resize_masks

__all__ = ['FramePipeline', 'InverseGeometry']

_RANDOM = ('ClipRandom', 'ClipMotionCrop')


@dataclass
class InverseGeometry:
    """The geometric transforms between the user's frames and the network's, to be undone.

    Attributes:
        sizes: (H, W) of the frames before each transform, in the order of the transforms.
        cuts: For each of them, whether it is undone by cropping rows below and columns on the right
            (what was padded) rather than by resizing.
    """

    sizes: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[bool] = field(default_factory=list)

    def images(self, images: np.ndarray, interpolation: int) -> np.ndarray:
        """(n, H, W) or (n, H, W, 3) images of the network's size, resized to the user's."""
        for (height, width), cut in reversed(list(zip(self.sizes, self.cuts))):
            if cut:
                images = images[:, :height, :width]
            else:
                images = _resize(images, (height, width), interpolation)
        return images

    def points(self, points: torch.Tensor, size: Sequence[int], clip: bool) -> torch.Tensor:
        """(N, 2k) x and y in frames of ``size`` (H, W), moved to the user's frames.

        Args:
            points: X and y, alternating.
            size: (H, W) of the frames that they are in.
            clip: Keep them inside the user's frames.
        """
        for (height, width), cut in reversed(list(zip(self.sizes, self.cuts))):
            if not cut:
                factor = points.new_tensor([width / size[1], height / size[0]])
                points = points * factor.repeat(points.shape[1] // 2)
            size = height, width
        if clip:
            ends = points.new_tensor([size[1], size[0]] * (points.shape[1] // 2))
            points = points.clamp(min=0).minimum(ends)
        return points

    def restore(self, sample: ForecastDataSample) -> ForecastDataSample:
        """Resize all that was forecast to the user's frames, in place; ``img_shape`` follows."""
        size = tuple(sample.img_shape)
        if 'pred_frames' in sample:
            sample.pred_frames = self._frames(sample.pred_frames, size)
        if not self.sizes:
            return sample
        for key in ('pred_sem_seg', 'ref_sem_seg', 'pred_panoptic', 'ref_panoptic'):
            if key in sample:
                labels = sample.get(key).data
                maps = self.images(labels.cpu().numpy(), cv2.INTER_NEAREST_EXACT)
                back = torch.from_numpy(np.ascontiguousarray(maps)).to(labels.device)
                setattr(sample, key, PixelData(data=back))
        for key in ('pred_instances', 'ref_instances', 'past_instances'):
            if key in sample:
                setattr(sample, key, [self._instances(step, size) for step in sample.get(key)])
        sample.set_metainfo(dict(img_shape=tuple(self.sizes[0])))
        return sample

    def _frames(self, frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Forecast frames (n, 3, h, w), which some forecasters make smaller than ``size``."""
        if not self.sizes and tuple(frames.shape[-2:]) == size:
            return frames
        images = frames.float().permute(0, 2, 3, 1).cpu().numpy()
        images = self.images(_resize(images, size, cv2.INTER_LINEAR), cv2.INTER_LINEAR)
        return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(frames.device)

    def _instances(self, instances: InstanceData, size: tuple[int, int]) -> InstanceData:
        if not instances.keys():
            return instances
        instances = instances.clone()
        if 'masks' in instances:
            device = instances.masks.device
            masks = resize_masks(instances.masks.cpu().numpy(), size)
            for (height, width), cut in reversed(list(zip(self.sizes, self.cuts))):
                masks = masks[:, :height, :width] if cut else resize_masks(masks, (height, width))
            del instances.masks
            instances.masks = torch.from_numpy(np.ascontiguousarray(masks)).to(device)
        for key, clip in (('bboxes', True), ('centroids', False)):
            if key in instances:
                moved = self.points(instances.get(key).float(), size, clip)
                setattr(instances, key, moved)
        return instances


class FramePipeline:
    """The transforms of a test pipeline that act on frames.

    Loading transforms are left out, since a user's frames are loaded already and have no labels; so are
    random transforms, and ``ClipCameraSpeed``, which sorts the clips of a test. ``ClipCropToMultiple`` becomes
    ``ClipPadToMultiple``, so that nothing is cut off.

    Args:
        pipeline: Configs of the transforms.
        scale: (width, height) that frames are resized to first, in place of a ``ClipResize`` of the
            pipeline; None: as the pipeline says.
    """

    def __init__(self, pipeline: Sequence[dict], scale: Sequence[int] | None = None):
        steps = [dict(step) for step in pipeline if not _is_left_out(step['type'])]
        if scale is not None:
            steps = [step for step in steps if step['type'].split('.')[-1] != 'ClipResize']
            steps.insert(0, dict(type='ClipResize', scale=tuple(scale)))
        for step in steps:
            if step['type'].split('.')[-1] == 'ClipCropToMultiple':
                step['type'] = 'ClipPadToMultiple'
        packs = [step for step in steps if step['type'].split('.')[-1] == 'PackForecastInputs']
        self.transforms = [TRANSFORMS.build(step) for step in steps if step not in packs]
        self.pack = TRANSFORMS.build(packs[0] if packs else dict(type='PackForecastInputs'))

    def __call__(self, frames: np.ndarray, meta: dict) -> tuple[dict, InverseGeometry]:
        """An item of a batch, as a dataset gives it, of (T, H, W, 3) frames; and how to undo the geometry."""
        results, back = self.transform(frames, meta)
        return self.pack(results), back

    def transform(self, frames: np.ndarray, meta: dict) -> tuple[dict, InverseGeometry]:
        """The results dict with ``frames`` as the network gets them, and how to undo the geometry."""
        shape = tuple(frames.shape[1:3])
        results = dict(meta, frames=frames, img_shape=shape, ori_shape=shape)
        back = InverseGeometry()
        for step in self.transforms:
            before = tuple(results['img_shape'])
            results = step(results)
            if tuple(results['img_shape']) != before:
                if not isinstance(step, (ClipPadToMultiple, ClipResize)):
                    raise ValueError(
                        f"{type(step).__name__} of the config's test pipeline changes the size of the "
                        'frames in a way that cannot be undone: use ClipResize or ClipPadToMultiple'
                    )
                back.sizes.append(before)
                back.cuts.append(isinstance(step, ClipPadToMultiple))
        return results, back


def _is_left_out(name: str) -> bool:
    name = name.split('.')[-1]
    return name.startswith(('Load', *_RANDOM)) or name == 'ClipCameraSpeed'


def _resize(images: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    if images.shape[1:3] == tuple(size):
        return images
    return np.stack([cv2.resize(image, (size[1], size[0]), interpolation=interpolation) for image in images])
