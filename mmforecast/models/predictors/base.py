"""The contract of predictors, and what they share: losses, checks and the order of initialization."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch.nn as nn
from mmengine.model import BaseModule, initialize
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.initialization import split_init_cfg
from mmforecast.registry import MODELS

from .context import ForecastContext


class BasePredictor(BaseModule, ABC):
    """Maps a window of past representations to ``num_outputs`` future ones.

    A predictor needs a constructor that builds its layers and a ``forward``; the base class trains it. One
    that works at several scales or has losses of its own overrides ``loss_and_predict`` as well.

    **Shapes.** The forecaster and its encoder know ``num_past``, ``channels`` and ``num_levels``, and hand
    them to the constructor when the config doesn't set them. A subclass passes them on
    (``super().__init__(**kwargs)``), then reads ``self.channels`` and so on. One that works only for a
    certain window or a certain number of levels sets the class attribute instead.

    **Names of the losses.** ``loss_{name}``, with ``name`` as in ``losses``; then ``_l{level}`` where the
    pyramid has several levels, and ``_s{scale}`` where a level is predicted at several scales, both counted
    from 0, the finest. The roll-out puts ``t+{step}.`` in front where it makes several calls, with the first
    step of the call, counted from 1. So ``t+2.loss_gdl_l0_s1`` is the loss of the second step, on the finest
    level, at half its resolution.

    **State.** A recurrent predictor keeps its state in ``context.state``, under a key of its own. The dict is
    empty when a roll-out starts, and gone when it ends. On the first call of a roll-out the predictor reads
    all maps of the window, and afterwards only the newest, which is the prediction that was fed back::

        maps = past[0]
        memory = context.state.get('my_memory')
        for time in range(maps.shape[1]) if memory is None else [-1]:
            memory = self.cell(maps[:, time], memory)
        context.state['my_memory'] = memory

    Gradients flow through the state, and so through all steps of a roll-out in training.

    Args:
        num_past: Maps in the window.
        channels: C of the maps, the same at every level.
        num_levels: Levels of the pyramid.
        losses: Configs of the losses by name, each called with a prediction and its target, (N, C, h, w); none
            for a predictor that isn't trained on its own.
        init_cfg: See :meth:`init_weights`.

    Attributes:
        num_past, channels, num_levels: As above; None for any.
        num_outputs: Future steps per call: 1, or n for a batch model.
        num_skipped: Leading steps of a call that are not forecast, as in a direct forecast of a later step;
            their maps are NaN.
        one_call_in_training: Whether its training shows it a part of what it forecasts, so that it can't be
            rolled out there.
        reads_frames: Whether it looks at the context's RGB frames, and so needs maps of whole frames.
        reads_future: Whether it looks at the true future, as only the oracle may.
    """

    num_past: int | None = None
    channels: int | None = None
    num_levels: int | None = None
    num_outputs: int = 1
    num_skipped: int = 0
    one_call_in_training: bool = False
    reads_frames: bool = False
    reads_future: bool = False

    def __init__(
        self,
        num_past: int | None = None,
        channels: int | None = None,
        num_levels: int | None = None,
        losses: dict[str, dict] | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        for name, value in (('num_past', num_past), ('channels', channels), ('num_levels', num_levels)):
            fixed = getattr(type(self), name)
            if value is not None and fixed not in (None, value):
                raise ValueError(f'{type(self).__name__}: {name} must be {fixed}, got {value!r}')
            if value is not None:
                setattr(self, name, value)
        self.losses = nn.ModuleDict({name: MODELS.build(loss) for name, loss in (losses or {}).items()})

    def apply_own_start(self) -> None:
        """Give the weights the predictor's own start, such as zeros that make it a baseline while untrained.

        To be called at the end of a constructor; ``init_weights`` calls it after ``init_cfg``.
        """

    def init_weights(self) -> None:
        """Initialize as ``init_cfg`` says, then apply the predictor's own start.

        Weights from a file (``init_cfg=dict(type='Pretrained', ...)``) win over both.
        """
        if self._is_init:
            super().init_weights()  # warns
            return
        given = self.init_cfg
        self.init_cfg, from_files = split_init_cfg(given)
        super().init_weights()
        self.init_cfg = given
        self.apply_own_start()
        for child, config in from_files:
            initialize(self.get_submodule(child), config)

    @abstractmethod
    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        """(B, num_past, C, h, w) per level, oldest first, to (B, num_outputs, C', h, w) per level."""

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        """Losses of one call against ``target``, and the prediction itself to roll on with.

        Args:
            past: As for ``forward``.
            target: (B, num_outputs, C', h, w) per level.

        Returns:
            Scalars by name, each name containing 'loss', and the prediction.

        Raises:
            ValueError: The predictor has no losses.
        """
        self.require_losses()
        future = self(past, context)
        return self.compute_losses([[maps] for maps in future], [[maps] for maps in target]), future

    def compute_losses(
        self, predictions: Sequence[Sequence[Tensor]], targets: Sequence[Sequence[Tensor]]
    ) -> dict[str, Tensor]:
        """All ``losses`` on all levels and scales, by the names that the class documents.

        Args:
            predictions: (B, n, C, h, w) by level and scale, finest first.
            targets: As ``predictions``.
        """
        terms = {}
        for level, (scales, truths) in enumerate(zip(predictions, targets, strict=True)):
            of_level = f'_l{level}' if len(predictions) > 1 else ''
            for scale, (maps, truth) in enumerate(zip(scales, truths, strict=True)):
                of_scale = f'_s{scale}' if len(scales) > 1 else ''
                for name, loss in self.losses.items():
                    value = loss(maps.flatten(0, 1), truth.flatten(0, 1))
                    terms[f'loss_{name}{of_level}{of_scale}'] = value
        return terms

    def require_losses(self) -> None:
        """Raise a ValueError unless there is something to train on."""
        if self.losses:
            return
        name = type(self).__name__
        if next(self.parameters(), None) is None:
            raise ValueError(
                f'{name} has nothing to train; evaluate it with tools/test.py CONFIG --baseline NAME'
            )
        raise ValueError(
            f'{name}: losses is empty, so there is nothing to train on; set e.g. '
            "losses=dict(gdl=dict(type='GDLoss')), or train_cfg.detector_loss of an F2FForecaster"
        )

    def check_window(self, past: Pyramid, multiple: int = 1) -> None:
        """Raise a ValueError unless ``past`` is what the predictor was built for.

        Args:
            past: As for ``forward``.
            multiple: Number that h and w of the finest level must be multiples of.
        """
        name = type(self).__name__
        if self.num_levels not in (None, len(past)):
            raise ValueError(
                f'{name} was built for num_levels={self.num_levels}, but the pyramid has {len(past)} '
                'levels; set num_levels of the predictor, or levels of the encoder'
            )
        for maps in past:
            if self.num_past not in (None, maps.shape[1]) or self.channels not in (None, maps.shape[2]):
                raise ValueError(
                    f'{name} was built for num_past={self.num_past} maps of {self.channels} '
                    f'channels, but got {maps.shape[1]} maps of {maps.shape[2]}; make num_past of '
                    'the dataset, the model and the predictor agree'
                )
        if any(size % multiple for size in past[0].shape[-2:]):
            raise ValueError(
                f'{name} pools its maps {multiple} times, so their sides must be multiples of '
                f'{multiple}, got {tuple(past[0].shape[-2:])}; set the size of the encoder or add '
                'ClipResize or ClipPadToMultiple'
            )
