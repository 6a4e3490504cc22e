"""What predictors share that build on a forecast of motion by another one."""

from mmforecast.models.utils import KeepFrozen, freeze
from mmforecast.registry import MODELS

from .base import BasePredictor


class OnMotion(KeepFrozen, BasePredictor):
    """A predictor that corrects maps which another predictor, its ``motion``, has moved."""

    def build_motion(self, config: dict, class_scores: bool | None, frozen: bool) -> None:
        """Build ``motion``, and read frames or the future where it does.

        Args:
            config: E.g. ``dict(type='EgoMotion')``.
            class_scores: Whether the maps hold scores of classes; told to a ``motion`` that does not know.
            frozen: Whether it keeps its weights, if it has any.

        Raises:
            ValueError: It forecasts several steps per call.
        """
        self.motion = MODELS.build(config)
        if getattr(self.motion, 'class_scores', class_scores) is None:
            self.motion.class_scores = class_scores
        if self.motion.num_outputs != 1:
            raise ValueError(
                f'{type(self).__name__} corrects step by step, but {type(self.motion).__name__} forecasts '
                f'{self.motion.num_outputs} steps per call'
            )
        self.reads_frames = self.motion.reads_frames
        self.reads_future = self.motion.reads_future
        if frozen:
            self.frozen_children = ('motion',)
            freeze(self.motion)
