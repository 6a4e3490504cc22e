"""Panoptic maps as pictures need them: a label map of stuff, and things to be drawn as instances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmforecast.structures import ForecastDataSample, instances_from_id_map
from mmforecast.structures.panoptic import stuff_of

from .clip import to_numpy
from .linking import InstanceLinker

__all__ = ['PanopticMap', 'forecast_panoptic', 'known_panoptic']


@dataclass(frozen=True)
class PanopticMap:
    """A panoptic map to be drawn.

    Attributes:
        stuff: uint8 (H, W) train ids of the stuff, 255 elsewhere.
        things: The instances, with ``ids`` where these are the same in all pictures.
    """

    stuff: np.ndarray
    things: InstanceData

    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return self.stuff.shape


def forecast_panoptic(sample: ForecastDataSample) -> list[PanopticMap]:
    """``pred_panoptic`` by step.

    Things have ``ids``, linked from step to step, only where nothing is known of the future; else they take
    the colors of the known things that they overlap.
    """
    known = 'gt_instance_map' in sample or 'ref_panoptic' in sample
    return _as_maps(sample.pred_panoptic.data, None if known else InstanceLinker())


def known_panoptic(sample: ForecastDataSample, num_steps: int) -> list[PanopticMap | None]:
    """The best available panoptic map of the past frames and of ``num_steps`` frames after them.

    Ground truth first; then, for future frames, what the networks make of the true frames
    (``ref_panoptic``); None where there is neither.
    """
    known: list[PanopticMap | None] = [None] * (sample.num_past + num_steps)
    if 'ref_panoptic' in sample:
        found = _as_maps(sample.ref_panoptic.data, InstanceLinker())[:num_steps]
        known[sample.num_past : sample.num_past + len(found)] = found
    if 'gt_instance_map' in sample:
        maps = sample.gt_panoptic.data[: len(known)]
        labeled = (sample.gt_instance_map.data >= 0).flatten(1).any(1)[: len(known)].tolist()
        for index, panoptic in enumerate(_as_maps(maps, linker=None, numbered=True)):
            known[index] = panoptic if labeled[index] else known[index]
    return known


def _as_maps(maps: torch.Tensor, linker: InstanceLinker | None, numbered: bool = False) -> list[PanopticMap]:
    """Panoptic maps (n, H, W); their numbers are identities if ``numbered``, else those of a linker."""
    found = []
    for panoptic in maps:
        things = instances_from_id_map(panoptic)
        if not numbered:
            del things.ids
        things = things if linker is None else linker(things)
        found.append(PanopticMap(stuff_of(to_numpy(panoptic)), things))
    return found


def stuff_maps(items: Sequence) -> list[np.ndarray]:
    """The label maps among pictures' overlays, with those of panoptic maps, for a legend."""
    items = [item.stuff if isinstance(item, PanopticMap) else item for item in items]
    return [item for item in items if isinstance(item, np.ndarray) and item.ndim == 2]
