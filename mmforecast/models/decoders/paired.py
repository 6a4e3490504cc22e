"""Two decoders side by side: instances from one part of the forecast, label maps from the other."""

from mmforecast.models.encoders.paired import PARTS, paired_encoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseDecoder


@MODELS.register_module()
class PairedDecoder(BaseDecoder):
    """Each part of a ``PairedEncoder``'s representation is read by a decoder of its own.

    Args:
        instances: Config of the decoder of instances; ``DetectionDecoder`` by default.
        semantics: Config of the decoder of label maps; ``SemSegDecoder`` by default.
    """

    def __init__(self, instances: dict | None = None, semantics: dict | None = None):
        super().__init__()
        self.instances: BaseDecoder = MODELS.build(instances or dict(type='DetectionDecoder'))
        self.semantics: BaseDecoder = MODELS.build(semantics or dict(type='SemSegDecoder'))

    @property
    def takes_skipped_steps(self) -> bool:
        return self.instances.takes_skipped_steps and self.semantics.takes_skipped_steps

    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_instances`` and ``{target}_sem_seg``; see ``BaseDecoder``."""
        encoder = paired_encoder(context, type(self).__name__)
        levels = encoder.split(future)
        for part in PARTS:
            getattr(self, part).decode(levels[part], samples, encoder.context_of(part, context), target)
        return samples
