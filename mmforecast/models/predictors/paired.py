"""Two predictors side by side: one for the representation of instances, one for that of semantics."""

from torch import Tensor

from mmforecast.models.encoders.paired import PARTS, paired_encoder
from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.frozen import KeepFrozen, freeze
from mmforecast.models.utils.load_network import load_network
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext


@MODELS.register_module()
class PairedPredictor(KeepFrozen, BasePredictor):
    """Each part of a ``PairedEncoder`` is forecast by a predictor of its own.

    Both are trained together, each on its own losses, whose names begin with 'instances.' and 'semantics.'.
    A part without weights has nothing to train, and one from the checkpoint of another forecaster stays as it
    is; in training they forecast nothing, and the truth stands in the place of their forecast.

    Args:
        instances, semantics: Configs of the predictors. Their shapes come from the two encoders.
        instances_checkpoint, semantics_checkpoint: Path or address of a checkpoint of a forecaster that has
            the part as its predictor, such as an ``F2FForecaster`` and an ``S2SForecaster``.
        kwargs: See ``BasePredictor``.

    Raises:
        ValueError: One predictor gives more steps per call than the other, or leaves out more.
        CheckpointError: A checkpoint is of another predictor.
    """

    def __init__(
        self,
        instances: dict,
        semantics: dict,
        instances_checkpoint: str | None = None,
        semantics_checkpoint: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.instances: BasePredictor = MODELS.build(instances)
        self.semantics: BasePredictor = MODELS.build(semantics)
        outputs = self.instances.num_outputs, self.semantics.num_outputs
        if outputs[0] != outputs[1]:
            raise ValueError(
                f'PairedPredictor: instances gives {outputs[0]} steps per call but semantics {outputs[1]}; '
                'take predictors of as many'
            )
        skipped = self.instances.num_skipped, self.semantics.num_skipped
        if skipped[0] != skipped[1]:
            raise ValueError(
                f'PairedPredictor: instances leaves out {skipped[0]} steps of a call but semantics '
                f'{skipped[1]}; take the same lead for both'
            )
        self.num_outputs, self.num_skipped = outputs[0], skipped[0]
        self.reads_frames = self.instances.reads_frames or self.semantics.reads_frames
        self.reads_future = self.instances.reads_future or self.semantics.reads_future
        self.checkpoints = dict(instances=instances_checkpoint, semantics=semantics_checkpoint)
        self.frozen_children = tuple(part for part in PARTS if self.checkpoints[part] is not None)
        self.apply_own_start()

    def apply_own_start(self) -> None:
        for part in self.frozen_children:
            load_network(getattr(self, part), self.checkpoints[part], 'predictor.')
            freeze(getattr(self, part))

    @property
    def learning(self) -> list[str]:
        """The parts with weights to train."""
        return [
            part for part in PARTS if any(weight.requires_grad for weight in getattr(self, part).parameters())
        ]

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        encoder = paired_encoder(context, type(self).__name__)
        windows = encoder.split(past)
        return [
            level
            for part in PARTS
            for level in getattr(self, part)(windows[part], encoder.context_of(part, context))
        ]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        encoder = paired_encoder(context, type(self).__name__)
        windows, targets = encoder.split(past), encoder.split(target)
        losses, future, learning = {}, [], self.learning
        for part in PARTS:
            if part not in learning:  # no loss sees its forecast
                future.extend(targets[part])
                continue
            own = encoder.context_of(part, context)
            terms, levels = getattr(self, part).loss_and_predict(windows[part], targets[part], own)
            losses.update({f'{part}.{name}': value for name, value in terms.items()})
            future.extend(levels)
        if not losses:
            self.require_losses()
        return losses, future
