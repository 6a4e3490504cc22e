"""Transforms that read what a frozen network made of a clip's frames, and cut it."""

import math
from collections.abc import Sequence as SequenceType

import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.registry import TRANSFORMS

from ..representation_store import RepresentationStore
from .geometry import check_pair

__all__ = ['ClipRandomFeatureCrop', 'LoadClipFeatures', 'LoadClipScores']


@TRANSFORMS.register_module()
class LoadClipScores(BaseTransform):
    """Read a segmentor's precomputed scores.

    Adds ``scores``, (T, C, h, w) float16, a read-only view of the store's files where it can be
    one. Sets ``img_shape`` and ``ori_shape`` to (h, w) where neither frames nor labels have set
    them.

    Args:
        store: Folder that ``tools/extract_representations.py`` wrote, with a level 'scores'.
        expect: Fields of the store's manifest that must hold, e.g. ``dict(model='...',
            levels=[dict(name='scores', shape=(19, 128, 256))])``.

    Raises:
        StoreError: The store is missing, breaks ``expect``, holds no scores, or lacks a frame of the
            clip.
    """

    def __init__(self, store: str, expect: dict | None = None):
        self.store = RepresentationStore(store, expect)
        (self.level,) = self.store.choose_levels(['scores'])

    def transform(self, results: dict) -> dict:
        scores = self.store.read(self.level, results['sequence_id'], results['frame_names'])
        results['scores'] = scores
        if 'img_shape' not in results:
            results['img_shape'] = results['ori_shape'] = scores.shape[-2:]
        return results


@TRANSFORMS.register_module()
class LoadClipFeatures(BaseTransform):
    """Read precomputed levels of a detector's feature pyramid.

    Adds ``features``, a list over levels, finest first, of (T, C, h, w) float16, read-only views of
    the store's files where they can be; ``feature_levels``, their names; and ``feature_source``, the
    fingerprint of the weights that they were computed with, for the model to compare with its own
    (see :func:`mmforecast.fileio.fingerprint.weights_fingerprint`).

    Args:
        store: Folder that ``tools/extract_representations.py`` wrote.
        levels: Names of the levels, e.g. ``('P5', 'P4')``, in any order; by default all of the store.
        expect: Fields of the store's manifest that must hold.

    Raises:
        StoreError: The store is missing, breaks ``expect``, or lacks a level or a frame of the clip.
    """

    def __init__(self, store: str, levels: SequenceType[str] | None = None, expect: dict | None = None):
        self.store = RepresentationStore(store, expect)
        self.levels = self.store.choose_levels(levels)

    def transform(self, results: dict) -> dict:
        clip = results['sequence_id'], results['frame_names']
        results['features'] = [self.store.read(level, *clip) for level in self.levels]
        results['feature_levels'] = self.levels
        results['feature_source'] = self.store.manifest.weights_sha256
        return results


@TRANSFORMS.register_module()
class ClipRandomFeatureCrop(BaseTransform):
    """Cut one random window out of all levels of a clip's features.

    The window lies on the grid of the coarsest level, so that all levels show exactly the same part
    of the scene. Needs nothing but features to be loaded: other fields would no longer match them.

    Args:
        size: (height, width) in cells of the finest loaded level; multiples of the factor by which
            the coarsest level is smaller.

    Raises:
        ValueError: The window is larger than the features or off the grid, the levels don't divide
            each other evenly, or other fields are loaded.
    """

    def __init__(self, size: tuple[int, int]):
        self.size = check_pair('size', size)

    def transform(self, results: dict) -> dict:
        self._check_fields(results)
        features = results['features']
        shape = features[0].shape[-2:]
        factors = [_factor(shape, level.shape[-2:]) for level in features]
        cell = math.lcm(*factors)
        if self.size[0] > shape[0] or self.size[1] > shape[1]:
            raise ValueError(
                f'crop size {self.size} is larger than the finest features {tuple(shape)} of '
                f'sequence {results["sequence_id"]}: choose a smaller one'
            )
        if self.size[0] % cell or self.size[1] % cell:
            raise ValueError(
                f'crop size {self.size} must be a multiple of {cell}, the size of a cell of the '
                'coarsest level in cells of the finest'
            )
        corner = [cell * np.random.randint((n - m) // cell + 1) for n, m in zip(shape, self.size)]
        (top, left), (height, width) = corner, self.size
        results['features'] = [
            level[..., top // f : (top + height) // f, left // f : (left + width) // f]
            for level, f in zip(features, factors)
        ]
        return results

    @staticmethod
    def _check_fields(results: dict):
        others = {'frames', 'gt_sem_seg', 'gt_instance_map', 'scores'} & set(results)
        if 'features' not in results or others:
            loaded = ', '.join(sorted(others)) or 'no features'
            raise ValueError(
                f'ClipRandomFeatureCrop cuts features alone, but the pipeline loads {loaded}: put '
                'LoadClipFeatures before it, and no transform that loads something else'
            )


def _factor(finest: tuple[int, int], level: tuple[int, int]) -> int:
    """How many times smaller a level is than the finest one."""
    factor = finest[0] // level[0]
    if (level[0] * factor, level[1] * factor) != tuple(finest):
        raise ValueError(
            f'features of {level[0]}x{level[1]} do not divide the finest ones of '
            f'{finest[0]}x{finest[1]} evenly, so that no crop fits both: extract them at a frame '
            'size that the coarsest stride divides'
        )
    return factor
