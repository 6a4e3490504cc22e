"""Datasets of textures and of garments that are generated on the fly."""

from collections.abc import Callable, Sequence

import numpy as np

from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_choice, check_integer

from ..attribute_dataset import BaseAttributeDataset
from .garments import SHAPE_CLASSES, paint_garment
from .patterns import TEXTURE_CLASSES, paint_texture

__all__ = ['SyntheticGarmentDataset', 'SyntheticTextureDataset']

_SPLITS = ('train', 'val', 'test')


@DATASETS.register_module()
class SyntheticTextureDataset(BaseAttributeDataset):
    """Textures of the seven classes of DeSIGN, as many of each, with the attribute ``texture``.

    Image ``i`` of a split is a function of ``seed``, split and ``i`` alone. It is made when it is first
    asked for and kept. It comes as ``img``, so that the pipeline needs no loading.

    Args:
        num_images: Size of the dataset; at least one image per class.
        size: Side in pixels.
        seed: Another seed is another dataset.
        split: 'train', 'val' or 'test'.
        keep: Keep made images in memory: ``num_images * size * size * 3`` bytes per process in the end.
        kwargs: As of :class:`BaseAttributeDataset`.
    """

    METAINFO = dict(attributes=dict(texture=TEXTURE_CLASSES))

    def __init__(
        self,
        num_images: int = 4200,
        size: int = 64,
        seed: int = 0,
        split: str = 'train',
        keep: bool = True,
        pipeline: Sequence[dict | Callable] = (),
        **kwargs,
    ):
        least = int(np.prod([len(names) for names in self.METAINFO['attributes'].values()]))
        name = type(self).__name__
        check_integer(name, least, num_images=num_images)  # one for every class at least
        check_integer(name, 8, size=size)
        check_choice(name, _SPLITS, split=split)
        check_integer(name, 0, seed=seed)
        self.num_images, self.size, self.seed = num_images, size, seed
        self.split, self.keep = split, keep
        self._made: dict[int, dict] = {}
        super().__init__(pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        return [dict(number=number, gt_labels=self.labels_of(number)) for number in range(self.num_images)]

    def labels_of(self, number: int) -> dict[str, int]:
        return dict(texture=number % len(TEXTURE_CLASSES))

    def paint(self, rng: np.random.Generator, labels: dict[str, int]) -> dict:
        """The arrays of one image, by their name in the results dict."""
        return dict(img=paint_texture(rng, TEXTURE_CLASSES[labels['texture']], self.size))

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        number = info['number']
        arrays = self._made.get(number)
        if arrays is None:
            rng = np.random.default_rng((self.seed, _SPLITS.index(self.split), number))
            arrays = self.paint(rng, info['gt_labels'])
            for array in arrays.values():
                array.setflags(write=False)
            if self.keep:
                self._made[number] = arrays
        shape = (self.size, self.size)
        return dict(
            **arrays,
            img_path=None,
            img_shape=shape,
            ori_shape=shape,
            gt_labels=info['gt_labels'],
            sample_idx=info['sample_idx'],
        )

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_made': {}}


@DATASETS.register_module()
class SyntheticGarmentDataset(SyntheticTextureDataset):
    """Six shapes of garments cut out of the seven textures: labels of both attributes, and true masks.

    Every pair of classes occurs equally often. Arguments as of :class:`SyntheticTextureDataset`. The masks are
    ``gt_seg_map`` (H, W) uint8.
    """

    METAINFO = dict(attributes=dict(shape=SHAPE_CLASSES, texture=TEXTURE_CLASSES))

    def labels_of(self, number: int) -> dict[str, int]:
        texture, shape = divmod(number % (len(SHAPE_CLASSES) * len(TEXTURE_CLASSES)), len(SHAPE_CLASSES))
        return dict(shape=shape, texture=texture)

    def paint(self, rng: np.random.Generator, labels: dict[str, int]) -> dict:
        image, mask = paint_garment(
            rng, SHAPE_CLASSES[labels['shape']], TEXTURE_CLASSES[labels['texture']], self.size
        )
        return dict(img=image, gt_seg_map=mask)
