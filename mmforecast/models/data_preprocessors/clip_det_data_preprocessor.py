"""Feeds clips to an unmodified mmdet detector whose neck forecasts (``F2FNeck``)."""

from mmdet.models import DetDataPreprocessor
from mmdet.structures import DetDataSample
from torch import Tensor

from mmforecast.models.utils.detector import detector_sample, pad_frames, padded_size, resize
from mmforecast.models.utils.normalization import normalize_frames
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .forecast_data_preprocessor import ForecastDataPreprocessor


@MODELS.register_module()
class ClipDetDataPreprocessor(DetDataPreprocessor):
    """The past frames of B clips as one batch of B * num_past images, with one sample per clip.

    In training, and where the clips have labels, a sample has the ``gt_instances`` of the future frame that
    the neck is to forecast. Its metainfo names the clip (``sequence_id``) and that frame (``step``).

    Args:
        num_past: T of the neck; what a clip has beyond it is its future.
        step: The forecast step, 0-based: frame ``num_past + step`` of a clip is the target.
        size: (h, w) that frames are resized to first, bilinear; None keeps them.
        kwargs: See mmdet's ``DetDataPreprocessor``: mean, std, ``bgr_to_rgb`` (that is, whether the detector
            was trained on RGB; clips are RGB), ``pad_size_divisor``, ``pad_value``.
    """

    def __init__(
        self,
        num_past: int = 4,
        step: int = 0,
        size: tuple[int, int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if self.batch_augments is not None:
            raise ValueError(
                'ClipDetDataPreprocessor: batch_augments change single images, not clips; leave them out'
            )
        self.num_past, self.step = num_past, step
        self.size = None if size is None else tuple(size)

    def forward(self, data: dict, training: bool = False) -> dict:
        """``inputs`` (B * num_past, 3, h, w), clip by clip and oldest first; B ``data_samples``."""
        data = self.cast_data(data)
        clips = ForecastDataPreprocessor.stack(data['inputs'])
        if clips.shape[1] < self.num_past or clips.numel() == 0:
            raise ValueError(
                f'ClipDetDataPreprocessor needs clips (T, 3, H, W) of at least num_past={self.num_past} '
                f'frames, got {tuple(clips.shape[1:])}; check num_past, and add LoadClipFrames to the '
                'pipeline'
            )
        past = clips[:, : self.num_past].flatten(0, 1)
        return dict(
            inputs=pad_frames(self, normalize_frames(self, resize(past, self.size))),
            data_samples=self._samples(data['data_samples'], tuple(clips.shape[-2:]), training),
        )

    def _samples(
        self, clips: list[ForecastDataSample], frame_size: tuple[int, int], training: bool
    ) -> list[DetDataSample]:
        size = self.size or frame_size
        padded = padded_size(size, self.pad_size_divisor)
        samples = []
        for clip in clips:
            id_map = self._target(clip) if training else None
            sample = detector_sample(frame_size, size, padded, id_map)
            name = clip.get('sequence_id')
            sample.set_metainfo(dict(sequence_id=name, img_id=name, step=self.step))
            samples.append(sample)
        return samples

    def _target(self, clip: ForecastDataSample) -> Tensor:
        """(H, W) instance ids of the target frame."""
        frame = self.num_past + self.step
        labelled = clip.get('labelled', ())
        if 'gt_instance_map' not in clip or frame >= len(labelled) or not labelled[frame]:
            raise ValueError(
                f'ClipDetDataPreprocessor: clip of sequence {clip.get("sequence_id")} has no instances '
                f'in frame {frame} (labelled: {list(labelled)}), on which the detector trains; add '
                'LoadClipInstances to the pipeline, and choose num_future and anchor so that this '
                'frame is labelled'
            )
        return clip.gt_instance_map.data[frame]
