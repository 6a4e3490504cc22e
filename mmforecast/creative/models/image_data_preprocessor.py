"""Stacks images and scales them to [-1, 1]."""

import torch
from mmengine.model import BaseDataPreprocessor

from mmforecast.models.utils import rgb_to_unit
from mmforecast.registry import MODELS


@MODELS.register_module()
class ImageDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and stacks its images.

    ``inputs``, a list of B uint8 tensors (3, H, W) in RGB, becomes (B, 3, H, W) float32 in [-1, 1], which is
    what a generator's tanh gives.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        images = list(data['inputs'])
        shapes = sorted({tuple(image.shape) for image in images})
        if len(shapes) != 1:
            raise ValueError(
                f'the images of one batch have different shapes (C, H, W): {shapes}; resize them to one size '
                'in the pipeline'
            )
        if len(shapes[0]) != 3 or shapes[0][0] != 3 or images[0].dtype != torch.uint8:
            raise ValueError(
                f'ImageDataPreprocessor needs uint8 RGB images (3, H, W), got {images[0].dtype} of {shapes[0]}'
            )
        data['inputs'] = rgb_to_unit(torch.stack(images).float())
        data.setdefault('data_samples', None)
        return data
