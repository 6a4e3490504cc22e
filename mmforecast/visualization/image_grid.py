"""Many images as one picture."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from mmforecast.utils.checks import check_not_empty, check_same_length

__all__ = ['image_grid', 'to_pictures']

_GREY = 128


def image_grid(
    images: Sequence[np.ndarray],
    columns: int,
    cell: int,
    captions: Sequence[str] | None = None,
    gap: int = 2,
) -> np.ndarray:
    """Lay images out in rows, each fitted into a square cell.

    Args:
        images: uint8 (h, w, 3), of any sizes.
        columns: Images per row.
        cell: Side of a cell in pixels.
        captions: One per image, written below it; none where empty.
        gap: Pixels between cells.

    Returns:
        uint8 (H, W, 3), gray where there is no image.

    Raises:
        ValueError: No images, or as many captions as images are missing.
    """
    check_not_empty('image_grid', images=images)
    if captions is not None:
        check_same_length('image_grid', captions=captions, images=images)
    foot = 14 if captions is not None else 0
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = cell + foot + gap, cell + gap
    canvas = np.full((rows * height + gap, columns * width + gap, 3), _GREY, np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * height + gap, number % columns * width + gap
        fitted = _fit(image, cell)
        y, x = top + (cell - fitted.shape[0]) // 2, left + (cell - fitted.shape[1]) // 2
        canvas[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted
        if captions is not None:
            _write(canvas[top + cell : top + cell + foot, left : left + cell], captions[number])
    return canvas


def to_pictures(images: torch.Tensor) -> list[np.ndarray]:
    """(n, 3, H, W) in [0, 255], on the CPU, as n uint8 images (H, W, 3)."""
    return list(images.round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def _fit(image: np.ndarray, cell: int) -> np.ndarray:
    scale = cell / max(image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    # enlarged without smoothing: what a network made is shown as it is
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return cv2.resize(image, size, interpolation=way)


def _write(strip: np.ndarray, text: str) -> None:
    strip[:] = 255
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, _), _ = cv2.getTextSize(text, font, 0.35, 1)
    scale = 0.35 * min(1.0, (strip.shape[1] - 2) / max(width, 1))
    patch = np.ascontiguousarray(strip)
    cv2.putText(patch, text, (1, strip.shape[0] - 4), font, scale, (0, 0, 0), 1, cv2.LINE_AA)
    strip[:] = patch
