"""Masks that don't overlap, for scores that hold for every method (NO-AP)."""

import torch
from mmengine.structures import InstanceData

from mmforecast.structures import instances_to_index_map
from mmforecast.utils.checks import check_choice

SCORE_RULES = ('own', 'constant')


def make_disjoint(instances: InstanceData, score_thr: float = 0.5, scores: str = 'own') -> InstanceData:
    """Reduce every instance to its visible part when all are painted, the highest score on top.

    Couprie et al. (D2D, ECCVW 2018) report a non-overlapping AP, NO-AP. Their definition was not available;
    this one is ours: every method's instances are made disjoint, and then scored by Cityscapes' rules.

    Args:
        instances: N instances with ``masks`` (N, H, W) bool and ``scores`` (N,).
        score_thr: Instances with a lower score are left out.
        scores: 'own' keeps them, 'constant' puts 1 in their place. Scores by different rules don't
            compare: with constant scores a class has the AP ``r (1 + p) / 2`` at precision p and recall r.

    Returns:
        Those of which something is seen, in their order, with disjoint ``masks`` and their other fields.
    """
    check_choice('make_disjoint', SCORE_RULES, scores=scores)
    if not len(instances):
        return instances
    index_map = instances_to_index_map(instances, instances.masks.shape[1:], score_thr)
    seen = torch.unique(index_map)
    seen = seen[seen > 0]
    kept = instances[(seen - 1).long()]
    kept.masks = index_map[None] == seen[:, None, None]
    if scores == 'constant':
        kept.scores = torch.ones_like(kept.scores)
    return kept
