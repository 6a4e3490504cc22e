"""Transforms whose results are kept in memory."""

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmforecast.registry import TRANSFORMS
from mmforecast.utils.checks import check_at_least

__all__ = ['CacheTransforms']


@TRANSFORMS.register_module()
class CacheTransforms(BaseTransform):
    """Run transforms once per image, and give the same results from memory from then on.

    For what doesn't depend on chance: reading, decoding and resizing. 3,781 images of 64x64 take 46 MB. Every
    process of a data loader keeps its own. An image that can't be used is tried again each time.

    A transform that draws random numbers is refused, since its first draw would stay for good: by its name
    (``Random...``) when it is built, and otherwise when it moves the state of a global generator (of random,
    numpy or torch). The first image is transformed twice, to find those with a generator of their own.

    Args:
        transforms: What to run, as configs or callables.
        max_bytes: Once the arrays kept take so much, further images are no longer kept; 0 or more.

    Raises:
        ValueError: A transform is random.
    """

    def __init__(self, transforms: Sequence[dict | Callable], max_bytes: int = 2 << 30):
        check_at_least('CacheTransforms', 0, max_bytes=max_bytes)
        built = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in transforms]
        for step in built:
            if type(step).__name__.startswith('Random'):
                raise _refusal(step)
        self.transforms = Compose(built)
        self.max_bytes = max_bytes
        self.kept_bytes = 0
        self._kept: dict[int, dict] = {}
        self._compared = False

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_kept': {}, 'kept_bytes': 0}

    def transform(self, results: dict) -> dict | None:
        """Return the results kept for this image, or make and keep them.

        Args:
            results: Of the dataset, with ``sample_idx``.
        """
        key = results['sample_idx']
        if key not in self._kept:
            made = self._make(results)
            if made is None:
                return None
            arrays = [value for value in made.values() if isinstance(value, np.ndarray)]
            size = sum(array.nbytes for array in arrays)
            if self.kept_bytes + size > self.max_bytes:
                return made
            for array in arrays:
                array.setflags(write=False)  # later transforms must make their own
            self._kept[key] = made
            self.kept_bytes += size
        return dict(self._kept[key])

    def _make(self, results: dict) -> dict | None:
        """Run the transforms, and refuse those that are random."""
        for step in self.transforms.transforms:
            again = None if self._compared else copy.deepcopy(results)
            before = _generator_states()
            results = step(results)
            if _generator_states() != before:
                raise _refusal(step)
            if again is not None and not _same(results, step(again)):
                raise _refusal(step)
            if results is None:
                return None
        self._compared = True
        return results


def _refusal(step: Callable) -> ValueError:
    name = getattr(step, '__name__', type(step).__name__)
    return ValueError(
        f'CacheTransforms would keep the first draw of {name}, which is random, for good: put {name} after '
        'CacheTransforms'
    )


def _generator_states() -> tuple:
    """Return the states of the global generators, to compare."""
    _, words, position, *_ = np.random.get_state()
    return random.getstate(), words.tobytes(), position, torch.get_rng_state().numpy().tobytes()


def _same(first: Any, second: Any) -> bool:
    """Tell whether two results are equal; what can't be compared counts as equal."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first.shape == second.shape and first.tobytes() == second.tobytes()
    if torch.is_tensor(first) and torch.is_tensor(second):
        return torch.equal(first, second)
    if type(first) is type(second) and isinstance(first, (bool, int, float, str, type(None))):
        return first == second or first != first
    return True
