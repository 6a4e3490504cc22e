"""F2F as the neck of an unmodified mmdet detector."""

from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.models.predictors.f2f import F2FPredictor, subsample
from mmforecast.registry import MODELS


@MODELS.register_module()
class F2FNeck(BaseModule):
    """Stands where a detector's FPN stood, and gives the detector the pyramids of future frames.

    It runs that FPN on the frames of B clips, T each, and forecasts the pyramids of B future frames from its
    levels. Levels that the FPN itself derives by subsampling (P6) are derived from the forecast ones. The
    detector needs ``ClipDetDataPreprocessor``.

    Args:
        fpn: Config of the detector's own neck.
        num_derived: How many of the FPN's last levels it derives by subsampling.
        init_cfg: Of the neck as a whole.
        kwargs: Of the ``F2FPredictor``.
    """

    def __init__(self, fpn: dict, num_derived: int = 1, init_cfg: dict | None = None, **kwargs):
        super().__init__(init_cfg=init_cfg)
        self.fpn = MODELS.build({'_scope_': 'mmdet', **fpn})
        self.predictor = F2FPredictor(**kwargs)
        self.num_past = self.predictor.num_past
        self.num_derived = num_derived

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Forecast levels (B, C, h, w), the derived ones last.

        Args:
            maps: Of the backbone, (B * T, C_i, h, w), clip by clip and oldest first.
        """
        frames = maps[0].shape[0]
        if frames % self.num_past:
            raise ValueError(
                f'F2FNeck needs clips of num_past={self.num_past} frames, but the batch has '
                f'{frames} frames; use ClipDetDataPreprocessor as data_preprocessor of the detector'
            )
        levels = self.fpn(maps)
        levels = levels[: len(levels) - self.num_derived]
        past = [level.unflatten(0, (-1, self.num_past)) for level in levels]
        future = [level[:, 0] for level in self.predictor(past)]
        for _ in range(self.num_derived):
            future.append(subsample(future[-1]))
        return tuple(future)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        """Checkpoints from before the predictor was a module of its own name its networks ``nets.*``."""
        for name in [name for name in state_dict if name.startswith(f'{prefix}nets.')]:
            state_dict[f'{prefix}predictor.{name.removeprefix(prefix)}'] = state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, *args)
