"""Transforms of single images: reading, one size for all, and jitter."""

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from mmforecast.datasets.file_access import FileReader
from mmforecast.datasets.image_files import MAX_PIXELS, BadImageError, decode_gray, decode_rgb
from mmforecast.registry import TRANSFORMS
from mmforecast.utils.checks import (
    check_above,
    check_at_least,
    check_choice,
    check_fraction,
    check_increasing,
    check_positive,
)

__all__ = ['FitToSquare', 'LoadGarmentMask', 'LoadRGBImage', 'RandomJitter']

_FILLS = dict(white='constant', edge='edge', reflect='reflect')
_BORDERS = dict(white=cv2.BORDER_CONSTANT, edge=cv2.BORDER_REPLICATE, reflect=cv2.BORDER_REFLECT_101)


def _read(reader: FileReader, path: str) -> bytes:
    try:
        return reader.read(path)
    except OSError as error:
        raise BadImageError(f'{path} cannot be read: {error}; restore it.', path) from error


@TRANSFORMS.register_module()
class LoadRGBImage(BaseTransform):
    """Read ``img_path``, of whatever kind: see :func:`~mmforecast.datasets.image_files.decode_rgb`.

    Unlike mmcv's ``LoadImageFromFile``, the result is RGB, transparent parts are white, 16-bit files keep
    their tones, and images that say to be huge are refused before they are decoded.

    Adds ``img`` (H, W, 3) uint8, ``img_shape`` and ``ori_shape``.

    Args:
        max_pixels: Larger images are refused.

    Raises:
        BadImageError: The file can't be read, or is too large.
    """

    def __init__(self, max_pixels: int = MAX_PIXELS):
        check_positive('LoadRGBImage', max_pixels=max_pixels)
        self.max_pixels = max_pixels
        self.reader = FileReader()

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        image = decode_rgb(_read(self.reader, path), path, max_pixels=self.max_pixels)
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadGarmentMask(BaseTransform):
    """Read ``mask_path``: what is brighter than half is garment.

    Adds ``gt_seg_map`` (H, W) uint8, 1 on the garment and 0 elsewhere: mmcv's name, so that mmcv's geometric
    transforms act on it. Needs the image first.

    Args:
        max_pixels: Larger masks are refused.

    Raises:
        ValueError: The image has no mask.
        BadImageError: The mask can't be read, is of another size than the image, or is empty.
    """

    def __init__(self, max_pixels: int = MAX_PIXELS):
        self.max_pixels = max_pixels
        self.reader = FileReader()

    def transform(self, results: dict) -> dict:
        path = results.get('mask_path')
        if not path:
            raise ValueError(
                f'{results.get("img_path")} has no mask: give mask_root, or a column mask_path in the '
                'image list; tools/dataset_converters/garment_masks.py makes masks'
            )
        mask = decode_gray(_read(self.reader, path), path, self.max_pixels)
        if mask.shape != results['img'].shape[:2]:
            raise BadImageError(
                f'{path} is {mask.shape[1]}x{mask.shape[0]} pixels, but its image '
                f'{results["img_path"]} is {results["img"].shape[1]}x{results["img"].shape[0]}: make '
                'the mask of this image.',
                path,
            )
        mask = (mask > 127).astype(np.uint8)
        if not mask.any():
            raise BadImageError(f'{path} is an empty mask: draw it, or remove the image.', path)
        results['gt_seg_map'] = mask
        return results


@TRANSFORMS.register_module()
class FitToSquare(BaseTransform):
    """Bring the whole image to ``size`` x ``size``: pad the shorter side equally at both ends, then resize.

    With ``fill='crop'`` the middle square is taken instead. Shrinking averages over areas, enlarging is
    bilinear. Masks are padded with 0, and take the nearest pixel.

    Args:
        size: Side in pixels.
        fill: 'white'; 'edge', which repeats the outermost pixels, as streaks; 'reflect', which mirrors; or
            'crop', which cuts the longer side equally at both ends: for photographs without a plain ground.
        max_enlarge: An image that would need to be enlarged by more is refused: it has no detail for a network
            of this size.

    Raises:
        BadImageError: The image is too small.
    """

    def __init__(self, size: int, fill: str = 'white', max_enlarge: float = 4.0):
        check_positive('FitToSquare', size=size)
        check_at_least('FitToSquare', 1, max_enlarge=max_enlarge)
        check_choice('FitToSquare', (*_FILLS, 'crop'), fill=fill)
        self.size = size
        self.fill = fill
        self.max_enlarge = max_enlarge

    def transform(self, results: dict) -> dict:
        if self.fill == 'crop':
            self._crop(results)
        height, width = results['img'].shape[:2]
        side = max(height, width)
        if side * self.max_enlarge < self.size:
            path = results.get('img_path') or f'image {results.get("sample_idx")}'
            raise BadImageError(
                f'{path} is {width}x{height} pixels, but the network takes {self.size}x{self.size}: '
                f'images are enlarged {self.max_enlarge:g} times at most; remove it, or raise '
                'max_enlarge.',
                path,
            )
        left, top = (side - width) // 2, (side - height) // 2
        ends = (left, top, side - width - left, side - height - top)
        image = results['img']
        if any(ends):
            image = mmcv.impad(image, padding=ends, pad_val=(255, 255, 255), padding_mode=_FILLS[self.fill])
        way = 'area' if side > self.size else 'bilinear'
        results['img'] = mmcv.imresize(image, (self.size, self.size), interpolation=way)
        if 'gt_seg_map' in results:
            mask = mmcv.impad(results['gt_seg_map'], padding=ends)
            results['gt_seg_map'] = cv2.resize(
                mask, (self.size, self.size), interpolation=cv2.INTER_NEAREST_EXACT
            )
        results['img_shape'] = (self.size, self.size)
        return results

    @staticmethod
    def _crop(results: dict) -> None:
        """Keep the middle square of image and mask; in place."""
        height, width = results['img'].shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        for key in ('img', 'gt_seg_map'):
            if key in results:
                results[key] = results[key][top : top + side, left : left + side]


@TRANSFORMS.register_module()
class RandomJitter(BaseTransform):
    """Scale about the center and move, both at random: DeSIGN's augmentation (arXiv 1804.00921).

    Its ranges aren't published where we could read them; the defaults are ours.

    Args:
        scale: Range of the factor.
        translate: Largest shift, as a share of each side.
        fill: 'white', 'edge' or 'reflect', what comes in from outside. Masks get 0.
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.9, 1.1),
        translate: float = 0.05,
        fill: str = 'white',
    ):
        check_increasing('RandomJitter', scale=scale)
        check_above('RandomJitter', 0, scale=scale[0])
        check_fraction('RandomJitter', translate=translate)
        check_choice('RandomJitter', tuple(_FILLS), fill=fill)
        self.scale = tuple(scale)
        self.translate = translate
        self.fill = fill

    def transform(self, results: dict) -> dict:
        height, width = results['img'].shape[:2]
        factor = np.random.uniform(*self.scale)
        shift = np.random.uniform(-self.translate, self.translate, 2) * (width, height)
        center = np.array([(width - 1) / 2, (height - 1) / 2])
        matrix = np.hstack([np.eye(2) * factor, (center * (1 - factor) + shift)[:, None]])
        results['img'] = cv2.warpAffine(
            results['img'],
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=_BORDERS[self.fill],
            borderValue=(255, 255, 255),
        )
        if 'gt_seg_map' in results:
            results['gt_seg_map'] = cv2.warpAffine(
                results['gt_seg_map'], matrix, (width, height), flags=cv2.INTER_NEAREST
            )
        return results
