"""Transforms whose results are kept in memory."""

from collections.abc import Callable, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmforecast.registry import TRANSFORMS

__all__ = ['CacheTransforms']


@TRANSFORMS.register_module()
class CacheTransforms(BaseTransform):
    """Run transforms once per image, and give the same results from memory from then on.

    For what doesn't depend on chance: reading, decoding and resizing. 3,781 images of 64x64 take 46 MB. Every
    process of a data loader keeps its own. An image that can't be used is tried again each time.

    Args:
        transforms: What to run, as configs or callables.
        max_bytes: Once the arrays kept take so much, further images are no longer kept.

    Raises:
        ValueError: A transform is random by its name (``Random...``).
    """

    def __init__(self, transforms: Sequence[dict | Callable], max_bytes: int = 2 << 30):
        if max_bytes < 0:
            raise ValueError(f'max_bytes has to be 0 or more, got {max_bytes}')
        built = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in transforms]
        for step in built:
            if type(step).__name__.startswith('Random'):
                raise ValueError(
                    f'CacheTransforms would freeze {type(step).__name__} at its first draw: put it after'
                )
        self.transforms = Compose(built)
        self.max_bytes = max_bytes
        self.kept_bytes = 0
        self._kept: dict[int, dict] = {}

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_kept': {}, 'kept_bytes': 0}

    def transform(self, results: dict) -> dict | None:
        key = results['sample_idx']
        if key not in self._kept:
            made = self.transforms(results)
            if made is None:
                return None
            arrays = [value for value in made.values() if isinstance(value, np.ndarray)]
            size = sum(array.nbytes for array in arrays)
            if self.kept_bytes + size > self.max_bytes:
                return made
            for array in arrays:
                array.setflags(write=False)  # later transforms have to make their own
            self._kept[key] = made
            self.kept_bytes += size
        return dict(self._kept[key])
