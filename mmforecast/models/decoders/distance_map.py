"""Label maps, instances and their tracks from forecast distance maps (D2D, ECCVW 2018)."""

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.objects.object_map import ObjectMap, enlarge, unpack_objects
from mmforecast.models.objects.seeds import SEEDS, make_claims
from mmforecast.models.objects.tracks import Track, link_objects
from mmforecast.models.objects.watershed import find_unclaimed, grow_objects
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.structures.cityscapes import IGNORE_INDEX, MOVING_TRAIN_IDS, THING_LABEL_IDS
from mmforecast.utils.checks import check_above, check_choice

from .sem_seg import SemSegDecoder

SCORES = ('detector', 'margin', 'constant')
NUM_THINGS = len(THING_LABEL_IDS)
NEW_SCORE = 0.5
MOVING_VALUES = (IGNORE_INDEX, *MOVING_TRAIN_IDS)


def observed_objects(context: ForecastContext | None, decoder: str) -> list[list[ObjectMap]]:
    """Per clip, the objects of each past frame; a ValueError where the encoder gives none."""
    if context is None or context.objects is None:
        raise ValueError(
            f'{decoder} grows instances from the objects of the past frames, but the encoder gives none; '
            'set encoder to DistanceMapEncoder'
        )
    return [[unpack_objects(frame) for frame in clip] for clip in context.objects]


