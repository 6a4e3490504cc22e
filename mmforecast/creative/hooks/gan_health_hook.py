"""A warning where a GAN has stopped learning."""

from collections import defaultdict
from typing import Any

from mmengine.hooks import Hook

from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_fraction, check_positive, check_range

__all__ = ['GANHealthHook']


@HOOKS.register_module()
class GANHealthHook(Hook):
    """Reads what an adversarially trained model logs, and warns once per interval where it has collapsed.

    Means over the interval are judged: ``d_accuracy`` above ``max_accuracy`` means that the discriminator has
    won and its gradient is gone, below ``min_accuracy`` that it is fooled by everything; ``diversity`` below
    ``min_diversity`` that generated images are all alike. What a model doesn't log isn't judged.

    Args:
        interval: iterations.
        min_accuracy, max_accuracy: In [0, 1].
        min_diversity: 0 or more; 1 is as diverse as the real images.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 500,
        min_accuracy: float = 0.01,
        max_accuracy: float = 0.99,
        min_diversity: float = 0.2,
    ):
        check_positive('GANHealthHook', interval=interval)
        check_range('GANHealthHook', 0, 1, max_accuracy=max_accuracy)
        check_fraction('GANHealthHook', max_accuracy, min_accuracy=min_accuracy)
        self.interval = interval
        self.min_accuracy, self.max_accuracy = min_accuracy, max_accuracy
        self.min_diversity = min_diversity
        self._values: dict[str, list[Any]] = defaultdict(list)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        for name in ('d_accuracy', 'diversity'):
            if name in (outputs or {}):
                self._values[name].append(outputs[name])
        if (runner.iter + 1) % self.interval:
            return
        means = {name: float(sum(v) / len(v)) for name, v in self._values.items()}
        self._values.clear()
        for sentence in self.judge(means):
            runner.logger.warning(
                f'Over the last {self.interval} iterations, up to {runner.iter + 1}, {sentence}'
            )

    def judge(self, means: dict[str, float]) -> list[str]:
        """What is wrong, a sentence each, with means by name."""
        found = []
        accuracy = means.get('d_accuracy', 0.5)
        if accuracy > self.max_accuracy:
            found.append(
                f'the discriminator was right on {accuracy:.1%} of the images: the generator gets no gradient '
                'from it; try a lower learning rate of the discriminator, label smoothing, a penalty '
                '(loss_config), or augmentation'
            )
        if accuracy < self.min_accuracy:
            found.append(
                f'the discriminator was right on {accuracy:.1%} of the images: it learns nothing; try a '
                'higher learning rate of it, or more discriminator_steps'
            )
        if means.get('diversity', 1.0) < self.min_diversity:
            found.append(
                f'generated images were {means["diversity"]:.0%} as different from each other as real ones: '
                'the generator may have collapsed; try a smaller weight of the creativity loss, a penalty, or '
                'augmentation'
            )
        return found
