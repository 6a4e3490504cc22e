"""The contract of predictors."""

from abc import ABC, abstractmethod

from mmengine.model import BaseModule, initialize
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.initialization import split_init_cfg

from .context import ForecastContext


class BasePredictor(BaseModule, ABC):
    """Maps a window of past representations to ``num_outputs`` future ones.

    Attributes:
        num_past: length of the window it needs; None for any.
        num_outputs: future steps per call: 1, or n for a batch model.
        reads_frames: whether it looks at the context's RGB frames, and so needs maps of whole frames.
        reads_future: whether it looks at the true future, as only the oracle may.
    """

    num_past: int | None = None
    num_outputs: int = 1
    reads_frames: bool = False
    reads_future: bool = False

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
        """(B, num_past, C, h, w) per level to (B, num_outputs, C', h, w) per level."""

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        """Losses of one call against ``target``, and the prediction itself to roll on with.

        Args:
            past: as for ``forward``.
            target: (B, num_outputs, C', h, w) per level.

        Returns:
            Scalars by name, each name containing 'loss', and the prediction.
        """
        raise NotImplementedError(
            f'{type(self).__name__} has nothing to train; evaluate it with tools/test.py CONFIG none'
        )


def check_window(predictor: BasePredictor, maps: Tensor, channels: int, multiple: int = 1) -> None:
    """Raise a ValueError unless (B, T, C, h, w) ``maps`` are what ``predictor`` was built for.

    Args:
        channels: C that it needs.
        multiple: number that h and w must be multiples of.
    """
    name = type(predictor).__name__
    if tuple(maps.shape[1:3]) != (predictor.num_past, channels):
        raise ValueError(
            f'{name} was built for num_past={predictor.num_past} maps of {channels} '
            f'channels, but got {maps.shape[1]} maps of {maps.shape[2]}; make num_past of '
            'the dataset, the model and the predictor agree'
        )
    if any(size % multiple for size in maps.shape[-2:]):
        raise ValueError(
            f'{name} pools its maps {multiple} times, so their sides must be multiples of '
            f'{multiple}, got {tuple(maps.shape[-2:])}; set the size of the encoder or add '
            'ClipResize or ClipPadToMultiple'
        )


def check_levels(predictor: BasePredictor, pyramid: Pyramid) -> None:
    """Raise a ValueError unless ``pyramid`` has as many levels as ``predictor`` was built for."""
    if len(pyramid) != predictor.num_levels:
        raise ValueError(
            f'{type(predictor).__name__} was built for num_levels={predictor.num_levels}, but the '
            f'pyramid has {len(pyramid)} levels; set num_levels of the predictor, or levels of the '
            'encoder'
        )


def require_losses(predictor: BasePredictor) -> None:
    """Raise a ValueError unless ``predictor.losses`` has something to train on."""
    if not predictor.losses:
        raise ValueError(
            f'{type(predictor).__name__}: losses is empty, so there is nothing to train on; '
            "set e.g. losses=dict(gdl=dict(type='GDLoss'))"
        )
