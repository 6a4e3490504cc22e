"""F2F: forecasting instance segmentation in the space of a detector's features.

Luc, Couprie, LeCun, Verbeek, "Predicting future instance segmentation by forecasting convolutional
features", ECCV 2018.
"""

from collections.abc import Sequence
from itertools import product

import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.encoders.detector import read_heads
from mmforecast.models.utils import Pyramid, num_steps, random_crop
from mmforecast.models.utils.detector import detector_losses, reference_sample, training_sample
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_range

from .base import BaseForecaster, Samples

Frames = tuple[list[int], list[int], list[DetDataSample]]  # clip, step and targets of each
TARGETS = ('labels', 'reference')


@MODELS.register_module()
class F2FForecaster(BaseForecaster):
    """Forecasts the feature pyramid of any mmdet detector; its own heads read instances off the future.

    Args:
        encoder: A ``DetectorEncoder``; it holds the detector.
        predictor: e.g. ``F2FPredictor``.
        decoder: ``DetectionDecoder`` by default.
        train_cfg: Besides those of ``BaseForecaster``: ``crop_size`` (h, w) trains on one random window of
            the feature maps, in cells of the finest level (the networks are fully convolutional);
            ``detector_loss`` (default 0) weighs the detector's own losses on the forecast features of
            future frames, which then reach the predictor through the frozen heads. ``detector_targets`` says
            what the heads should find: the instances of the labeled frames ('labels', the default), or
            what they find in the true features of every frame with a score of at least ``score_thr``
            (default 0.5), which needs no labels ('reference').
        kwargs: See ``BaseForecaster``; ``test_cfg.reference`` is False by default here, since reading
            instances off the true future takes as long as the forecast.
    """

    train_keys = ('rollout_steps', 'crop_size', 'detector_loss', 'detector_targets', 'score_thr')
    baselines = {
        'copy-last': dict(predictor=dict(type='CopyLast')),
        'flow-shift': dict(
            predictor=dict(type='CopyLast'),
            decoder=dict(type='FlowInstanceDecoder', mode='shift', fill_boxes=True),
        ),
        'flow-warp': dict(
            predictor=dict(type='CopyLast'),
            decoder=dict(type='FlowInstanceDecoder', mode='warp', fill_boxes=True),
        ),
        'flow-features': dict(predictor=dict(type='FlowWarp')),
        'ego-motion': dict(predictor=dict(type='EgoMotion')),
        'ego-objects': dict(
            predictor=dict(type='CopyLast'),
            decoder=dict(type='FlowInstanceDecoder', mode='ego-motion', fill_boxes=True),
        ),
        'oracle': dict(predictor=dict(type='Oracle')),
    }

    def __init__(
        self,
        encoder: dict,
        predictor: dict,
        decoder: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        **kwargs,
    ):
        train_cfg, test_cfg = dict(train_cfg or {}), dict(test_cfg or {})
        crop_size = train_cfg.pop('crop_size', None)
        detector_loss = train_cfg.pop('detector_loss', 0.0)
        targets = train_cfg.pop('detector_targets', 'labels')
        score_thr = train_cfg.pop('score_thr', 0.5)
        check_choice('F2FForecaster: train_cfg', TARGETS, detector_targets=targets)
        check_range('F2FForecaster: train_cfg', 0, 1, score_thr=score_thr)
        test_cfg.setdefault('reference', False)
        decoder = decoder or dict(type='DetectionDecoder')
        super().__init__(encoder, predictor, decoder, train_cfg=train_cfg, test_cfg=test_cfg, **kwargs)
        self.crop_size = None if crop_size is None else tuple(crop_size)
        self.detector_loss = detector_loss
        self.detector_targets = targets
        self.score_thr = score_thr
        self._check_parts()

    def _check_parts(self) -> None:
        if not isinstance(self.encoder, DetectorEncoder):
            raise ValueError(
                'F2FForecaster reads instances with the heads of its encoder, so this must be a '
                f'DetectorEncoder, not {type(self.encoder).__name__}'
            )
        if self.detector_loss and self.detector_targets == 'reference' and not self.encoder.frozen:
            raise ValueError(
                "F2FForecaster: train_cfg.detector_targets='reference' are the detector's own instances, so "
                'it must not change: set frozen=True of the encoder'
            )
        if self.crop_size is not None and self.detector_loss:
            raise ValueError(
                'F2FForecaster: the detector needs whole frames, so train_cfg takes crop_size or '
                'detector_loss, not both'
            )
        if self.crop_size is not None and self.predictor.reads_frames:
            raise ValueError(
                f'F2FForecaster: {type(self.predictor).__name__} looks at whole frames besides the '
                'features, so it cannot be trained on train_cfg.crop_size; drop it'
            )

    def loss(self, inputs: Tensor, data_samples: Samples) -> dict[str, Tensor]:
        """Feature losses by step, and the detector's own where they weigh something.

        Args:
            inputs: (B, T, 3, H, W), T at least num_past + rollout_steps.
        """
        by_labels = self.detector_targets == 'labels'
        by_detector_alone = bool(self.detector_loss) and not self.predictor.losses
        if by_detector_alone and by_labels:  # Mask H2F: nobody looks at the true future
            self.check_clip_length(inputs)
            past, context = self._observe(inputs[:, : self.num_past], data_samples)
            target = None
        else:
            past, target, context = self.observe_training(inputs, data_samples)
            if self.crop_size is not None:
                past, target = random_crop([past, target], self.crop_size)
        if by_detector_alone:
            losses, future = {}, self.rollout(past, self.train_steps, context)
        else:
            losses, future = self.rollout(past, self.train_steps, context, target)
        if self.detector_loss:
            steps = num_steps(future)
            if by_labels:
                frames = self._labelled_frames(data_samples, steps)
            else:
                frames = self._reference_frames(target, data_samples, steps)
            losses.update(self._detector_losses(future, *frames))
        return losses

    def _labelled_frames(self, samples: Samples, steps: int) -> Frames:
        """Clip and step of every labeled future frame, and the targets of the detector there."""
        labelled = [
            (clip, step)
            for clip, sample in enumerate(samples)
            for step in range(steps)
            if 'gt_instance_map' in sample and sample.labelled[self.num_past + step]
        ]
        if not labelled:
            raise ValueError(
                'train_cfg.detector_loss needs instances of the future frames, but no frame of the '
                'batch has any: add LoadClipInstances to the pipeline, train where the last future frame '
                "is labelled (anchor='annotated'), or set detector_targets='reference'"
            )
        frame_size = samples[0].img_shape
        sizes = self.encoder.working_size(frame_size)
        own_labels = self.encoder.own_labels()
        targets = [
            training_sample(
                self.encoder.detector,
                frame_size,
                *sizes,
                samples[clip].gt_instance_map.data[self.num_past + step],
                own_labels,
            )
            for clip, step in labelled
        ]
        return *map(list, zip(*labelled)), targets

    @torch.no_grad()
    def _reference_frames(self, target: Pyramid, samples: Samples, steps: int) -> Frames:
        """As :meth:`_labelled_frames`, of all future frames: what the detector finds in their features."""
        clips, step_numbers = zip(*product(range(len(samples)), range(steps)))
        frame_size = samples[0].img_shape
        sizes = self.encoder.working_size(frame_size)
        found = read_heads(self.encoder, [level.flatten(0, 1) for level in target], frame_size)
        targets = [
            reference_sample(
                self.encoder.detector, frame_size, *sizes, instances[instances.scores >= self.score_thr]
            )
            for instances in found
        ]
        return list(clips), list(step_numbers), targets

    def _detector_losses(
        self, future: Pyramid, clips: list[int], steps: list[int], targets: list[DetDataSample]
    ) -> dict:
        """The detector's losses on the forecast features of these frames."""
        levels = [level[clips, steps] for level in future]
        features = self.encoder.complete(levels, targets[0].batch_input_shape)
        losses = detector_losses(self.encoder.detector, features, targets)
        return {
            f'detector.{name}': scale_loss(value, self.detector_loss) if 'loss' in name else value
            for name, value in losses.items()
        }


def scale_loss(value: Tensor | Sequence[Tensor], weight: float) -> Tensor | list[Tensor]:
    """A loss, or a list of one per level, times ``weight``."""
    return [v * weight for v in value] if isinstance(value, (list, tuple)) else value * weight
