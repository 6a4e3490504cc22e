"""Images of a trained generator as files: what is asked for, read from words and pictures."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from mmforecast.apis.evaluate import build_model
from mmforecast.creative.models import CreativeGAN
from mmforecast.datasets.image_files import decode_gray
from mmforecast.fileio.atomic import write_png
from mmforecast.visualization import image_grid, to_pictures

__all__ = [
    'build_sampler',
    'read_labels',
    'read_masks',
    'write_grid',
    'write_images',
]


def build_sampler(cfg: Config, checkpoint: str) -> CreativeGAN:
    """The model of a config with weights, in eval mode, on a GPU if there is one.

    A second stage's first stage is in the checkpoint too, so that its own isn't read.

    Raises:
        ValueError: The config's model can't be sampled.
    """
    settings = cfg.model.to_dict()
    if isinstance(settings.get('generator'), dict):
        settings['generator'].pop('checkpoint', None)
    model = build_model(settings, checkpoint)
    if not isinstance(model, CreativeGAN):
        raise ValueError(
            f'the model of {cfg.filename} is a {type(model).__name__}, which has no images to sample; give '
            'a config of a CreativeGAN'
        )
    return model


def read_labels(words: Sequence[str], names: Sequence[str], num_classes: int) -> list[int]:
    """Classes by name or number; 'all' is every one.

    Raises:
        ValueError: There is no such class.
    """
    if list(words) == ['all']:
        return list(range(num_classes))
    labels = []
    for word in words:
        if word in names:
            labels.append(list(names).index(word))
        elif word.isdigit() and int(word) < num_classes:
            labels.append(int(word))
        else:
            known = ', '.join(names) or 'no names are in the checkpoint'
            raise ValueError(
                f'there is no class {word!r}; give numbers from 0 to {num_classes - 1}, names '
                f"({known}), or 'all'"
            )
    return labels


def read_masks(files: Sequence[str], side: int) -> Tensor:
    """(n, 1, side, side) masks, 1 where a picture is brighter than half, which is resized to a square.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no picture, or nothing in it is bright.
    """
    masks = []
    for file in files:
        if not Path(file).is_file():
            raise FileNotFoundError(f'there is no mask {file}')
        gray = decode_gray(Path(file).read_bytes(), file)
        mask = cv2.resize(gray, (side, side), interpolation=cv2.INTER_NEAREST_EXACT) > 127
        if not mask.any():
            raise ValueError(f'the mask {file} is empty: what is brighter than half is taken as the garment')
        masks.append(torch.from_numpy(mask.astype(np.float32))[None])
    return torch.stack(masks)


def write_images(images: Tensor, folder: Path) -> list[Path]:
    """Write (n, 3, H, W) RGB images in [0, 255] as ``<number>.png``; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f'{number:05d}.png' for number in range(len(images))]
    for path, picture in zip(paths, to_pictures(images), strict=True):
        write_png(path, picture)
    return paths


def write_grid(
    images: Tensor, path: Path, columns: int, scale: int = 1, captions: Sequence[str] | None = None
) -> None:
    """Write images as one picture, rows of ``columns``, each image enlarged ``scale`` times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, image_grid(to_pictures(images), columns, scale * images.shape[-1], captions))
