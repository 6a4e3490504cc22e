"""Pure functions that draw: arrays in, uint8 RGB arrays out, nothing read or kept."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmforecast.utils.checks import check_integer, check_range

from .palette import as_palette

RED = (228, 26, 28)
YELLOW = (255, 212, 59)
WHITE = (255, 255, 255)
INK = (33, 37, 41)
MUTED = (134, 142, 150)
# Behind panels and under pixels without a label.
EMPTY = (233, 236, 239)


def colorize_labels(
    label_map: np.ndarray, palette: Sequence | None = None, void_color: Sequence[int] = (0, 0, 0)
) -> np.ndarray:
    """Paint class ids in their colors.

    Args:
        label_map: Integer (H, W). Values outside the palette (255, for one) get ``void_color``.
        palette: RGB triple per class; generated if None.
        void_color: RGB.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    colors = np.vstack([as_palette(palette), np.asarray(void_color, dtype=np.uint8)])
    labels = np.asarray(label_map).astype(np.int64)
    void = len(colors) - 1
    return colors[np.where((labels >= 0) & (labels < void), labels, void)]


def blend(
    image: np.ndarray, label_map: np.ndarray, palette: Sequence | None = None, alpha: float = 0.6
) -> np.ndarray:
    """Lay class colors over an image; pixels without a class show the image alone.

    Args:
        image: uint8 (H, W, 3), RGB.
        label_map: Integer (h, w); brought to the image's size without mixing labels.
        palette: RGB triple per class; generated if None.
        alpha: Share of the class color, in [0, 1].

    Returns:
        uint8 (H, W, 3), RGB.
    """
    check_range('blend', 0, 1, alpha=alpha)
    colors = as_palette(palette)
    labels = resize_labels(label_map, image.shape[:2])
    mixed = (1 - alpha) * image + alpha * colorize_labels(labels, colors)
    has_class = (labels >= 0) & (labels < len(colors))
    return np.where(has_class[..., None], np.round(mixed).astype(np.uint8), image)


