"""Identity scores of forecast objects over the steps of a roll-out: IDF1 and MOTA.

A forecast is a hypothesis of a tracker that sees no frame. Scores are those of the MOT challenges, computed by
``motmetrics``: MOTA (Bernardin and Stiefelhagen, 2008) and IDF1 (Ristani et al., 2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmforecast.structures import instances_from_id_map


@dataclass(frozen=True)
class FrameDistances:
    """The distances between the objects of a frame, all that tracking scores need.

    Attributes:
        truth: Ids of its G objects, int64 (G,).
        tracks: Ids of the P forecast ones, int64 (P,).
        distances: 1 - IoU, float64 (G, P); NaN between what can't be matched.
    """

    truth: np.ndarray
    tracks: np.ndarray
    distances: np.ndarray


def match_distances(
    instances: InstanceData,
    id_map: torch.Tensor,
    iou_thr: float = 0.5,
    min_region_size: int = 0,
) -> FrameDistances:
    """Distances of the objects of a labeled frame to the forecast ones.

    A pair has the same class and an IoU of ``iou_thr`` or more. Objects with fewer pixels than
    ``min_region_size`` need not be found, and what finds them isn't wrong: both are left out.

    Args:
        instances: P instances with ``labels``, ``track_ids`` and ``masks`` (P, H, W) bool.
        id_map: Integer (H, W), Cityscapes' ``instanceIds``.
    """
    truth = instances_from_id_map(id_map)
    tracks, labels = (_as_tensor(instances, name) for name in ('track_ids', 'labels'))
    if not len(truth) or not len(tracks):
        ids, shape = truth.ids.numpy(), (len(truth), len(tracks))
        large = truth.masks.flatten(1).sum(1).numpy() >= min_region_size
        return FrameDistances(ids[large], tracks.numpy(), np.full(shape, np.nan)[large])
    flat, true_flat = (torch.as_tensor(masks).flatten(1) for masks in (instances.masks, truth.masks))
    common = true_flat.float() @ flat.float().T
    areas = true_flat.sum(1)
    iou = common / (areas[:, None] + flat.sum(1) - common)
    paired = (iou >= iou_thr) & (truth.labels[:, None] == labels)
    small = areas < min_region_size
    kept = ~paired[small].any(dim=0)
    distances = (1 - iou).where(paired, torch.nan)[~small][:, kept]
    return FrameDistances(truth.ids[~small].numpy(), tracks[kept].numpy(), distances.double().numpy())


def tracking_scores(clips: Sequence[Sequence[FrameDistances]]) -> dict[str, float]:
    """Scores over all clips together, identities living for one clip.

    Returns:
        ``IDF1``, ``IDP``, ``IDR`` and ``MOTA`` in percent (MOTA may be negative), and ``IDSW``, the number of
        identity switches. NaN without an object.

    Raises:
        ImportError: ``motmetrics`` isn't installed.
    """
    try:
        import motmetrics
    except ImportError as error:
        raise ImportError(
            'tracking scores are computed by motmetrics, which is not installed: pip install motmetrics'
        ) from error
    accumulators = []
    for clip in clips:
        accumulator = motmetrics.MOTAccumulator()
        for step, frame in enumerate(clip):
            accumulator.update(frame.truth, frame.tracks, frame.distances, frameid=step)
        accumulators.append(accumulator)
    names = dict(IDF1='idf1', IDP='idp', IDR='idr', MOTA='mota', IDSW='num_switches')
    summary = motmetrics.metrics.create().compute_many(
        accumulators, metrics=list(names.values()), generate_overall=True
    )
    overall = summary.loc['OVERALL']
    scale = dict(IDSW=1)
    return {key: scale.get(key, 100) * float(overall[name]) for key, name in names.items()}


def _as_tensor(instances: InstanceData, name: str) -> torch.Tensor:
    return torch.as_tensor(instances[name] if len(instances) else []).long().cpu()
