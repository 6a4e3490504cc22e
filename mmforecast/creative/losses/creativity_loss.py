"""The generator's reward for images that fit no known class."""

from collections.abc import Sequence

from mmengine.logging import MessageHub
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_choice

from .auxiliary import AuxiliaryLoss
from .deviation import can_loss, holistic_loss, sharma_mittal

_MODES = ('can', 'can_h', 'sharma_mittal')
_PROBS = ('softmax', 'sigmoid')


def ramp_weight(iteration: int, ramp: tuple[int, int] | None) -> float:
    """0 before ``ramp[0]``, 1 from ``ramp[1]`` on, linear between them; 1 without a ramp."""
    if ramp is None:
        return 1.0
    begin, end = ramp
    if begin == end:
        return float(iteration >= end)
    return min(max((iteration - begin) / (end - begin), 0.0), 1.0)


@MODELS.register_module()
class CreativityLoss(AuxiliaryLoss):
    """Deviation of generated images from the classes of one or more attributes; its sum over these.

    Its modes differ in scale: where all classes are as likely, 'can' with sigmoid is 2.5 times as large as
    'can_h' with 7 classes, and 5.4 times with 25, so that equal weights are no equal pressure.

    Args:
        mode: 'can', the binary form, see :func:`can_loss`; 'can_h', the holistic one, see
            :func:`holistic_loss`; 'sharma_mittal', see :func:`sharma_mittal`.
        branches: Attributes to deviate from; None for all that the discriminator has.
        prob: 'softmax' or 'sigmoid', read by 'can' alone.
        alpha, beta: Read by 'sharma_mittal' alone; alpha above 0.
        ramp: (begin, end), iterations: the weight is 0 before ``begin`` and grows linearly until ``end``. A
            classifier that isn't trained yet has no classes to deviate from.
        kwargs: See ``AuxiliaryLoss``. ``compute`` takes ``logits``, (B, K) by attribute, of generated images,
            and ``iteration``, the runner's by default.
    """

    default_data_info = dict(logits='cls_pred_fake_g', iteration='iteration')
    default_name = 'loss_creativity'

    def __init__(
        self,
        mode: str = 'can_h',
        branches: Sequence[str] | None = None,
        prob: str = 'softmax',
        alpha: float = 0.5,
        beta: float = 0.9999,
        ramp: Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_choice('CreativityLoss', _MODES, mode=mode)
        check_choice('CreativityLoss', _PROBS, prob=prob)
        check_above('CreativityLoss', 0, alpha=alpha)
        if isinstance(branches, str) or (branches is not None and not branches):
            raise ValueError(
                "CreativityLoss: branches must be a sequence of attributes such as ('shape',), or None "
                f'for all, got {branches!r}'
            )
        if ramp is not None and not (len(ramp) == 2 and 0 <= ramp[0] <= ramp[1]):
            raise ValueError(f'CreativityLoss: ramp must be (begin, end) with 0 <= begin <= end, got {ramp!r}')
        self.mode, self.prob = mode, prob
        self.alpha, self.beta = alpha, beta
        self.branches = None if branches is None else tuple(branches)
        self.ramp = None if ramp is None else tuple(ramp)

    def compute(self, logits: dict[str, Tensor], iteration: int | None = None) -> Tensor:
        branches = tuple(logits) if self.branches is None else self.branches
        unknown = [name for name in branches if name not in logits]
        if unknown or not branches:
            raise ValueError(
                f'CreativityLoss deviates from {unknown or "attributes"}, but the discriminator classifies '
                f'{sorted(logits) or "none"}; set branches, or attributes of the discriminator'
            )
        if iteration is None:
            iteration = MessageHub.get_current_instance().get_info('iter', 0)
        deviation = sum(self._one(logits[name]) for name in branches)
        return ramp_weight(iteration, self.ramp) * deviation

    def _one(self, logits: Tensor) -> Tensor:
        if self.mode == 'can':
            return can_loss(logits, self.prob)
        if self.mode == 'can_h':
            return holistic_loss(logits)
        return sharma_mittal(logits, self.alpha, self.beta)
