"""Stacks the clips of a batch; per-network normalization is each encoder's business."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmforecast.registry import MODELS


@MODELS.register_module()
class ForecastDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and stacks its clips.

    ``inputs``, a list of B uint8 tensors (T, 3, H, W) in RGB, becomes (B, T, 3, H, W) float32 in
    [0, 255]. Frames that the pipeline didn't load are (T, 3, 0, 0) and stay so.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        data['inputs'] = self.stack(data['inputs'])
        data.setdefault('data_samples', None)
        return data

    @staticmethod
    def stack(clips: Tensor | list[Tensor]) -> Tensor:
        """(B, T, 3, H, W) float32 of B clips; raises ValueError when their shapes differ."""
        shapes = sorted({tuple(clip.shape) for clip in clips})
        if len(shapes) > 1:
            raise ValueError(
                f'the clips of one batch have different shapes (T, C, H, W): {shapes}; '
                'add ClipResize or ClipRandomCrop to the pipeline, or use batch_size=1'
            )
        if isinstance(clips, Tensor):
            return clips.float()
        return torch.stack(list(clips)).float()