def resize_labels(label_map: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Nearest-neighbor copy of an (h, w) label map at ``size`` (H, W)."""
    labels = np.asarray(label_map).astype(np.int32)
    return cv2.resize(labels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)


def resize_image(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """An RGB image at ``size`` (H, W): averaged when it shrinks, interpolated when it grows."""
    method = cv2.INTER_AREA if image.shape[0] > size[0] else cv2.INTER_CUBIC
    return cv2.resize(image, (size[1], size[0]), interpolation=method)


def render_panel(
    frame: np.ndarray | None,
    label_map: np.ndarray | None,
    size: Sequence[int],
    palette: Sequence | None = None,
    alpha: float = 0.6,
) -> np.ndarray:
    """One picture of a clip at ``size`` (H, W), from whatever is known of it.

    Frame and labels are blended; labels alone are painted; a frame alone is shown as it is; with
    neither, the panel says so.
    """
    if frame is not None:
        image = resize_image(frame, size)
        return image if label_map is None else blend(image, label_map, palette, alpha)
    if label_map is not None:
        return colorize_labels(resize_labels(label_map, size), palette)
    panel = np.full((*size, 3), EMPTY, dtype=np.uint8)
    return draw_text(panel, 'not labelled', (size[1] // 2, size[0] // 2), MUTED, anchor='mm')


def add_border(image: np.ndarray, color: Sequence[int] = RED, width: int = 4) -> np.ndarray:
    """A copy with a frame of ``width`` pixels drawn inside the image; its size stays."""
    check_integer('add_border', 1, (min(image.shape[:2]) - 1) // 2, width=width)
    bordered = np.empty_like(image)
    bordered[:] = np.asarray(color, dtype=np.uint8)
    bordered[width:-width, width:-width] = image[width:-width, width:-width]
    return bordered


def draw_text(
    image: np.ndarray,
    text: str,
    position: Sequence[int],
    color: Sequence[int] = INK,
    size: int = 15,
    anchor: str = 'ls',
) -> np.ndarray:
    """A copy with ``text`` at ``position`` (x, y); ``anchor`` as in Pillow ('ls': left, baseline)."""
    canvas = Image.fromarray(image)
    ImageDraw.Draw(canvas).text(position, text, tuple(color), font=_font(size), anchor=anchor)
    return np.array(canvas)


def text_width(text: str, size: int = 15) -> int:
    """Pixels that :func:`draw_text` takes across."""
    return int(np.ceil(_font(size).getlength(text)))


def fit_text(text: str, width: int, size: int = 15) -> tuple[str, int]:
    """A text and its font size that take at most ``width`` pixels across.

    The font shrinks by at most a third. What is still too long loses characters in its middle.
    """
    smallest = -(-2 * size // 3)
    while size > smallest and text_width(text, size) > width:
        size -= 1
    shown, kept = text, len(text)
    while kept > 2 and text_width(shown, size) > width:
        kept -= 1
        shown = f'{text[: (kept + 1) // 2]}...{text[len(text) - kept // 2 :]}'
    return shown, size


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Pillow's own scalable font: the same picture on every machine, with no font to install.
    return ImageFont.load_default(size)


def make_strip(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[Sequence[str]],
    gap: int = 8,
    text_size: int = 15,
) -> np.ndarray:
    """Set pictures out in rows of aligned columns, a heading above each, as wide as its picture at most.

    Args:
        rows: uint8 (H, W, 3) pictures of one size; a row may be shorter than others.
        titles: Headings, same layout as ``rows``.
        gap: Pixels between pictures and around them.
        text_size: Height of the headings' font.

    Returns:
        uint8 canvas, RGB, white where nothing is.
    """
    sizes = {panel.shape for row in rows for panel in row}
    if len(sizes) != 1:
        raise ValueError(f'a strip needs one or more pictures of one size, got {sorted(sizes)}')
    if [len(row) for row in rows] != [len(row) for row in titles]:
        raise ValueError('titles must have one heading per picture, row by row')
    ((height, width, _),) = sizes
    line = text_size + gap + height + gap
    columns = max(len(row) for row in rows)
    canvas = np.full((len(rows) * line + gap, columns * (width + gap) + gap, 3), WHITE, np.uint8)
    for row_index, (row, row_titles) in enumerate(zip(rows, titles, strict=True)):
        top = row_index * line + text_size + gap + gap // 2
        for column, (panel, title) in enumerate(zip(row, row_titles, strict=True)):
            left = gap + column * (width + gap)
            canvas[top : top + height, left : left + width] = panel
            shown, size = fit_text(title, width, text_size)
            canvas = draw_text(canvas, shown, (left, top - gap // 2 - 1), size=size)
    return canvas


def draw_legend(
    classes: Sequence[str],
    width: int,
    palette: Sequence | None = None,
    ids: Sequence[int] | None = None,
    text_size: int = 14,
) -> np.ndarray:
    """Color keys of classes, wrapped to ``width``.

    Args:
        classes: Names, by class id.
        width: Pixels across.
        palette: RGB triple per class; generated if None.
        ids: Classes to show, in order; all if None.
        text_size: Height of the font.

    Returns:
        uint8 (rows * line height, ``width``, 3), RGB, white background.
    """
    colors = as_palette(palette, len(classes))
    line, swatch, space = text_size + 9, text_size, 16
    left, top, places = 8, 0, []
    for index in range(len(classes)) if ids is None else ids:
        wide = swatch + 6 + text_width(classes[index], text_size)
        if left + wide > width and left > 8:
            left, top = 8, top + line
        places.append((index, left, top))
        left += wide + space
    canvas = Image.new('RGB', (width, top + line), WHITE)
    pen = ImageDraw.Draw(canvas)
    for index, left, top in places:
        box = (left, top + 4, left + swatch, top + 4 + swatch)
        pen.rectangle(box, fill=tuple(int(value) for value in colors[index]), outline=MUTED)
        pen.text(
            (left + swatch + 6, top + 4 + swatch // 2),
            classes[index],
            INK,
            font=_font(text_size),
            anchor='lm',
        )
    return np.array(canvas)
