"""A clip of noise with two cars, as a dataset gives it."""

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from mmforecast.structures import ForecastDataSample
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO

NUM_PAST = 2


def clip(size: tuple[int, int]) -> dict:
    """Smooth noise of (height, width), with two cars in all frames."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand((NUM_PAST + 1, 3, size[0] // 8, size[1] // 8), generator=generator) * 255
    frames = F.interpolate(noise, size, mode='bilinear').round().to(torch.uint8)
    ids = torch.zeros(NUM_PAST + 1, *size, dtype=torch.int32)
    labels = torch.zeros_like(ids, dtype=torch.uint8)
    for index, (top, left) in enumerate(((10, 12), (60, 70))):
        ids[:, top : top + 40, left : left + 50] = 26001 + index
        labels[:, top : top + 40, left : left + 50] = 13
    sample = ForecastDataSample(
        metainfo=dict(
            sequence_id='noise',
            frame_indices=[0, 1, 2],
            frame_names=list('abc'),
            num_past=NUM_PAST,
            num_future=1,
            stride=1,
            fps=10.0,
            labelled=[True] * 3,
            img_shape=size,
            ori_shape=size,
        )
    )
    sample.gt_instance_map, sample.gt_sem_seg = PixelData(data=ids), PixelData(data=labels)
    return dict(inputs=frames, data_samples=sample)


class OneClip(torch.utils.data.Dataset):
    """A dataset of one clip of frames of ``size``, (height, width)."""

    def __init__(self, size: tuple[int, int]):
        self.size, self.metainfo = size, CITYSCAPES_METAINFO

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return clip(self.size)
