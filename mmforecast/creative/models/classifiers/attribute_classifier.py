"""A classifier of attributes, by which generated images are judged."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmforecast.creative import MISSING_LABEL, CreativeDataSample
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_positive

__all__ = ['AttributeClassifier']


@MODELS.register_module()
class AttributeClassifier(BaseModel):
    """A backbone, global average pooling, and a linear head per attribute.

    DeSIGN (arXiv 1804.00921) scores images by a ResNet-18 per attribute; with one attribute, this is one.
    The loss is the sum of the heads' cross-entropies over the images that are labeled.

    Args:
        backbone: A network that gives feature maps, such as ``mmdet.ResNet``; its last map is taken.
        in_channels: Channels of that map.
        attributes: Number of classes by attribute.
        mean, std: Of the RGB levels, in [0, 255], that the backbone sees standardised. Defaults to [-1, 1].
        input_size: Side that :meth:`features` and :meth:`classify` resize to; None leaves the images as
        they are.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        backbone: dict,
        in_channels: int,
        attributes: Mapping[str, int],
        mean: Sequence[float] = (127.5, 127.5, 127.5),
        std: Sequence[float] = (127.5, 127.5, 127.5),
        input_size: int | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor or dict(type='ImgDataPreprocessor'), init_cfg)
        if not attributes or min(attributes.values()) < 2:
            raise ValueError(
                f'attributes must give at least two classes for at least one attribute, got {dict(attributes)}'
            )
        if input_size is not None:
            check_positive('AttributeClassifier', input_size=input_size)
        self.attributes, self.input_size = dict(attributes), input_size
        self.backbone = MODELS.build(backbone)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(in_channels, classes) for name, classes in attributes.items()}
        )
        for key, value in (('mean', mean), ('std', std)):
            tensor = torch.tensor(value, dtype=torch.float32).view(1, 3, 1, 1)
            self.register_buffer(key, tensor, persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """Pooled features (N, C) of RGB images (N, 3, H, W) in [0, 255]."""
        if self.input_size is not None and images.shape[-2:] != (self.input_size,) * 2:
            images = F.interpolate(
                images.float(),
                size=(self.input_size,) * 2,
                mode='bilinear',
                align_corners=False,
                antialias=True,
            )
        maps = self.backbone((images.float() - self.mean) / self.std)
        return (maps[-1] if isinstance(maps, (tuple, list)) else maps).mean(dim=(2, 3))

    def classify(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (N, C), and by attribute probabilities (N, K), of RGB images in [0, 255]."""
        features = self.features(images)
        return features, {name: head(features).softmax(dim=1) for name, head in self.heads.items()}

    def forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[CreativeDataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[CreativeDataSample]:
        """One batch.

        Args:
            inputs: (N, 3, H, W), RGB in [0, 255].
            data_samples: N samples with ``gt_labels``; not needed in mode 'tensor'.
            mode: 'tensor' gives logits (N, K) by attribute. 'loss' gives ``loss_<attribute>`` and
                ``acc_<attribute>`` in percent. 'predict' writes ``pred_labels`` and ``pred_scores``.

        Raises:
            ValueError: Unknown ``mode``, or a label is missing or out of range.
        """
        check_choice('AttributeClassifier', ('tensor', 'loss', 'predict'), mode=mode)
        if mode == 'predict':
            return self._predict(inputs, data_samples)
        features = self.features(inputs)
        logits = {name: head(features) for name, head in self.heads.items()}
        if mode == 'tensor':
            return logits
        found = {}
        for name, scores in logits.items():
            labels = self._labels(name, data_samples).to(scores.device)
            known = labels != MISSING_LABEL
            # a batch without any label has a loss of 0 that still reaches every parameter
            loss = F.cross_entropy(scores[known], labels[known], reduction='sum')
            found[f'loss_{name}'] = loss / known.sum().clamp(min=1) + 0 * scores.sum()
            if known.any():
                right = scores[known].argmax(dim=1) == labels[known]
                found[f'acc_{name}'] = 100 * right.float().mean()
        return found

    def _labels(self, name: str, samples: Sequence[CreativeDataSample]) -> Tensor:
        if any(name not in sample.gt_labels for sample in samples):
            raise ValueError(
                f'the images have no attribute {name!r}, only {sorted(samples[0].gt_labels)}: choose '
                "the classifier's attributes by the data set's"
            )
        labels = torch.tensor([sample.gt_labels[name] for sample in samples])
        if labels.max() >= self.attributes[name]:
            raise ValueError(
                f'an image has the label {int(labels.max())} of {name!r}, but the classifier was '
                f'given {self.attributes[name]} classes: set attributes to what the data set has'
            )
        return labels

    def _predict(self, inputs: Tensor, samples: Sequence[CreativeDataSample]) -> list[CreativeDataSample]:
        _, probabilities = self.classify(inputs)
        for row, sample in enumerate(samples):
            sample.pred_scores = {name: p[row].detach().cpu() for name, p in probabilities.items()}
            sample.pred_labels = {name: int(p[row].argmax()) for name, p in probabilities.items()}
        return list(samples)
