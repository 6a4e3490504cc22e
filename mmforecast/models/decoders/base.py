"""The contract of decoders."""

from abc import ABC, abstractmethod

from mmengine.model import BaseModule

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.structures import ForecastDataSample


class BaseDecoder(BaseModule, ABC):
    """Writes what the user asked for, such as label maps or instances, into the samples of a forecast.

    Attributes:
        takes_skipped_steps: Whether it writes "nothing" for a step whose maps are NaN, because it was not
            forecast.
    """

    takes_skipped_steps: bool = False

    @abstractmethod
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_*`` of n future steps into each sample.

        Args:
            future: (B, n, C, h, w) per level, finest first.
            samples: B samples, changed in place; ``img_shape`` in their metainfo is the size (H, W) of the
                frames, and so of what is written.
            context: Of the roll-out. A decoder that needs more than ``future`` finds it here: the past frames,
                the objects in them, or the encoder with a detector's heads. None where a decoder that needs
                nothing of it is used alone.
            target: 'pred' for a forecast, 'ref' for the representation of the true future. A decoder may
                have nothing to write for 'ref'.

        Returns:
            ``samples``.

        Raises:
            ValueError: The context lacks what the decoder needs.
        """
