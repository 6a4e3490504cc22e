"""The container of one image: how it is labeled, and what was generated or recognized."""

import torch
from mmengine.structures import BaseDataElement

from mmforecast.structures.fields import typed_field

__all__ = ['CreativeDataSample', 'MISSING_LABEL']

# The label of an attribute that an image isn't labeled with.
MISSING_LABEL = -1


class CreativeDataSample(BaseDataElement):
    """Labels of one image by attribute, and predictions for it.

    An attribute (``shape``, ``texture``) is one way of sorting images into classes; its class names are the
    dataset's metainfo: ``attributes=dict(shape=(...), texture=(...))``.

    Fields, each present only where it makes sense:

    - ``gt_labels``: dict from attribute to class index; -1 where this image has no label of it.
    - ``gt_mask``: tensor (1, H, W) bool, True on the garment.
    - ``pred_img``: tensor (3, H, W) float, a generated image, RGB in [0, 255].
    - ``pred_labels``: dict as ``gt_labels``. Of a generated image: the condition that it was generated under.
      Of a classified one: the classes found.
    - ``pred_scores``: dict from attribute to tensor (K,), a classifier's probabilities.

    ``to()`` doesn't move the tensors of a dict.

    Metainfo: ``img_path`` (None where the image was generated on the fly), ``sample_idx``, ``img_shape``
    (H, W) after the pipeline, ``ori_shape`` before it, ``flip``.
    """

    gt_labels: dict[str, int] = typed_field('gt_labels', dict)
    gt_mask: torch.Tensor = typed_field('gt_mask', torch.Tensor)
    pred_img: torch.Tensor = typed_field('pred_img', torch.Tensor)
    pred_labels: dict[str, int] = typed_field('pred_labels', dict)
    pred_scores: dict[str, torch.Tensor] = typed_field('pred_scores', dict)
