"""Forecast frames beside the true ones: a row per method, as in papers on video prediction."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch

from mmforecast.utils.flow import dis_flow

from .clip import rgb_frames, time_heading
from .drawing import (
    EMPTY,
    INK,
    MUTED,
    RED,
    WHITE,
    YELLOW,
    add_border,
    draw_text,
    resize_image,
    text_width,
)

# (top, left, height, width), as parts of the frame's.
Box = tuple[float, float, float, float]

_GAP = 8
_TEXT = 15
# Between the last input and the first forecast.
_NOW = 24
_EDGE = 4  # the red border's width


def frame_strip(
    past,
    forecasts: Mapping[str, Sequence],
    truth: Sequence | None = None,
    times: Sequence[str] | None = None,
    short_side: int = 160,
    max_past: int = 4,
    closer_look: bool = False,
) -> np.ndarray:
    """Draw the truth, then each method: the past and, behind a gap and with a red border, its forecast.

    Args:
        past: P observed frames, RGB: uint8 array (P, H, W, 3) or tensor (P, 3, H, W) in [0, 255].
        forecasts: Name of a method to its n frames, given in the same way; the same n for all.
        truth: N true frames, None where one isn't known; no row for them if None. More than n are left out.
        times: P + n headings; 't - 1', 't', 't + 1', ... if None.
        short_side: Pixels of a picture's shorter side; small videos are enlarged to it.
        max_past: Newest observed frames that are shown.
        closer_look: In the future frames, enlarge the part where most moves twice more; see
            :func:`busiest_box`.

    Returns:
        uint8 canvas, RGB.

    Raises:
        ValueError: There is no observed or forecast frame, or methods differ in their number of frames or in
            the frames' shape (height : width).
    """
    past = rgb_frames(past)
    rows = {name: rgb_frames(frames) for name, frames in forecasts.items()}
    _check(past, rows, max_past)
    num_past, num_steps = len(past), len(next(iter(rows.values())))
    if truth is not None:
        truth = [None if frame is None else rgb_frames(frame[None])[0] for frame in truth]
        truth = (truth + [None] * num_steps)[:num_steps]
    if times is None:
        times = [time_heading(offset) for offset in range(1 - num_past, num_steps + 1)]
    size = _panel_size(past[0].shape[:2], short_side)
    box = _watched(past, truth) if closer_look else None
    drawn = {'truth': _panels(truth, size, box)} if any_known(truth) else {}
    for name, frames in rows.items():
        drawn[name] = [add_border(panel, width=_EDGE) for panel in _panels(frames, size, box)]
    shown = slice(-max_past, None)
    observed = _panels(past[shown], size, None)
    return _layout(observed, drawn, times[:num_past][shown], times[num_past:], size)


def any_known(frames: Sequence | None) -> bool:
    """Whether one of the frames is there."""
    return frames is not None and any(frame is not None for frame in frames)


def busiest_box(before: np.ndarray, after: np.ndarray, share: float = 0.25) -> Box:
    """Where most is seen to move between two RGB frames (H, W, 3).

    That is the length of the optical flow, times the contrast to neighbors: smooth areas show no motion.

    Args:
        before, after: uint8, at least 16x16 pixels.
        share: The box's part of the frame's height and width.

    Returns:
        (top, left, height, width) of the box with the largest mean, as parts of the frame's.
    """
    height, width = before.shape[:2]
    if min(height, width) < 16:
        raise ValueError(
            f'closer_look needs frames of at least 16x16 pixels, got {height}x{width}: the part that '
            'moves most is found by optical flow'
        )
    pair = [torch.from_numpy(frame).permute(2, 0, 1)[None] for frame in (before, after)]
    speed = dis_flow(*pair)[0].norm(dim=0).cpu().numpy()
    gray = cv2.cvtColor(before, cv2.COLOR_RGB2GRAY)
    contrast = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    box = max(1, round(share * height)), max(1, round(share * width))
    means = cv2.boxFilter(speed * contrast, -1, box[::-1], anchor=(0, 0))
    inside = means[: height - box[0] + 1, : width - box[1] + 1]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return top / height, left / width, box[0] / height, box[1] / width


def add_inset(panel: np.ndarray, frame: np.ndarray, box: Box) -> np.ndarray:
    """A copy of a picture with a part of its frame enlarged in the corner farthest from it.

    Args:
        panel: uint8 (H, W, 3), ``frame`` at the size it is shown.
        frame: uint8 (h, w, 3), at its own size.
        box: See :func:`busiest_box`; the inset is half as high and wide as the panel.
    """
    panel = panel.copy()
    top, left, bottom, right = _corners(box, panel.shape)
    cv2.rectangle(panel, (left, top), (right - 1, bottom - 1), YELLOW, 1)
    height, width = panel.shape[0] // 2, panel.shape[1] // 2
    y0, x0, y1, x1 = _corners(box, frame.shape)
    crop = np.ascontiguousarray(frame[y0:y1, x0:x1])
    inset = add_border(resize_image(crop, (height, width)), YELLOW, 2)
    y = panel.shape[0] - height - _EDGE if top + bottom < panel.shape[0] else _EDGE
    x = panel.shape[1] - width - _EDGE if left + right < panel.shape[1] else _EDGE
    panel[y : y + height, x : x + width] = inset
    return panel


def _corners(box: Box, shape: Sequence[int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in pixels of a picture of ``shape``, at least one pixel large."""
    height, width = shape[:2]
    top, left = int(box[0] * height), int(box[1] * width)
    bottom, right = top + round(box[2] * height), left + round(box[3] * width)
    return top, left, max(bottom, top + 1), max(right, left + 1)


