"""Sets of images to be compared: from a dataset, a folder, or a model that samples."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.apis.evaluate import SCOPE, build_model
from mmforecast.creative.datasets import BaseAttributeDataset, FitToSquare, LoadRGBImage
from mmforecast.datasets.image_files import IMAGE_SUFFIXES
from mmforecast.datasets.junk_files import visible_names
from mmforecast.registry import DATASETS
from mmforecast.utils.progress import progress_bar

__all__ = ['ImageSet', 'dataset_images', 'fill_of', 'folder_images', 'join_sets', 'sampled_images']


@dataclass
class ImageSet:
    """Images of one size, and what is known of them.

    Attributes:
        name: How a table calls them.
        images: uint8 (N, 3, H, W), RGB.
        names: N, unique: file names, or numbers of what has no file.
        labels: (N,) int64 by attribute, -1 where missing; only of real images.
        classes: Class names by attribute.
        masks: Bool (N, 1, H, W), the garments, where the data has them.
    """

    name: str
    images: torch.Tensor
    names: list[str]
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    masks: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)


def dataset_images(cfg: Config, part: str, name: str) -> ImageSet:
    """The images of a dataset's config, as the test pipeline gives them.

    Args:
        cfg: Has ``<part>_dataloader``, and ``val_dataloader``, whose pipeline is used for all parts.
        part: 'train', 'val' or 'test'.
        name: Of the set.

    Raises:
        ValueError: It is no dataset of single images, or its images differ in size.
    """
    settings = cfg[f'{part}_dataloader'].dataset.to_dict()
    settings.update(pipeline=cfg.val_dataloader.dataset.to_dict()['pipeline'], test_mode=True)
    with DefaultScope.overwrite_default_scope(SCOPE):
        data = DATASETS.build(settings)
    if not isinstance(data, BaseAttributeDataset):
        raise ValueError(
            f'{type(data).__name__} holds no single images: give a config such as '
            'configs/_base_/datasets/clothing_64.py'
        )
    images, names, labels, masks = [], [], [], []
    for number in progress_bar(range(len(data)), desc=name):
        item = data[number]
        sample = item['data_samples']
        images.append(item['inputs'])
        names.append(sample.get('img_path') or f'{part}/{number}')
        labels.append(sample.gt_labels)
        masks += [sample.gt_mask] if 'gt_mask' in sample else []
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(
            f'the images of {name} differ in size: {sorted(sizes)[:3]}; add FitToSquare to the pipeline'
        )
    by_attribute = {
        attribute: np.array([entry[attribute] for entry in labels]) for attribute in data.attributes
    }
    found = torch.stack(masks) if masks else None
    return ImageSet(name, torch.stack(images), names, by_attribute, dict(data.attributes), found)


def join_sets(sets: Sequence[ImageSet], name: str) -> ImageSet:
    """One set of several of the same data."""
    labels = {
        attribute: np.concatenate([one.labels[attribute] for one in sets]) for attribute in sets[0].labels
    }
    images = torch.cat([one.images for one in sets])
    masks = None if sets[0].masks is None else torch.cat([one.masks for one in sets])
    names = sum((one.names for one in sets), [])
    return ImageSet(name, images, names, labels, sets[0].classes, masks)


def folder_images(
    folder: str, name: str, size: int, fill: str = 'white', limit: int | None = None
) -> ImageSet:
    """All images of a folder, in order of their names, brought to ``size`` x ``size``.

    Args:
        folder: Its subfolders are not read.
        name: Of the set.
        size: Side in pixels.
        fill: What is put beside images that are not square, see :class:`FitToSquare`.
        limit: Use the first so many.

    Raises:
        FileNotFoundError: There is no such folder, or no image in it.
        BadImageError: A file can't be read, or is much smaller than ``size``.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'there is no folder {folder} of the set {name!r}')
    files = [file for file in visible_names(folder) if file.lower().endswith(IMAGE_SUFFIXES)]
    if not files:
        raise FileNotFoundError(f'{folder}, the set {name!r}, holds no image')
    load, fit = LoadRGBImage(), FitToSquare(size, fill)
    images = []
    for file in files[:limit]:
        results = fit(load(dict(img_path=os.path.join(folder, file))))
        images.append(torch.from_numpy(results['img'].transpose(2, 0, 1).copy()))
    return ImageSet(name, torch.stack(images), files[:limit])


def fill_of(cfg: Config) -> str:
    """How the test pipeline of a dataset's config fills images up to squares."""
    pending = list(cfg.val_dataloader.dataset.to_dict()['pipeline'])
    while pending:
        step = pending.pop()
        if step['type'] == 'FitToSquare':
            return step.get('fill', 'white')
        pending += step.get('transforms', ())
    return 'white'


def sampled_images(
    cfg: Config,
    checkpoint: str,
    name: str,
    size: int,
    number: int = 1000,
    seed: int = 0,
    masks: torch.Tensor | None = None,
) -> ImageSet:
    """Images of a model with ``sample(n, seed=...)``, such as ``CreativeGAN``.

    Args:
        cfg: A whole config; only ``model`` is read.
        checkpoint: Its weights.
        name: Of the set.
        size: Required side of the images, in pixels.
        number: How many.
        seed: Of the noise.
        masks: (M, 1, size, size), which a model whose condition is a mask fills in turn.

    Raises:
        ValueError: The model doesn't sample, needs masks and there are none, or makes images of another size.
    """
    model = build_model(cfg.model.to_dict(), checkpoint)
    if not hasattr(model, 'sample'):
        raise ValueError(f'{type(model).__name__}, the model of {name!r}, has no method sample')
    options = {}
    if getattr(getattr(model, 'condition', None), 'kind', None) == 'mask':
        if masks is None:
            raise ValueError(
                f'the model of {name!r} fills masks, but the held-out images have none: give a data '
                'config that loads them'
            )
        options = dict(mask=masks[torch.arange(number) % len(masks)].float())
    images = model.sample(number, seed=seed, **options)
    if tuple(images.shape[1:]) != (3, size, size):
        raise ValueError(
            f'{name!r} makes images of {tuple(images.shape[1:])}, but those of the data are '
            f'(3, {size}, {size}): give the data config that it was trained with'
        )
    images = images.round().clamp(0, 255).to(torch.uint8).cpu()
    return ImageSet(name, images, [f'{seed}/{index}' for index in range(number)])