@MODELS.register_module()
class DistanceMapDecoder(SemSegDecoder):
    """Argmax for the semantics, watershed from tracked objects for the instances.

    Objects are linked over the past frames into tracks, which are extrapolated linearly. In each forecast
    frame, every track that was seen in the newest past frame puts a seed where it is expected, and the objects
    grow from there over the pixels of their class (see ``tracks.py``, ``seeds.py`` and ``watershed.py`` of
    ``models/objects``). An instance has the class of its track.

    Args:
        seeds: 'centroid', 3x3 pixels at the extrapolated centroid (the authors'); 'core', the innermost half
            of the last mask, moved along.
        scale: Cores also grow or shrink as the tracks' areas did.
        gate: Distance in pixels of the maps up to which objects of any size are matched.
        levels: Steps per unit that altitudes are rounded to.
        new_area: Pixels from which on a part of a class that no track explains becomes an instance of its
            own, new in every frame; None leaves it to the label map.
        score: 'detector', the track's newest score; 'margin', that times how far, on average over the mask,
            its class is ahead of the second (at most 1); 'constant', 1. What has no track begins with 0.5.
        keep_past: Also write ``past_instances``, the tracked objects of the past frames.
        keep_scores, label_values: As for ``SemSegDecoder``; by default train ids, with 255 for the background.
    """

    takes_skipped_steps = False

    def __init__(
        self,
        seeds: str = 'core',
        scale: bool = False,
        gate: float = 16.0,
        levels: int = 8,
        new_area: int | None = None,
        score: str = 'detector',
        keep_past: bool = False,
        keep_scores: bool = False,
        label_values: Sequence[int] | None = None,
    ):
        super().__init__(keep_scores, label_values)
        check_choice('DistanceMapDecoder', SEEDS, seeds=seeds)
        check_choice('DistanceMapDecoder', SCORES, score=score)
        check_above('DistanceMapDecoder', 0, gate=gate, levels=levels)
        if new_area is not None:
            check_above('DistanceMapDecoder', 0, new_area=new_area)
        self.seeds = seeds
        self.scale = scale
        self.gate = gate
        self.levels = levels
        self.new_area = new_area
        self.score = score
        self.keep_past = keep_past

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_sem_seg`` and, for a forecast, ``pred_instances`` into each sample.

        Args:
            future: One level (B, n, C, h, w), maps as of ``DistanceMapEncoder``.
            samples: See ``BaseDecoder``.
            context: Has the objects of the past frames; needed for 'pred'.
            target: 'pred' for a forecast; 'ref', the representation of the true future, has label maps
                alone, since its objects stay with the encoder.
        """
        if target != 'pred':
            return super().decode(future, samples, context, target)
        (maps,) = future
        observed = observed_objects(context, type(self).__name__)
        for sample, clip, frames in zip(samples, maps, observed):
            classes = self._decode_clip(sample, clip, target)
            if classes.shape[1:] != clip.shape[2:]:
                classes = self.labels(clip, None)
            size = tuple(sample.get('img_shape') or clip.shape[-2:])
            tracks = link_objects(frames, self.gate)
            sample.pred_instances = self._instances_of(clip, classes, tracks, frames, size)
            if self.keep_past:
                sample.past_instances = past_instances(tracks, frames)
        return samples

    def _instances_of(
        self,
        clip: Tensor,
        classes: Tensor,
        tracks: Sequence[Track],
        frames: Sequence[ObjectMap],
        size: Sequence[int],
    ) -> list[InstanceData]:
        """Instances at ``size`` (H, W) in each of n frames, from maps (n, C, h, w) and their argmax."""
        new_id, out = len(tracks), []
        arrays = zip(clip.float().cpu().numpy(), classes.cpu().numpy().astype(np.int64))
        for step, (maps, labels) in enumerate(arrays, start=1):
            found = self._grow(maps, labels, tracks, frames, step, new_id)
            new_id = max(new_id, 1 + max(found['ids'], default=-1))
            out.append(self._as_instances(*found.values(), maps, size))
        return out

    def _grow(
        self,
        maps: np.ndarray,
        classes: np.ndarray,
        tracks: Sequence[Track],
        frames: Sequence[ObjectMap],
        step: int,
        new_id: int,
    ) -> dict:
        """Ids on a map (1 + id, int32), and ids, labels, scores and expected centroids of those on it."""
        first = len(maps) - NUM_THINGS
        time = len(frames) - 1
        # 1. Extrapolate the tracks to this step, and place a seed for each.
        claims = make_claims(tracks, frames[-1], time, step, first, self.seeds, self.scale)
        # 2. Grow the objects from the seeds, by a watershed inside each class.
        grown = grow_objects(maps, classes, claims, first, self.levels)
        # 3. Keep the tracks that still have pixels.
        present = set(np.unique(grown).tolist())
        rows = [
            (claim.id - 1, claim.channel - first, tracks[claim.id - 1].scores[-1], claim.centroid)
            for claim in claims
            if claim.id in present
        ]
        # 4. Make new instances of what no track explains, if asked for.
        if self.new_area is not None:
            for channel, mask in find_unclaimed(classes, grown, first, self.new_area):
                grown[mask] = new_id + 1
                rows.append((new_id, channel - first, NEW_SCORE, np.argwhere(mask).mean(axis=0)))
                new_id += 1
        ids, labels, scores, centroids = zip(*rows) if rows else ((), (), (), ())
        return dict(grown=grown, ids=ids, labels=labels, scores=scores, centroids=centroids)

    def _as_instances(
        self, grown, ids, labels, scores, centroids, maps: np.ndarray, size: Sequence[int]
    ) -> InstanceData:
        # The score of each instance.
        scores = np.array(scores, dtype=np.float64)
        if self.score == 'margin' and len(ids):
            scores *= _margins(maps, grown, ids)
        elif self.score == 'constant':
            scores[:] = 1
        # Masks and expected centroids at the size of the frame; pixel (0, 0) has its center at (0.5, 0.5).
        numbers = torch.tensor(ids, dtype=torch.int64) + 1
        masks = enlarge(grown, size)[None] == numbers[:, None, None]
        stretch = np.array(size) / maps.shape[-2:]
        centers = (np.array(centroids).reshape(-1, 2) + 0.5) * stretch
        return InstanceData(
            labels=torch.tensor(labels, dtype=torch.int64),
            scores=torch.from_numpy(scores).float(),
            masks=masks,
            bboxes=mask2bbox(masks) if len(ids) else torch.zeros((0, 4)),
            track_ids=numbers - 1,
            centroids=torch.from_numpy(centers[:, ::-1].copy()).float(),
        )

    def _values(self, labels: Tensor, num_classes: int) -> Tensor:
        if self.label_values is None and num_classes == len(MOVING_VALUES):
            values = torch.tensor(MOVING_VALUES, dtype=torch.uint8, device=labels.device)
            return values[labels.long()]
        return super()._values(labels, num_classes)


def _margins(maps: np.ndarray, grown: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Mean over each object of how far its class is ahead of the second, 0 to 1."""
    inside = grown > 0
    highest = np.partition(maps[:, inside], -2, axis=0)[-2:]
    margin = np.clip(highest[1] - highest[0], 0, 1)
    owners = grown[inside]
    sums, counts = np.bincount(owners, weights=margin), np.bincount(owners)
    numbers = np.array(ids) + 1
    return sums[numbers] / counts[numbers]


def past_instances(tracks: Sequence[Track], frames: Sequence[ObjectMap]) -> list[InstanceData]:
    """The objects of each past frame with their ``track_ids``; masks at the size of the maps."""
    out = []
    for time, objects in enumerate(frames):
        seen: list[tuple[Track, int]] = [
            (track, track.times.index(time)) for track in tracks if time in track.times
        ]
        members = torch.tensor([track.members[at] for track, at in seen], dtype=torch.int64)
        masks = torch.from_numpy(objects.index_map)[None] == members[:, None, None] + 1
        out.append(
            InstanceData(
                labels=torch.tensor([track.label for track, _ in seen], dtype=torch.int64),
                scores=torch.tensor([track.scores[at] for track, at in seen]),
                masks=masks,
                bboxes=mask2bbox(masks) if len(seen) else torch.zeros((0, 4)),
                track_ids=torch.tensor([track.id for track, _ in seen], dtype=torch.int64),
            )
        )
    return out
