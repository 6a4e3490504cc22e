"""A clip to draw: a square that moves one pixel a frame over two classes."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.structures import ForecastDataSample


@pytest.fixture
def make_clip():
    """Builds (sample, frames): T = num_past + num_future labeled frames of 16x32."""

    def make(num_past=2, num_future=2, **meta):
        total = num_past + num_future
        labels = np.zeros((total, 16, 32), dtype=np.uint8)
        for index in range(total):
            labels[index, 4:12, 4 + index : 12 + index] = 1
        frames = np.stack([80 + 20 * labels] * 3, axis=-1)
        sample = ForecastDataSample(
            metainfo={
                'sequence_id': 'city/0',
                'frame_indices': [3 * index for index in range(total)],
                'num_past': num_past,
                'num_future': num_future,
                'stride': 3,
                'fps': 17.0,
                'labelled': [True] * total,
                **meta,
            }
        )
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(labels))
        last = labels[num_past - 1 : num_past].repeat(num_future, axis=0)
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(last).long())
        return sample, frames

    return make


@pytest.fixture
def make_instance_clip(make_clip):
    """Like ``make_clip``, with the square as car 26001 instead of a class; copy-last forecasts it."""

    def make(num_past=2, num_future=2, **meta):
        sample, frames = make_clip(num_past, num_future, **meta)
        square = sample.gt_sem_seg.data == 1
        del sample.gt_sem_seg, sample.pred_sem_seg
        ids = torch.where(square, 26001, 7).int()
        sample.gt_instance_map = PixelData(data=ids)
        sample.pred_instances = [
            InstanceData(
                labels=torch.tensor([2]),
                scores=torch.tensor([0.87]),
                masks=square[num_past - 1 : num_past],
            )
            for _ in range(num_future)
        ]
        return sample, frames

    return make
