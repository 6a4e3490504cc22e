"""The motion forecaster: starts as the ego-motion baseline and learns where it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from mmforecast.models.utils import Pyramid, backward_warp, dis_flow
from mmforecast.models.utils.ego_motion import ObservedMotion, parallax
from mmforecast.models.utils.load_network import load_network
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .context import ForecastContext
from .ego_motion import FIELD, SMALL_REGION, EgoMotion
from .motion_network import MotionNetwork, evidence, lengths

_SPREAD = 0.15  # chosen on `avenue`, `residential` and CamVid, see configs/motion


@dataclass
class MotionEvidence(ObservedMotion):
    """What the network sees besides the motion itself.

    Attributes:
        flow: (B, 2, h, w) backward flow of the newest step, in pixels.
        evidence: (B, EVIDENCE, h, w), see :func:`~.motion_network.evidence`.
        repeated: The flow over 1, 2, ... steps, see :func:`repeat_flow`, as far as it was asked for.
    """

    flow: Tensor
    evidence: Tensor
    repeated: list[tuple[Tensor, Tensor]] = field(default_factory=list, init=False, repr=False)


@MODELS.register_module()
class MotionForecaster(EgoMotion):
    """Forecasts motion from RGB frames alone, and warps any representation by it.

    Camera motion explains most of what moves in a street, see :class:`EgoMotion`. What it gets wrong are the
    rims of objects, what comes into view from behind something, thin objects, and places where the flow is
    wrong. There a small network takes the motion from a neighbor, see :class:`MotionNetwork`. It looks at the
    field of ``EgoMotion``, at how well the flow explains the newest frame, whether flow there and back agree,
    whether the last two steps say the same, and at the newest flow repeated.

    The network knows neither classes nor channels. Weights that were trained on one representation serve
    frames, scores, features and distance maps of any other network. Untrained, its field is that of
    ``EgoMotion``. Where maps hold scores of classes, it moves small regions as one piece, and allows for an
    error of the motion.

    Args:
        widths, reach: See :class:`MotionNetwork`.
        checkpoint: Path or address of trained weights, or 'zoo://<name>': a checkpoint of a forecaster with
            this predictor, whatever its encoder is. None starts as ``EgoMotion``.
        motion_loss: Config of a loss on the field itself, called with the backward field and the true motion
            ``gt_motion`` of the clips, such as ``EndpointLoss``; besides ``losses``.
        region_share, spread: See :class:`EgoMotion`.
        kwargs: See :class:`EgoMotion`.

    Raises:
        CheckpointError: The checkpoint lacks weights of the network, or has other shapes.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 24, 32, 48),
        reach: float = 0.03,
        checkpoint: str | None = None,
        motion_loss: dict | None = None,
        region_share: float | None = SMALL_REGION,
        spread: float | None = _SPREAD,
        **kwargs,
    ):
        super().__init__(region_share=region_share, spread=spread, **kwargs)
        self.motion_loss = MODELS.build(motion_loss) if motion_loss else None
        self.network = MotionNetwork(widths, reach)
        self.checkpoint = checkpoint
        self.apply_own_start()

    def apply_own_start(self) -> None:
        if self.checkpoint is None:
            self.network.reset()
        else:
            load_network(self.network, self.checkpoint, 'predictor.network.')

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        losses, future = super().loss_and_predict(past, target, context)
        if self.motion_loss is not None:
            motion = torch.stack([_true_motion(sample, context.step) for sample in context.samples])
            losses['loss_motion'] = self.motion_loss(context.state[FIELD], motion.to(future[0].device))
        return losses, future

    def backward_field(self, observed: MotionEvidence, steps: int) -> tuple[Tensor, Tensor]:
        ego, known = super().backward_field(observed, steps)
        seen = dict(ego=ego, constant=self._repeated(observed, steps), known=known.to(ego))
        return self.network(observed.evidence, seen, steps), known

    @staticmethod
    def _repeated(observed: MotionEvidence, steps: int) -> Tensor:
        """:func:`repeat_flow`, which goes on from the steps before."""
        if not observed.repeated:
            observed.repeated.append((observed.flow, observed.flow))
        while len(observed.repeated) < steps:
            observed.repeated.append(_repeat_once(*observed.repeated[-1]))
        return observed.repeated[steps - 1][0]

    def observe_reduced(self, frames: Tensor) -> MotionEvidence:
        newest, before = frames[:, -1], frames[:, -2]
        steps = self.camera_steps(frames)
        motion, flow = self.newest_motion(steps), steps[0][0]
        earlier_moved, earlier_share = motion.moved, motion.share
        if len(steps) > 1:
            earlier = parallax(*steps[1], self.camera_of(frames))
            earlier_moved, earlier_share = (backward_warp(part, flow) for part in earlier)
        seen = dict(
            moved=motion.moved,
            share=motion.share,
            earlier_moved=earlier_moved,
            earlier_share=earlier_share,
            residual=(backward_warp(before, flow) - newest).abs().mean(dim=1, keepdim=True),
            cycle=lengths(flow + backward_warp(dis_flow(before, newest), flow)),
        )
        luma = newest.mean(dim=1, keepdim=True) / 255
        known = {part.name: getattr(motion, part.name) for part in fields(motion) if part.init}
        return MotionEvidence(**known, flow=flow, evidence=evidence(luma, seen))


def _true_motion(sample: ForecastDataSample, step: int) -> Tensor:
    """(2, H, W) motion of a training clip up to a future step, 0-based."""
    if 'gt_motion' not in sample:
        raise ValueError(
            'MotionForecaster: motion_loss needs the true motion of the clips; add LoadClipMotion to the '
            'training pipeline and flow_path to data_prefix, or leave motion_loss out'
        )
    return sample.gt_motion[step]


def repeat_flow(backward: Tensor, steps: int) -> Tensor:
    """The backward field over ``steps`` steps if every pixel keeps its velocity.

    Args:
        backward: (B, 2, h, w) flow from the newest frame to the one before, in pixels.
        steps: At least 1.
    """
    total = current = backward
    for _ in range(steps - 1):
        total, current = _repeat_once(total, current)
    return total


def _repeat_once(total: Tensor, current: Tensor) -> tuple[Tensor, Tensor]:
    """The field over one step more, and the velocity there."""
    current = backward_warp(current, current)
    return backward_warp(total, current) + current, current
