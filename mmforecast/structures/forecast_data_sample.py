"""The container of one clip: its metadata, ground truth and forecasts."""

import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from .fields import typed_field
from .instances import instances_from_id_map
from .panoptic import panoptic_from_id_map


class ForecastDataSample(BaseDataElement):
    """Ground truth and predictions of one clip of ``T = num_past + num_future`` frames.

    Ground-truth fields cover the whole clip, oldest frame first; prediction fields cover the ``n`` forecast
    steps, and step ``k`` (0-based) belongs to clip frame ``num_past + k``.

    Fields, each present only where it makes sense:

    - ``gt_sem_seg``: PixelData, ``data`` (T, H, W) uint8 train ids; 255 where unlabeled (a frame without
      labels is 255 everywhere).
    - ``gt_instance_map``: PixelData, ``data`` (T, H, W) int32, Cityscapes' instanceIds:
      ``label_id * 1000 + n`` on instances, ``label_id`` elsewhere (groups included); a frame without labels
      is -1 everywhere.
    - ``gt_depth``: PixelData, ``data`` (T, H, W) uint8, nearness in 255 bins: 255 is near, 1 is far or the
      sky, 0 is unknown (see :class:`LoadClipDepth`).
    - ``gt_motion_mask``: PixelData, ``data`` (n, H, W) bool, where each of the n future frames moves.
    - ``gt_motion``: tensor (n, 2, H, W), how far (right, down), in pixels, each pixel of the newest observed
      frame has moved in each of the n future frames; NaN where that is unknown or hidden.
    - ``scores``: tensor (T, C, h, w), precomputed pre-softmax scores of a segmentor.
    - ``features``: list over levels, finest first, of tensors (T, C, h, w), precomputed features of a
      detector. ``to()`` of a sample, as of every mmengine element, doesn't move the tensors of a list.
    - ``gt_frames``: tensor (n, 3, H, W), the true future frames, RGB in [0, 255].
    - ``pred_sem_seg``: PixelData, ``data`` (n, H, W), the forecast label maps.
    - ``ref_sem_seg``: PixelData, ``data`` (n, H, W), the segmentor's own output on the true future frames.
    - ``pred_depth``, ``ref_depth``: PixelData, ``data`` (n, H, W) uint8, bins as those of ``gt_depth``.
    - ``pred_scores``: tensor (n, C, h, w), forecast pre-softmax scores.
    - ``pred_frames``: tensor (n, 3, H, W), forecast frames, RGB in [0, 255].
    - ``pred_instances``: list over the n steps of InstanceData, ``labels`` (N,) in 0..7 in the order of
      ``THING_LABEL_IDS``, ``scores`` (N,), ``bboxes`` (N, 4) and ``masks`` (N, H, W) bool at ``img_shape``.
      Videos' forecasts may add ``visibility`` (N,) in [0, 1], the share of an instance's pixels that the
      newest frame showed. D2D adds ``track_ids`` (N,) int64, of one object the same in all frames, and
      ``centroids`` (N, 2), the (x, y) in pixels where it was expected.
    - ``past_instances``: list over the past frames of InstanceData with ``track_ids`` as those of
      ``pred_instances``; their ``masks`` may be smaller than ``img_shape``.
    - ``ref_instances``: as ``pred_instances``, the detector's own output on the true future frames.
    - ``pred_panoptic``: PixelData, ``data`` (n, H, W) int32, the forecast panoptic maps: 0 on void,
      Cityscapes' label id on stuff, ``label_id * 1000 + n`` on things.
    - ``ref_panoptic``: as ``pred_panoptic``, from ``ref_sem_seg`` and ``ref_instances``.

    ``gt_instances`` and ``gt_panoptic`` are no fields but computed from ``gt_instance_map``.

    Metainfo: ``sequence_id`` (str), ``frame_indices`` (T positions in the sequence, 0-based),
    ``frame_names`` (T names), ``img_paths``, ``num_past``, ``num_future``, ``stride`` (in frames), ``fps``,
    ``labelled`` (T bools), ``forecast_steps`` (n bools, False for steps that a direct forecast of a later step
    leaves out; absent where all are forecast),
    ``img_shape`` (H, W) after the pipeline, ``ori_shape`` before it,
    ``crop_box`` (left, top, right, bottom) of :class:`ClipCropToMultiple`, ``unpadded_shape`` (H, W) of
    :class:`ClipPadToMultiple`, ``flip``, ``flow_paths`` (n pictures of the flow into each future frame, or
    None), ``feature_levels`` (names of the levels in ``features``), ``feature_source`` (fingerprint of the
    weights that computed them), ``camera_speed`` (widths of the frame per step, of :class:`ClipCameraSpeed`),
    ``visibility`` (n shares of the pixels of each step that the newest frame showed).
    """

    gt_sem_seg: PixelData = typed_field('gt_sem_seg', PixelData)
    gt_instance_map: PixelData = typed_field('gt_instance_map', PixelData)
    gt_depth: PixelData = typed_field('gt_depth', PixelData)
    gt_motion_mask: PixelData = typed_field('gt_motion_mask', PixelData)
    gt_motion: torch.Tensor = typed_field('gt_motion', torch.Tensor)
    gt_frames: torch.Tensor = typed_field('gt_frames', torch.Tensor)
    scores: torch.Tensor = typed_field('scores', torch.Tensor)
    features: list[torch.Tensor] = typed_field('features', list)
    pred_sem_seg: PixelData = typed_field('pred_sem_seg', PixelData)
    pred_depth: PixelData = typed_field('pred_depth', PixelData)
    ref_depth: PixelData = typed_field('ref_depth', PixelData)
    pred_scores: torch.Tensor = typed_field('pred_scores', torch.Tensor)
    pred_frames: torch.Tensor = typed_field('pred_frames', torch.Tensor)
    pred_instances: list[InstanceData] = typed_field('pred_instances', list)
    past_instances: list[InstanceData] = typed_field('past_instances', list)
    ref_sem_seg: PixelData = typed_field('ref_sem_seg', PixelData)
    ref_instances: list[InstanceData] = typed_field('ref_instances', list)
    pred_panoptic: PixelData = typed_field('pred_panoptic', PixelData)
    ref_panoptic: PixelData = typed_field('ref_panoptic', PixelData)

    @property
    def gt_instances(self) -> list[InstanceData]:
        """The instances of each of the T frames, see :func:`instances_from_id_map`.

        Computed anew from ``gt_instance_map`` at each access, on its device; empty for a frame without
        labels. AttributeError where there is no ``gt_instance_map``.
        """
        return [instances_from_id_map(id_map) for id_map in self.gt_instance_map.data]

    @property
    def gt_panoptic(self) -> PixelData:
        """The true panoptic maps, (T, H, W) int32; besides the ids of ``pred_panoptic``, those of crowds.

        See :mod:`mmforecast.structures.panoptic`. Computed anew from ``gt_instance_map`` at each access; void
        all over a frame without labels. AttributeError where there is no ``gt_instance_map``.
        """
        return PixelData(data=panoptic_from_id_map(self.gt_instance_map.data))
