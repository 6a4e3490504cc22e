"""The contract of a GAN's auxiliary losses, as mmagic has it."""

import torch.nn as nn
from torch import Tensor

from mmforecast.utils.checks import check_at_least, check_keys


class AuxiliaryLoss(nn.Module):
    """A loss that reads its arguments from what a GAN knows in a step.

    ``loss(outputs)`` takes the dict of a training step and picks the arguments from it that ``data_info``
    names; ``loss(**arguments)`` takes them as they are. Both return the loss times ``loss_weight``. A class of
    it fills in ``default_data_info``, ``default_name`` and ``compute``.

    Args:
        loss_weight: Factor on the result, 0 or more.
        data_info: By argument of ``compute`` the key in the outputs. CreativeGAN has ``gen``, ``disc``,
            ``fake_imgs``, ``real_imgs``, ``batch_size``, ``iteration``, ``disc_pred_real``,
            ``disc_pred_fake``, ``disc_pred_fake_g``, ``cls_pred_real``, ``cls_pred_fake_g``, ``gt_labels``,
            ``fake_labels``, ``mask`` and ``mixes``.
        loss_name: Name in the log; starts with 'loss_'.
    """

    default_data_info: dict[str, str] = {}
    default_name: str = 'loss_auxiliary'

    def __init__(
        self,
        loss_weight: float = 1.0,
        data_info: dict[str, str] | None = None,
        loss_name: str | None = None,
    ):
        super().__init__()
        name = type(self).__name__
        check_at_least(name, 0, loss_weight=loss_weight)
        check_keys(name, self.default_data_info, data_info=data_info or {})
        self._loss_name = self.default_name if loss_name is None else loss_name
        if not self._loss_name.startswith('loss_'):
            raise ValueError(f"{name}: loss_name must start with 'loss_', got {loss_name!r}")
        self.loss_weight = loss_weight
        self.data_info = {**self.default_data_info, **(data_info or {})}

    def loss_name(self) -> str:
        """The key of this loss in the log."""
        return self._loss_name

    def forward(self, outputs: dict | None = None, **arguments) -> Tensor:
        if outputs is not None:
            missing = sorted(set(self.data_info.values()) - set(outputs))
            if missing:
                raise ValueError(
                    f'{type(self).__name__} reads {missing} from the outputs of the step, which has '
                    f'{sorted(outputs)}; check data_info'
                )
            arguments = {name: outputs[key] for name, key in self.data_info.items()}
        return self.loss_weight * self.compute(**arguments)

    def compute(self, **arguments) -> Tensor:
        """The loss before ``loss_weight``."""
        raise NotImplementedError
