"""F2MF: forecast features by moving what was seen, and by regressing what was not.

Šarić, Oršić, Antunović, Vražić, Šegvić, "Warp to the future: joint forecasting of features and feature
motion", CVPR 2020, and "Dense semantic forecasting in video by joint regression of features and feature
motion", TNNLS 2021. There is no code of the authors; where other implementations differ, there is an option.
"""

from collections.abc import Sequence

import torch.nn as nn
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_at_least

from .context import ForecastContext
from .direct import DirectPredictor
from .f2mf_network import F2MFNetwork, F2MFOutput

# The parts that have a loss besides the forecast, by the ending of the loss's name.
_PARTS = dict(f2f='regression', f2m='motion')


@MODELS.register_module()
class F2MFPredictor(DirectPredictor):
    """Forecasts each level by a network of its own (the papers forecast one, the coarsest).

    F2M predicts a flow for every past map and moves the maps along it; F2F regresses the future map. At every
    cell, predicted weights blend the moved maps and the regressed one. Both see the fused maps and the
    correlation of neighboring frames. Maps are meant to be standardized (``standardize=True`` of the encoder).

    Args:
        channels, num_past, num_levels: See ``BasePredictor``.
        lead: See ``DirectPredictor``. The papers train one network for the short term (1) and another for the
            mid term (3, at the same spacing of the past frames).
        variant: 'F2MF', or one of its two parts alone: 'F2M' or 'F2F'.
        part_weight: Of the losses of the two parts of F2MF, beside that of the blend; 1 as in the one
            implementation that is known.
        correlation: Whether the network sees the cost volume.
        radius, spacing: Of the displacements of the cost volume, in cells; ``spacing`` of them lie from one to
            the next. One implementation takes 2, another 1, which is the default, because it covers all
            displacements and the paper names none.
        embedding: Channels of the unit vectors that are correlated.
        embedding_norm: Whether batch norm and ReLU come before the embedding's convolution, which then has
            no bias; or it is a plain one with a bias. Implementations differ.
        shared_widths: Output channels of the shared deformable units. ``(371,) * 5 + (256,)`` is the other
            known reading.
        direction: 'backward' samples past maps where the flow points, 'forward' moves their cells along it and
            averages where several land (bilinear kernel). The paper has both; the first is the better known.
        outside: What a backward warp finds outside the map: 'zeros', the mean of a standardized channel; or
            the 'border', repeated.
        deformable: False gives plain convolutions.
        init: None starts as PyTorch does, with plain convolutions; 'copy' starts with no motion and nearly
            all weight on the newest map (ours, for short trainings).
        kwargs: See ``BasePredictor``. The losses of the two parts have ``_f2m`` and ``_f2f`` after their
            names.
    """

    def __init__(
        self,
        channels: int,
        num_past: int = 4,
        num_levels: int = 1,
        lead: int = 1,
        variant: str = 'F2MF',
        part_weight: float = 1.0,
        correlation: bool = True,
        radius: int = 4,
        spacing: int = 1,
        embedding: int = 128,
        embedding_norm: bool = True,
        shared_widths: Sequence[int] = (256,) * 6,
        direction: str = 'backward',
        outside: str = 'zeros',
        deformable: bool = True,
        init: str | None = None,
        **kwargs,
    ):
        super().__init__(lead, num_past=num_past, channels=channels, num_levels=num_levels, **kwargs)
        check_at_least('F2MFPredictor', 0, part_weight=part_weight)
        check_at_least('F2MFPredictor', 2 if correlation else 1, num_past=num_past)
        self.part_weight = part_weight
        self.nets = nn.ModuleList(
            F2MFNetwork(
                channels,
                num_past,
                variant=variant,
                correlation=correlation,
                radius=radius,
                spacing=spacing,
                embedding=embedding,
                embedding_norm=embedding_norm,
                shared_widths=shared_widths,
                direction=direction,
                outside=outside,
                deformable=deformable,
                init=init,
            )
            for _ in range(num_levels)
        )

    def apply_own_start(self) -> None:
        for net in self.nets:
            net.reset()

    def forecast(self, past: Pyramid) -> list[Tensor]:
        return [out.forecast for out in self.outputs(past)]

    def outputs(self, past: Pyramid) -> list[F2MFOutput]:
        """All that the networks make of a window, by level."""
        return [net(maps) for net, maps in zip(self.nets, past, strict=True)]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        self.require_losses()
        self.check_window(past)
        outputs = self.outputs(past)
        newest = [out.forecast for out in outputs]
        terms = self.losses_of(newest, target)
        for ending, part in _PARTS.items():
            maps = [getattr(out, part) for out in outputs]
            if self.part_weight and all(m is not None and m is not n for m, n in zip(maps, newest)):
                found = self.losses_of(maps, target)
                terms.update({f'{name}_{ending}': self.part_weight * v for name, v in found.items()})
        return terms, self.as_steps(newest)
