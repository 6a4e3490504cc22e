"""F2F: forecasting instance segmentation in the space of a detector's features.

Luc, Couprie, LeCun, Verbeek, "Predicting future instance segmentation by forecasting convolutional
features", ECCV 2018.
"""

from collections.abc import Sequence

from torch import Tensor

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.utils import Pyramid, num_steps, random_crop
from mmforecast.models.utils.detector import detector_losses, training_sample
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseForecaster


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
            every labeled future frame, which then reach the predictor through the frozen heads.
        kwargs: See ``BaseForecaster``; ``test_cfg.reference`` is False by default here, since reading
            instances off the true future takes as long as the forecast.
    """

    train_keys = ('rollout_steps', 'crop_size', 'detector_loss')
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
        test_cfg.setdefault('reference', False)
        decoder = decoder or dict(type='DetectionDecoder')
        super().__init__(encoder, predictor, decoder, train_cfg=train_cfg, test_cfg=test_cfg, **kwargs)
        self.crop_size = None if crop_size is None else tuple(crop_size)
        self.detector_loss = detector_loss
        self._check_parts()

    def _check_parts(self) -> None:
        if not isinstance(self.encoder, DetectorEncoder):
            raise ValueError(
                'F2FForecaster reads instances with the heads of its encoder, so this must be a '
                f'DetectorEncoder, not {type(self.encoder).__name__}'
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

    def loss(self, inputs: Tensor, data_samples: list[ForecastDataSample]) -> dict[str, Tensor]:
        """Feature losses by step, and the detector's own where they weigh something.

        Args:
            inputs: (B, T, 3, H, W), T at least num_past + rollout_steps.
        """
        if self.detector_loss and not self.predictor.losses:  # nothing else to train on (Mask H2F)
            self.check_clip_length(inputs)
            past, context = self._observe(inputs[:, : self.num_past], data_samples)
            losses, future = {}, self.rollout(past, self.train_steps, context)
        else:
            past, target, context = self.observe_training(inputs, data_samples)
            if self.crop_size is not None:
                past, target = random_crop([past, target], self.crop_size)
            losses, future = self.rollout(past, self.train_steps, context, target)
        if self.detector_loss:
            losses.update(self._detector_losses(future, data_samples))
        return losses

    def _detector_losses(self, future: Pyramid, samples: list[ForecastDataSample]) -> dict:
        """The detector's losses on the forecast features of all labeled future frames."""
        labelled = [
            (clip, step)
            for clip, sample in enumerate(samples)
            for step in range(num_steps(future))
            if 'gt_instance_map' in sample and sample.labelled[self.num_past + step]
        ]
        if not labelled:
            raise ValueError(
                'train_cfg.detector_loss needs instances of the future frames, but no frame of the '
                'batch has any: add LoadClipInstances to the pipeline, or train where the last '
                'future frame is labelled (anchor="annotated")'
            )
        clips, steps = zip(*labelled)
        levels = [level[list(clips), list(steps)] for level in future]
        frame_size = samples[0].img_shape
        sizes = self.encoder.working_size(frame_size)
        own_labels = self.encoder.own_labels()
        truth = [
            training_sample(
                self.encoder.detector,
                frame_size,
                *sizes,
                samples[clip].gt_instance_map.data[self.num_past + step],
                own_labels,
            )
            for clip, step in labelled
        ]
        features = self.encoder.complete(levels, truth[0].batch_input_shape)
        losses = detector_losses(self.encoder.detector, features, truth)
        return {
            f'detector.{name}': scale_loss(value, self.detector_loss) if 'loss' in name else value
            for name, value in losses.items()
        }


def scale_loss(value: Tensor | Sequence[Tensor], weight: float) -> Tensor | list[Tensor]:
    """A loss, or a list of one per level, times ``weight``."""
    return [v * weight for v in value] if isinstance(value, (list, tuple)) else value * weight
