"""The base class of forecasters: encode, roll out, decode."""

from collections.abc import Callable

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmforecast.models.predictors import BasePredictor, ForecastContext
from mmforecast.models.utils import Pyramid, num_steps, slide, time_cat, time_slice
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive

from .shapes import check_shapes, complete_config, rename

Samples = list[ForecastDataSample]
Critic = Callable[[Pyramid, list[Tensor], int], dict[str, Tensor]]


class BaseForecaster(BaseModel):
    """Composes an encoder, a predictor and a decoder, and owns the roll-out.

    Args:
        encoder, predictor, decoder: configs. The predictor is built with ``num_past`` and with the
            ``channels`` and ``num_levels`` of the encoder, as far as it takes them; its config may set them
            to the same.
        num_past: Observed frames per clip.
        train_cfg: ``rollout_steps`` (default: one call of the predictor): steps that are predicted,
            scored and back-propagated through in training.
        test_cfg: ``rollout_steps`` (default: as in training): the horizon. ``reference`` (default
            True): also decode the encoder's output on the true future, where the clip has it.
        panoptic: Config of a ``PanopticDecoder``, which merges what ``decoder`` writes, or a baseline's; None
            for no panoptic maps.

    Attributes:
        train_keys: What ``train_cfg`` may hold.
        baselines: Forecasts without training that stand in every results table, by name: the keys that
            they put in the place of the config's. 'oracle', the upper bound, comes last.
    """

    train_keys: tuple[str, ...] = ('rollout_steps',)
    baselines: dict[str, dict] = {
        'copy-last': dict(predictor=dict(type='CopyLast')),
        'flow': dict(predictor=dict(type='FlowWarp')),
        'ego-motion': dict(predictor=dict(type='EgoMotion')),
        'oracle': dict(predictor=dict(type='Oracle')),
    }

    def __init__(
        self,
        encoder: dict,
        predictor: dict,
        decoder: dict,
        num_past: int = 4,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        panoptic: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        # Built here, because BaseModel would look the type up in the root registry.
        preprocessor = MODELS.build(data_preprocessor or dict(type='ForecastDataPreprocessor'))
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.num_past = num_past
        self.encoder = MODELS.build(rename(encoder))
        shapes = self.predictor_shapes()
        self.predictor = self.build_predictor(rename(predictor), shapes)
        self.decoder = MODELS.build(decoder)
        self.panoptic = None if panoptic is None else MODELS.build(panoptic)
        train_cfg, test_cfg = dict(train_cfg or {}), dict(test_cfg or {})
        self.train_steps = train_cfg.pop('rollout_steps', self.predictor.num_outputs)
        self.test_steps = test_cfg.pop('rollout_steps', self.train_steps)
        self.with_reference = test_cfg.pop('reference', True)
        for name, rest in (('train_cfg', train_cfg), ('test_cfg', test_cfg)):
            if rest:
                raise ValueError(
                    f'{type(self).__name__}: unknown keys {sorted(rest)} in {name}; '
                    f'train_cfg takes {", ".join(self.train_keys)}, test_cfg rollout_steps and '
                    'reference'
                )
        self._check_time()

    def _check_time(self) -> None:
        name, predictor = type(self).__name__, self.predictor
        for which, steps in (('train', self.train_steps), ('test', self.test_steps)):
            check_positive(f'{name}: {which}_cfg', rollout_steps=steps)
            if steps % predictor.num_outputs:
                raise ValueError(
                    f'{name}: the predictor gives {predictor.num_outputs} steps per call, so '
                    f'{which}_cfg.rollout_steps must be a multiple of it, got {steps}'
                )
            if steps > predictor.num_outputs and not self.feeds_back():
                raise ValueError(
                    f'{name}: {which}_cfg.rollout_steps={steps} needs several calls of '
                    f'the predictor, but {self.why_not_fed_back()}'
                )
        if predictor.one_call_in_training and self.train_steps > predictor.num_outputs:
            raise ValueError(
                f'{name}: {type(predictor).__name__} sees a part of what it forecasts while it trains, so '
                f'train_cfg.rollout_steps must be {predictor.num_outputs}, got {self.train_steps}'
            )
        if predictor.num_skipped and not self.decoder.takes_skipped_steps:
            raise ValueError(
                f'{name}: the predictor leaves out steps on the way to the one that it forecasts, which '
                f'{type(self.decoder).__name__} cannot write; set lead=1 of the predictor'
            )

    def build_predictor(self, config: dict, shapes: dict[str, int]) -> BasePredictor:
        """The predictor of a config, built with ``shapes`` where it takes them and doesn't set them."""
        predictor = MODELS.build(complete_config(config, shapes))
        check_shapes(predictor, shapes, type(self).__name__)
        return predictor

    def predictor_shapes(self) -> dict[str, int]:
        """Shapes that the predictor is built with where its config doesn't set them, by argument."""
        shapes = dict(
            num_past=self.num_past,
            channels=getattr(self.encoder, 'channels', None),
            num_levels=getattr(self.encoder, 'num_levels', None),
        )
        return {name: value for name, value in shapes.items() if value is not None}

    def feeds_back(self) -> bool:
        """Whether a prediction can be the next call's input."""
        return not self.predictor.num_skipped

    def why_not_fed_back(self) -> str:
        """The reason why predictions can't be fed back, to end an error message."""
        if self.predictor.num_skipped:
            steps = self.predictor.num_outputs
            return f'it forecasts step {steps} directly, without those before; set rollout_steps to {steps}'
        return 'its outputs cannot be fed back as inputs'

    # Entry points of mmengine.

    def forward(
        self, inputs: Tensor, data_samples: Samples | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | Samples | Pyramid:
        """``loss`` gives a dict, ``predict`` the samples with predictions, ``tensor`` the pyramid."""
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            past, context = self._observe(inputs, data_samples)
            return self.rollout(past, self.test_steps, context)
        raise ValueError(f"{type(self).__name__}: mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: Tensor, data_samples: Samples) -> dict[str, Tensor]:
        """Losses of a roll-out of ``train_cfg.rollout_steps``, by step where there are several.

        Args:
            inputs: (B, T, 3, H, W), T at least num_past + rollout_steps.
        """
        past, target, context = self.observe_training(inputs, data_samples)
        return self.rollout(past, self.train_steps, context, target)[0]

    def observe_training(self, inputs: Tensor, samples: Samples) -> tuple[Pyramid, Pyramid, ForecastContext]:
        """The predictor's input and target of a batch of training clips, and its context."""
        self.check_clip_length(inputs)
        past, context = self._observe(inputs, samples)
        return past, time_slice(self.select_target(context.future), 0, self.train_steps), context

    def check_clip_length(self, inputs: Tensor) -> None:
        """Raise a ValueError where training clips (B, T, 3, H, W) lack future frames."""
        steps = self.train_steps
        if inputs.shape[1] < self.num_past + steps:
            raise ValueError(
                f'training rolls out {steps} steps after {self.num_past} past frames, but the clips '
                f'have {inputs.shape[1]} frames; set num_future of the training dataset to {steps}'
            )

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: Samples) -> Samples:
        """Samples with the decoded forecast of ``test_cfg.rollout_steps`` steps.

        Where the clip carries its future frames, ``ref_*`` holds what the encoder makes of them.
        """
        if self.encoder.from_rgb and not (self.with_reference or self.predictor.reads_future):
            inputs = inputs[:, : self.num_past]  # nobody looks at the future
        self._check_clips(inputs, data_samples)
        return self.forecast(self.encode(inputs, data_samples), inputs, data_samples)

    @torch.no_grad()
    def forecast(self, representation: Pyramid, frames: Tensor, samples: Samples) -> Samples:
        """As ``predict``, from frames that are already encoded.

        Args:
            representation: What ``encode`` made of the frames, (B, T, C, h, w) per level.
            frames: (B, T, 3, H, W), T at least num_past.
        """
        past, context = self.split(representation, frames, samples)
        future = self.rollout(past, self.test_steps, context)
        self._decode_and_merge(future, samples, context, 'pred')
        if self.predictor.num_skipped:
            done = [step >= self.predictor.num_skipped for step in range(self.test_steps)]
            for sample in samples:
                sample.set_metainfo(dict(forecast_steps=done))
        if self.with_reference and context.future is not None:
            self._decode_and_merge(context.future, samples, context, 'ref')
        return samples

    def _decode_and_merge(
        self, future: Pyramid, samples: Samples, context: ForecastContext, target: str
    ) -> None:
        self.decode(future, samples, context, target)
        if self.panoptic is not None:
            self.panoptic.decode(future, samples, context, target)

    # The four things every forecasting system does.

    def encode(self, frames: Tensor, samples: Samples) -> Pyramid:
        """Representations of all frames of the clips."""
        return self.encoder.encode(frames, samples)

    def select_input(self, representation: Pyramid) -> Pyramid:
        """The part of the representation that the predictor sees."""
        return representation

    def select_target(self, representation: Pyramid) -> Pyramid:
        """The part of the representation that the predictor forecasts."""
        return representation

    def decode(
        self, future: Pyramid, samples: Samples, context: ForecastContext, target: str = 'pred'
    ) -> None:
        """Write ``{target}_*`` into the samples.

        Args:
            future: A forecast; for ``target='ref'``, the whole representation of the true future.
        """
        if target == 'ref':
            future = self.select_target(future)
        self.decoder.decode(future, samples, context, target)

    def rollout(
        self,
        past: Pyramid,
        steps: int,
        context: ForecastContext,
        target: Pyramid | None = None,
        critic: Critic | None = None,
    ) -> Pyramid | tuple[dict[str, Tensor], Pyramid]:
        """Predict ``steps`` steps, feeding predictions back through a sliding window.

        Args:
            past: (B, num_past, C, h, w) per level.
            steps: A multiple of ``predictor.num_outputs``.
            context: Of this clip; ``step`` and ``state`` are updated on the way.
            target: (B, steps, C', h, w) per level. With it, gradients flow through all steps, and
                the losses are returned too.
            critic: Called after each call of the predictor with the window that it saw, its guesses by
                scale, coarsest first (one for a predictor of one scale), and the index of the first step;
                returns further losses.

        Returns:
            (B, steps, C', h, w) per level; with a target, the losses before it.
        """
        window, predictions, losses = past, [], {}
        stride = self.predictor.num_outputs
        for start in range(0, steps, stride):
            context.step, context.guesses = start, None
            if target is None:
                new = self.predictor(window, context)
            else:
                part = time_slice(target, start, start + stride)
                terms, new = self.predictor.loss_and_predict(window, part, context)
                self._add_losses(losses, terms, start, steps)
            if critic is not None:
                terms = critic(window, context.guesses or new, start)
                self._add_losses(losses, terms, start, steps)
            predictions.append(new)
            if start + stride < steps:
                window = slide(window, new)
        future = time_cat(predictions)
        return future if target is None else (losses, future)

    def _add_losses(self, losses: dict, terms: dict, start: int, steps: int) -> None:
        """Add the losses of a call, under the name of its step where there are several calls."""
        prefix = '' if steps == self.predictor.num_outputs else f't+{start + 1}.'
        losses.update({prefix + name: value for name, value in terms.items()})

    def _observe(self, inputs: Tensor, samples: Samples) -> tuple[Pyramid, ForecastContext]:
        """The predictor's input of a batch of clips, and the context of its roll-out."""
        self._check_clips(inputs, samples)
        return self.split(self.encode(inputs, samples), inputs, samples)

    def _check_clips(self, inputs: Tensor, samples: Samples) -> None:
        if inputs.ndim != 5 or inputs.shape[1] < self.num_past:
            raise ValueError(
                f'{type(self).__name__} needs clips (B, T, 3, H, W) with at least '
                f'T={self.num_past} frames, got {tuple(inputs.shape)}'
            )
        for sample in samples or []:
            given = sample.get('num_past', self.num_past)
            if given != self.num_past:
                raise ValueError(
                    f'the clip has num_past={given} but the model num_past='
                    f'{self.num_past}; set num_past of the dataset to {self.num_past}'
                )

    def split(
        self, representation: Pyramid, frames: Tensor, samples: Samples
    ) -> tuple[Pyramid, ForecastContext]:
        """Past and future of encoded clips: the predictor's input, and the context."""
        context = ForecastContext(frames[:, : self.num_past], samples, self.encoder)
        if num_steps(representation) > self.num_past:
            context.future = time_slice(representation, self.num_past, num_steps(representation))
        if frames.shape[1] > self.num_past:
            context.future_frames = frames[:, self.num_past :]
        past = time_slice(representation, 0, self.num_past)
        return self.select_input(past), context
