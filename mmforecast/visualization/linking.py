"""Identities of instances from picture to picture, so that their colors stay."""

import numpy as np
import torch
from mmengine.structures import InstanceData

from .clip import to_numpy
from .instances import matched_ids

__all__ = ['InstanceLinker']

# Overlaps are compared on masks of about so many columns.
_COLUMNS = 480


class InstanceLinker:
    """Gives instances the ``ids`` of those in the picture before that they overlap most, or new ones.

    Pairs have one class, and are taken greedily in the order of their overlap. Where a forecaster tells
    identities (``track_ids``), those are kept instead.

    Args:
        trust_tracks: Whether ``track_ids`` mean the same in all pictures; those of D2D do in one forecast.
    """

    def __init__(self, trust_tracks: bool = True):
        self.trust_tracks = trust_tracks
        self._before: InstanceData | None = None
        self._num_new = 0

    def __call__(self, instances: InstanceData) -> InstanceData:
        """A copy with ``ids``, the next picture to be linked to it; an empty one as it is.

        Args:
            instances: N instances with ``labels`` and ``masks``.
        """
        if not len(instances) or (self.trust_tracks and 'track_ids' in instances):
            return instances
        masks, labels = self._reduced(instances), to_numpy(instances.labels)
        ids = np.full(len(labels), -1)
        if self._before is not None:
            ids = matched_ids(labels, masks, self._before)
        for index in np.flatnonzero(ids < 0):
            ids[index] = 1000 * labels[index] + self._num_new % 1000
            self._num_new += 1
        ids = torch.from_numpy(ids)
        self._before = InstanceData(ids=ids, labels=torch.from_numpy(labels), masks=masks)
        linked = instances.clone()
        linked.ids = ids
        return linked

    def paired(self, instances: InstanceData) -> InstanceData:
        """A copy with the ``ids`` of the last instances linked, -1 where none is overlapped.

        Args:
            instances: Of the same moment, from another source: what a network finds in the true frame.
        """
        if not len(instances) or self._before is None:
            return instances
        paired = instances.clone()
        ids = matched_ids(to_numpy(instances.labels), self._reduced(instances), self._before)
        paired.ids = torch.from_numpy(ids)
        return paired

    def _reduced(self, instances: InstanceData) -> np.ndarray:
        masks = to_numpy(instances.masks).astype(bool)
        gap = max(1, masks.shape[2] // _COLUMNS)
        return masks[:, ::gap, ::gap]
