"""The container of one clip: what was known of it, what is true, and what was forecast."""

from typing import List

import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData


class ForecastDataSample(BaseDataElement):
    """Ground truth and predictions of one clip of ``T = num_past + num_future`` frames.

    Ground-truth fields cover the whole clip, oldest frame first; prediction fields cover the ``n`` forecast
    steps, and step ``k`` (0-based) belongs to clip frame ``num_past + k``.

    Fields, each present only where it makes sense:

    - ``gt_sem_seg``: PixelData, ``data`` (T, H, W) uint8 train ids; 255 where unlabelled (a frame without
      labels is 255 everywhere).
    - ``scores``: tensor (T, C, h, w), precomputed pre-softmax scores of a segmentor.
    - ``gt_frames``: tensor (n, 3, H, W), the true future frames, RGB in [0, 255].
    - ``gt_instances``: list over the T frames of InstanceData (empty where unlabelled).
    - ``pred_sem_seg``: PixelData, ``data`` (n, H, W), the forecast label maps.
    - ``ref_sem_seg``: PixelData, ``data`` (n, H, W), the segmentor's own output on the true future frames.
    - ``pred_scores``: tensor (n, C, h, w), forecast pre-softmax scores.
    - ``pred_frames``: tensor (n, 3, H, W), forecast frames, RGB in [0, 255].
    - ``pred_instances``: list over the n steps of InstanceData.

    Metainfo: ``sequence_id`` (str), ``frame_indices`` (T positions in the sequence, 0-based),
    ``frame_names`` (T names), ``num_past``, ``num_future``, ``stride`` (in frames), ``fps``,
    ``labelled`` (T bools), ``img_shape`` (H, W) after the pipeline, ``ori_shape`` before it, ``flip``.
    """

    @property
    def gt_sem_seg(self) -> PixelData:
        return self._gt_sem_seg

    @gt_sem_seg.setter
    def gt_sem_seg(self, value: PixelData):
        self.set_field(value, '_gt_sem_seg', dtype=PixelData)

    @gt_sem_seg.deleter
    def gt_sem_seg(self):
        del self._gt_sem_seg

    @property
    def pred_sem_seg(self) -> PixelData:
        return self._pred_sem_seg

    @pred_sem_seg.setter
    def pred_sem_seg(self, value: PixelData):
        self.set_field(value, '_pred_sem_seg', dtype=PixelData)

    @pred_sem_seg.deleter
    def pred_sem_seg(self):
        del self._pred_sem_seg

    @property
    def ref_sem_seg(self) -> PixelData:
        return self._ref_sem_seg

    @ref_sem_seg.setter
    def ref_sem_seg(self, value: PixelData):
        self.set_field(value, '_ref_sem_seg', dtype=PixelData)

    @ref_sem_seg.deleter
    def ref_sem_seg(self):
        del self._ref_sem_seg

    @property
    def scores(self) -> torch.Tensor:
        return self._scores

    @scores.setter
    def scores(self, value: torch.Tensor):
        self.set_field(value, '_scores', dtype=torch.Tensor)

    @scores.deleter
    def scores(self):
        del self._scores

    @property
    def pred_scores(self) -> torch.Tensor:
        return self._pred_scores

    @pred_scores.setter
    def pred_scores(self, value: torch.Tensor):
        self.set_field(value, '_pred_scores', dtype=torch.Tensor)

    @pred_scores.deleter
    def pred_scores(self):
        del self._pred_scores

    @property
    def gt_frames(self) -> torch.Tensor:
        return self._gt_frames

    @gt_frames.setter
    def gt_frames(self, value: torch.Tensor):
        self.set_field(value, '_gt_frames', dtype=torch.Tensor)

    @gt_frames.deleter
    def gt_frames(self):
        del self._gt_frames

    @property
    def pred_frames(self) -> torch.Tensor:
        return self._pred_frames

    @pred_frames.setter
    def pred_frames(self, value: torch.Tensor):
        self.set_field(value, '_pred_frames', dtype=torch.Tensor)

    @pred_frames.deleter
    def pred_frames(self):
        del self._pred_frames

    @property
    def gt_instances(self) -> List[InstanceData]:
        return self._gt_instances

    @gt_instances.setter
    def gt_instances(self, value: List[InstanceData]):
        self.set_field(value, '_gt_instances', dtype=list)

    @gt_instances.deleter
    def gt_instances(self):
        del self._gt_instances

    @property
    def pred_instances(self) -> List[InstanceData]:
        return self._pred_instances

    @pred_instances.setter
    def pred_instances(self, value: List[InstanceData]):
        self.set_field(value, '_pred_instances', dtype=list)

    @pred_instances.deleter
    def pred_instances(self):
        del self._pred_instances
