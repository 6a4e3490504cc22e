"""Fashion-MNIST: 70,000 gray pictures of clothes, 28x28, 10 classes (Xiao et al. 2017, arXiv 1708.07747)."""

from collections.abc import Callable, Sequence

import numpy as np

from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_choice

from .attribute_dataset import BaseAttributeDataset
from .idx_files import find_idx, read_idx

__all__ = ['FashionMNISTDataset']

_CLASSES = (
    't-shirt',
    'trouser',
    'pullover',
    'dress',
    'coat',
    'sandal',
    'shirt',
    'sneaker',
    'bag',
    'ankle boot',
)
_FILES = dict(train='train', test='t10k')


@DATASETS.register_module()
class FashionMNISTDataset(BaseAttributeDataset):
    """Files in the layout of MNIST: ``{train,t10k}-{images-idx3,labels-idx1}-ubyte``, plain or ``.gz``.

    Pictures come as ``img``, (28, 28, 3) with three equal channels, so that the pipeline needs no loading. The
    attribute is ``shape``.

    Args:
        data_root: Folder of the files.
        split: 'train' or 'test'.
        invert: White ground, as photographs of products have it, instead of the files' black one.
        kwargs: As of :class:`BaseAttributeDataset`.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is malformed, or images and labels don't match.
    """

    METAINFO = dict(attributes=dict(shape=_CLASSES))

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        invert: bool = True,
        pipeline: Sequence[dict | Callable] = (),
        **kwargs,
    ):
        check_choice('FashionMNISTDataset', tuple(_FILES), split=split)
        self.split, self.invert = split, invert
        self._images: np.ndarray | None = None
        super().__init__(data_root=data_root, pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        stem = _FILES[self.split]
        self._images = read_idx(find_idx(self.data_root, f'{stem}-images-idx3-ubyte'), ndim=3)
        path = find_idx(self.data_root, f'{stem}-labels-idx1-ubyte')
        labels = read_idx(path, ndim=1)
        if len(labels) != len(self._images):
            raise ValueError(
                f'{path} has {len(labels)} labels for {len(self._images)} images: are they of two splits?'
            )
        self.set_attributes(dict(shape=_CLASSES))
        classes = self._metainfo['attributes']['shape']
        if len(labels) and labels.max() >= len(classes):
            raise ValueError(f'{path} has the label {labels.max()}, but there are {len(classes)} classes')
        return [dict(row=row, gt_labels=dict(shape=int(label))) for row, label in enumerate(labels)]

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        image = self._images[info['row']]
        image = np.repeat((255 - image if self.invert else image)[..., None], 3, axis=2)
        return dict(
            img=image,
            img_path=None,
            img_shape=image.shape[:2],
            ori_shape=image.shape[:2],
            gt_labels=info['gt_labels'],
            sample_idx=info['sample_idx'],
        )
