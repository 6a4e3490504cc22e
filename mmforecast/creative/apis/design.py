"""Garment designs by the shipped model: from words and sketches to images with scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import load_state_dict
from scipy import ndimage
from torch import Tensor, nn

from mmforecast.apis.evaluate import SCOPE
from mmforecast.apis.shipped import shipped_file
from mmforecast.creative.evaluation import RealismScale
from mmforecast.creative.models.mixes import one_hot_mix, split_mix, toward_uniform
from mmforecast.creative.models.noise import draw_noise, slerp
from mmforecast.datasets.image_files import decode_gray
from mmforecast.fileio import load_checkpoint
from mmforecast.registry import DATASETS, MODELS
from mmforecast.utils.checks import check_integer, check_positive, check_range

from .image_features import compute

__all__ = ['Design', 'Studio', 'load_studio', 'read_mix', 'read_sketch']

CONFIG = 'configs/creative_gan/design_garments-64.py'
WEIGHTS = 'configs/creative_gan/weights/design_garments-64-fe2586d6.pth'
_FILLED = 0.88  # share of the side that a sketch is brought to, as in training


@dataclass
class Design:
    """One generated garment.

    Attributes:
        number: Image of the seed.
        image: uint8 (zoom * S, zoom * S, 3), RGB.
        nearest: uint8 (S, S, 3), the nearest training image.
        nearest_number: Of that image in the training set.
        novelty: Distance to it, in units of the median distance from a training image to its nearest one.
        realism: See :class:`RealismScale`; 1 or more lies among the training images.
        classes: Probability by class, by attribute, of the classifier.
        mix: Share by class, by attribute, that was asked for.
    """

    number: int
    image: np.ndarray
    nearest: np.ndarray
    nearest_number: int
    novelty: float
    realism: float
    classes: dict[str, dict[str, float]]
    mix: dict[str, dict[str, float]]


class Studio:
    """The generator, the classifier, and the features of the training images.

    Args:
        generator: Conditioned on mixes of ``attributes``.
        classifier: Of the same attributes.
        features: (N, D), the classifier's features of the training images, in order.
        data: Config of the training set.
        attributes: Class names by attribute.
    """

    def __init__(
        self,
        generator: nn.Module,
        classifier: nn.Module,
        features: np.ndarray,
        data: dict,
        attributes: Mapping[str, Sequence[str]],
    ):
        self.generator, self.classifier = generator.eval(), classifier.eval()
        self.scale = RealismScale(features)
        self.attributes = {name: tuple(classes) for name, classes in attributes.items()}
        with DefaultScope.overwrite_default_scope(SCOPE):
            self.data = DATASETS.build(dict(data, pipeline=[], test_mode=True))

    @property
    def counts(self) -> dict[str, int]:
        """Classes by attribute."""
        return {name: len(classes) for name, classes in self.attributes.items()}

    @torch.no_grad()
    def design(
        self,
        number: int,
        mix: Mapping[str, Mapping[str, float]] | None = None,
        creativity: float = 0.0,
        mask: Tensor | None = None,
        seed: int = 0,
        zoom: int = 3,
    ) -> list[Design]:
        """Make designs; design k of a seed is the same for any ``number`` above k.

        Args:
            number: How many.
            mix: Shares by class name, by attribute, see :func:`read_mix`. Of an attribute that is not in it,
                each design gets a class of its own, drawn at random.
            creativity: In [0, 1], how far the mix is moved toward all classes equally.
            mask: (1, 1, S, S) in [0, 1], the shape of all designs.
            seed: 0 or more.
            zoom: Enlargement of the pictures; scores are those of the size that was trained.
        """
        check_positive('design', number=number, zoom=zoom)
        check_integer('design', 0, seed=seed)
        check_range('design', 0, 1, creativity=creativity)
        noise, drawn = draw_noise(seed, range(number), self.generator.noise_size, tuple(self.counts.values()))
        asked = toward_uniform(self.mixes(drawn, mix or {}), creativity, self.counts)
        masks = None if mask is None else mask.expand(number, -1, -1, -1)
        small, large = self.paint(noise, asked, masks, 1), self.paint(noise, asked, masks, zoom)
        features, *scores = compute(self.classifier.classify, small)
        nearest, distances, realism = self.scale.score(features)
        return [
            Design(
                index,
                _picture(large[index]),
                self.data.get_data_info(int(nearest[index]))['img'],
                int(nearest[index]),
                float(distances[index]),
                float(realism[index]),
                self._named({name: part[index] for name, part in zip(self.attributes, scores)}),
                self._named({name: part[index] for name, part in split_mix(asked, self.counts).items()}),
            )
            for index in range(number)
        ]

    @torch.no_grad()
    def walk(self, designs: Sequence[int], steps: int = 12, seed: int = 0, zoom: int = 3, **wanted) -> list:
        """Pictures uint8 on the way from one design of a seed to the next, and back to the first.

        Args:
            designs: Their numbers, at least two.
            steps: Pictures from one to the next.
            seed, zoom: See :meth:`design`.
            wanted: ``mix``, ``creativity`` and ``mask`` of :meth:`design`.
        """
        noise, drawn = draw_noise(seed, designs, self.generator.noise_size, tuple(self.counts.values()))
        asked = self.mixes(drawn, wanted.get('mix') or {})
        asked = toward_uniform(asked, wanted.get('creativity', 0.0), self.counts)
        share, pictures = torch.arange(steps) / steps, []
        for index in range(len(designs)):
            after = (index + 1) % len(designs)
            on_the_way = slerp(noise[index], noise[after], share)
            blends = torch.lerp(asked[index], asked[after], share[:, None])
            mask = wanted.get('mask')
            masks = None if mask is None else mask.expand(steps, -1, -1, -1)
            pictures += [_picture(image) for image in self.paint(on_the_way, blends, masks, zoom)]
        return pictures

    def mixes(self, drawn: Tensor, mix: Mapping[str, Mapping[str, float]]) -> Tensor:
        """(B, sum of classes) as asked for, or of the drawn classes."""
        parts = []
        for (name, classes), column in zip(self.attributes.items(), drawn.unbind(1)):
            part = one_hot_mix([column], {name: len(classes)})
            if name in mix:
                part = torch.tensor([mix[name].get(one, 0.0) for one in classes]).expand(len(column), -1)
            parts.append(part)
        return torch.cat(parts, dim=1)

    def paint(self, noise: Tensor, mixes: Tensor, masks: Tensor | None, zoom: int) -> Tensor:
        """uint8 (B, 3, zoom * S, zoom * S)."""
        images = []
        for start in range(0, len(noise), 16):
            part = slice(start, start + 16)
            given = None if masks is None else masks[part]
            images.append(self.generator(noise[part], mixes[part], mask=given, zoom=zoom))
        return ((torch.cat(images) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)

    def _named(self, shares: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
        return {
            name: {one: float(value) for one, value in zip(self.attributes[name], values)}
            for name, values in shares.items()
        }


def load_studio() -> Studio:
    """The shipped model: its generator and classifier, and features of its training images.

    Raises:
        FileNotFoundError: The weights are neither in the checkout nor in the installed package.
    """
    content = load_checkpoint(shipped_file(WEIGHTS), map_location='cpu')
    cfg = Config.fromfile(shipped_file(CONFIG))
    judge = Config.fromfile(shipped_file('configs/creative_gan/attribute-classifier_tiny_garments-64.py'))
    with DefaultScope.overwrite_default_scope(SCOPE):
        generator = MODELS.build(cfg.model.generator.to_dict())
        classifier = MODELS.build(judge.model.to_dict())
    for model, key in ((generator, 'generator'), (classifier, 'classifier')):
        weights = {
            name: value.float() if value.is_floating_point() else value for name, value in content[key].items()
        }
        load_state_dict(model, weights, strict=True)
    data = cfg.train_dataloader.dataset.to_dict()
    return Studio(generator, classifier, content['features'].double().numpy(), data, content['attributes'])


def read_mix(text: str, attributes: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Shares by class, by attribute, of words such as 'dress=.5,coat=.5,dots=1'; those of each sum to 1.

    Args:
        text: Classes with shares above 0, or without, which counts as 1. Shares are scaled to sum to 1 within
            an attribute.
        attributes: Class names by attribute.

    Raises:
        ValueError: A class is unknown or named twice, or a share is no number above 0.
    """
    found: dict[str, dict[str, float]] = {}
    for entry in filter(None, (part.strip() for part in text.split(','))):
        word, _, share = (part.strip() for part in entry.partition('='))
        owner = next((name for name, classes in attributes.items() if word in classes), None)
        if owner is None:
            known = '; '.join(f'{name}: {", ".join(classes)}' for name, classes in attributes.items())
            raise ValueError(f'there is no class {word!r}; the classes are {known}')
        try:
            value = float(share or 1)
        except ValueError:
            value = 0.0
        if not 0 < value < float('inf') or word in found.get(owner, ()):
            raise ValueError(f'{entry!r} must give a class once, with a share above 0, such as dress=0.5')
        found.setdefault(owner, {})[word] = value
    return {name: {k: v / sum(part.values()) for k, v in part.items()} for name, part in found.items()}


def read_sketch(path: str, side: int) -> Tensor:
    """The mask (1, 1, side, side) of a drawn or cut-out shape.

    What differs from the border is the shape: dark on light, or light on dark. Outlines are filled, and the
    shape is brought to the size that garments had in training.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no picture, or no shape is in it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no sketch {path}')
    gray = decode_gray(Path(path).read_bytes(), path)
    _, bright = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    shape = ndimage.binary_fill_holes(bright != round(float(border.mean())))
    if gray.max() - gray.min() < 16 or not 0.005 < shape.mean() < 0.98:
        raise ValueError(
            f'no shape was found in {path}: draw a dark, closed outline or a filled shape on a light ground'
        )
    rows, cols = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
    part = shape[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].astype(np.float32)
    scale = _FILLED * side / max(part.shape)
    size = [max(1, round(scale * length)) for length in part.shape]
    part = cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    mask = np.zeros((side, side), np.float32)
    top, left = ((side - length) // 2 for length in size)
    mask[top : top + size[0], left : left + size[1]] = part.clip(0, 1)
    return torch.from_numpy(mask)[None, None]


def _picture(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())
