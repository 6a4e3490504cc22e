"""KID between generated and real images in the validation loop, to choose checkpoints by."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmforecast.registry import METRICS

from .feature_distances import kernel_distance, require_torchmetrics


@METRICS.register_module()
class KernelDistanceMetric(BaseMetric):
    """KID between the images that a model generates and the real ones of the validation set.

    The key is ``KID x1000``; less is better, and it may be below 0. There are as many generated images as real
    ones. Choose checkpoints by validation images, and report scores by test images.

    Args:
        features: Arguments of :func:`~mmforecast.creative.apis.image_features.build_features`, or a function
            of RGB images (N, 3, H, W) in [0, 255] that gives (N, D).
        subset_size: See :func:`~mmforecast.creative.evaluation.kernel_distance`.
        seed: Of the draw of subsets.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before the key.
    """

    default_prefix = ''  # mmengine warns of None

    def __init__(
        self,
        features: dict | Callable[[Tensor], Tensor],
        subset_size: int = 1000,
        seed: int = 0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix)
        require_torchmetrics()
        if isinstance(features, dict):
            from mmforecast.creative.apis.image_features import build_features

            features = build_features(**features)
        self.features = features
        self.subset_size, self.seed = subset_size, seed

    def process(self, data_batch: dict, data_samples: Sequence[Any]) -> None:
        """Keep a real and a generated image of each sample, as uint8."""
        for real, sample in zip(data_batch['inputs'], data_samples):
            if isinstance(sample, BaseDataElement):
                sample = sample.to_dict()
            if 'pred_img' not in sample:
                raise ValueError('a sample has no pred_img: KernelDistanceMetric needs a CreativeGAN')
            generated = sample['pred_img'].round().clamp(0, 255).to(torch.uint8).cpu()
            self.results.append((real.cpu(), generated))

    def compute_metrics(self, results: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """KID of all images."""
        from mmforecast.creative.apis.image_features import compute

        real, generated = (compute(self.features, torch.stack(images))[0] for images in zip(*results))
        distance = kernel_distance(generated, real, subset_size=self.subset_size, seed=self.seed)
        return {'KID x1000': 1000 * distance}
