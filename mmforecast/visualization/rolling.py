"""A forecaster's view of a running video: what came, beside what had been forecast for that moment."""

from collections.abc import Mapping

import numpy as np

from .clip import panel_size
from .drawing import EMPTY, INK, MUTED, RED, WHITE, add_border, draw_text, make_strip, text_width
from .panels import PanelStyle

_NOTE = 'red border: forecast'


def rolling_picture(
    frame: np.ndarray | None,
    forecasts: Mapping[str, object],
    heading: str,
    done: float,
    style: PanelStyle,
    ground: np.ndarray | None = None,
    visible: np.ndarray | None = None,
) -> np.ndarray:
    """One picture: the frame that came, and the forecasts that had been made for it, side by side.

    Label maps and instances are laid over the frame that came, so that every misplaced pixel shows; the
    forecaster had not seen it.

    Args:
        frame: uint8 (H, W, 3), RGB; None where the video is over.
        forecasts: By title, a frame (H, W, 3), a label map (H, W) or InstanceData.
        heading: The moment, e.g. 't = 3.20 s'.
        done: Part of the video that is over, in [0, 1].
        style: Of the panels.
        ground: uint8 (H, W, 3), RGB, that forecasts are laid over where ``frame`` is None.
        visible: bool (h, w): where label maps are more than guesses; elsewhere they are drawn fainter.

    Returns:
        uint8 RGB, of one size for one ``style`` and the same titles.
    """
    came = np.full((*style.size, 3), EMPTY, np.uint8) if frame is None else style.draw(frame, None)
    if frame is None:
        middle = (style.size[1] // 2, style.size[0] // 2)
        came = draw_text(came, 'after the end', middle, MUTED, anchor='mm')
    under = ground if frame is None else frame
    panels = [came] + [add_border(style.draw(under, item, visible=visible)) for item in forecasts.values()]
    strip = make_strip([panels], [['what came', *forecasts]], text_size=16)
    return np.vstack([_clock(strip.shape[1], heading, done), strip])


def rolling_style(frame: np.ndarray, height: int = 192, **settings) -> PanelStyle:
    """Panels in the shape of a video's frames, ``height`` pixels high; see :class:`PanelStyle`."""
    return PanelStyle(panel_size([frame], height), **settings)


def _clock(width: int, heading: str, done: float) -> np.ndarray:
    clock = np.full((52, width, 3), WHITE, dtype=np.uint8)
    clock = draw_text(clock, heading, (8, 26), INK, size=20)
    if width > 8 + text_width(heading, 20) + text_width(_NOTE) + 24:
        clock = draw_text(clock, _NOTE, (width - 8, 26), MUTED, anchor='rs')
    clock[38:46, 8 : width - 8] = EMPTY
    clock[38:46, 8 : 8 + max(1, round(done * (width - 16)))] = RED
    return clock