def _check(past: Sequence, rows: Mapping[str, Sequence], max_past: int) -> None:
    if not past or max_past < 1:
        raise ValueError(
            f'a strip begins with an observed frame: got {len(past)} of them and max_past={max_past}'
        )
    lengths = {name: len(frames) for name, frames in rows.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f'forecasts must have the same number of frames, at least 1, got {lengths}')
    height, width = past[0].shape[:2]
    for name, frames in rows.items():
        if abs(frames[0].shape[1] * height / (frames[0].shape[0] * width) - 1) > 0.05:
            raise ValueError(
                f'{name} forecasts frames of {frames[0].shape[0]}x{frames[0].shape[1]}, which are not of '
                f'the shape of the observed ones, {height}x{width}'
            )


def _panel_size(frame: Sequence[int], short_side: int) -> tuple[int, int]:
    scale = short_side / min(frame)
    return tuple(round(side * scale) for side in frame)


def _watched(past: Sequence, truth: Sequence | None) -> Box:
    """The busiest box of the step into the future, or where that isn't known, of the last one before it."""
    if any_known(truth) and truth[0] is not None:
        return busiest_box(past[-1], truth[0])
    return busiest_box(past[-2] if len(past) > 1 else past[-1], past[-1])


def _panels(frames: Sequence, size: tuple[int, int], box: Box | None) -> list[np.ndarray]:
    panels = []
    for frame in frames:
        if frame is None:
            panels.append(np.full((*size, 3), EMPTY, dtype=np.uint8))
            continue
        panel = resize_image(frame, size)
        panels.append(panel if box is None else add_inset(panel, frame, box))
    return panels


def _layout(
    observed: Sequence[np.ndarray],
    rows: Mapping[str, Sequence[np.ndarray]],
    past_times: Sequence[str],
    future_times: Sequence[str],
    size: tuple[int, int],
) -> np.ndarray:
    """Names on the left, times above, the past repeated in each row."""
    (height, width), num_past = size, len(observed)
    margin = 2 * _GAP + max(text_width(name, _TEXT) for name in rows)
    columns = num_past + len(future_times)
    lefts = [margin + index * (width + _GAP) + (_NOW if index >= num_past else 0) for index in range(columns)]
    top, line = _TEXT + 2 * _GAP, height + _GAP
    canvas = np.full((top + len(rows) * line, lefts[-1] + width + _GAP, 3), WHITE, np.uint8)
    for left, time, index in zip(lefts, [*past_times, *future_times], range(columns), strict=True):
        text, color = (f'input  {time}', INK) if index < num_past else (time, RED)
        text = text if text_width(text, _TEXT) <= width else time
        canvas = draw_text(canvas, text, (left, top - _GAP), color, _TEXT)
    for row, (name, future) in enumerate(rows.items()):
        y = top + row * line
        for left, panel in zip(lefts, [*observed, *future], strict=True):
            canvas[y : y + height, left : left + width] = panel
        color = MUTED if name == 'truth' else INK
        canvas = draw_text(canvas, name, (margin - _GAP, y + height // 2), color, _TEXT, 'rm')
    return canvas
