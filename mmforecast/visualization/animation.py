"""Moving pictures of forecasts: side-by-side panels, and the GIF they go into."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from mmengine.structures import InstanceData
from PIL import Image

from mmforecast.structures import ForecastDataSample, fill_boxes
from mmforecast.utils.checks import check_above

from .clip import (
    TRUTH,
    classes_shown,
    known_pictures,
    known_titles,
    panel_size,
    rgb_frames,
    sample_headings,
    to_numpy,
)
from .drawing import (
    EMPTY,
    INK,
    MUTED,
    RED,
    WHITE,
    add_border,
    draw_legend,
    draw_text,
    make_strip,
    text_width,
)
from .panels import PanelStyle
from .panoptic import PanopticMap, known_panoptic, stuff_maps

_NOTE = 'red border: forecast'


def forecast_animation(
    sample: ForecastDataSample,
    frames,
    methods: Mapping[str, np.ndarray | Sequence],
    palette: Sequence | None = None,
    classes: Sequence[str] | None = None,
    columns: int | None = None,
    panel_height: int = 192,
    alpha: float = 0.6,
    instance_classes: Sequence[str] | None = None,
    score_thr: float = 0.5,
    visible: Sequence[np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Draw one clip as an animation: the past plays in every panel, then truth beside forecasts.

    What is not annotated but found by a network in the true frame is titled so, not 'truth'.
    Forecasts have a red border. Forecast frames are shown as they are; label maps and instances are,
    like the truth, laid over the true frame where there is one, so that every misplaced pixel shows;
    the forecaster has not seen that frame. Frames come first, then label maps; each kind begins a row
    of its own, with a truth of its own.

    Args:
        sample: The clip: its time axis, ``gt_sem_seg``, ``gt_instance_map`` or what else tells its
            labels and instances.
        frames: RGB frames as for :func:`~mmforecast.visualization.clip.clip_frames`, or None.
        methods: Name to forecast, the same n steps for all: frames as for
            :func:`~mmforecast.visualization.clip.rgb_frames`, integer label maps (n, H, W), a list of n
            InstanceData as in ``pred_instances``, or a list of n ``PanopticMap``.
        palette: RGB triple per class; generated if None.
        classes: Class names for the legend of the classes that appear; no legend if None.
        columns: Panels side by side; up to three, or two of four, if None.
        panel_height: Height of a panel in pixels.
        alpha: Share of the colors over the frame.
        instance_classes: Names by instance label; instances are drawn without names if None.
        score_thr: Forecast instances with a lower score are left out.
        visible: bool (h, w) of each step: where forecast label maps are more than guesses; elsewhere they are
            drawn fainter.

    Returns:
        uint8 RGB pictures of one size, one for each of the num_past + n frames.
    """
    lengths = {name: len(forecast) for name, forecast in methods.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f'methods must forecast the same number of steps, at least 1: {lengths}')
    num_past, num_steps = sample.num_past, next(iter(lengths.values()))
    images, labels, instances = known_pictures(frames, sample, num_steps)
    predicted, maps, objects, panoptic = _by_kind(methods, sample.get('img_shape'))
    plain = [None] * len(images)  # nothing is laid over true frames
    titled = known_titles(sample)
    kinds = [
        (titled['frames'], plain, predicted),
        (titled['labels'], labels, maps),
        (titled['instances'], instances, objects),
        (titled['panoptic'], known_panoptic(sample, num_steps) if panoptic else plain, panoptic),
    ]
    kinds = [kind for kind in kinds if kind[-1]]
    overlays = [step for _, known, found in kinds for steps in (known, *found.values()) for step in steps]
    size = panel_size([*images, *overlays], panel_height)
    style = PanelStyle(size, palette, alpha, instance_classes, score_thr)
    blocks = [_block(images, *kind, num_past, style, visible) for kind in kinds]
    widest = max(len(names) for names, _ in blocks)
    columns = columns or (2 if widest == 4 else min(widest, 3))
    titles = [row for names, _ in blocks for row in _rows(names, columns)]
    shown = classes_shown(stuff_maps(overlays), len(classes or ()))
    pictures = []
    for index, heading in enumerate(sample_headings(sample, num_steps)):
        rows = [row for _, drawn in blocks for row in _rows(drawn[index], columns)]
        grid = make_strip(rows, titles, text_size=16)
        parts = [_header(grid.shape[1], heading, index, num_past, num_past + num_steps), grid]
        if shown:
            parts.append(draw_legend(classes, grid.shape[1], palette, shown))
        pictures.append(np.vstack(parts))
    return pictures


def _by_kind(methods: Mapping, size: Sequence[int] | None) -> tuple[dict, dict, dict, dict]:
    """Forecast frames, label maps, instances and panoptic maps, by name; boxes in ``size`` are filled."""
    frames, maps, instances, panoptic = {}, {}, {}, {}
    for name, forecast in methods.items():
        if isinstance(forecast[0], InstanceData):
            instances[name] = [fill_boxes(step, size) for step in forecast]
        elif isinstance(forecast[0], PanopticMap):
            panoptic[name] = forecast
        elif forecast[0].ndim == 3:
            frames[name] = rgb_frames(forecast)
        else:
            maps[name] = to_numpy(forecast)
    return frames, maps, instances, panoptic


def _block(
    images: Sequence,
    title: str,
    known: Sequence,
    forecasts: Mapping[str, Sequence],
    num_past: int,
    style: PanelStyle,
    visible: Sequence[np.ndarray] | None,
) -> tuple[list[str], list[list[np.ndarray]]]:
    """Names of the panels that show one kind of forecast, and the panels of each clip frame."""
    has_truth = any(item is not None for item in [*images[num_past:], *known[num_past:]])
    title = title if any(item is not None for item in known[num_past:]) else TRUTH  # plain true frames
    names = [title] * has_truth + list(forecasts)
    drawn = []
    for index, (image, overlay) in enumerate(zip(images, known, strict=True)):
        panel = style.draw(image, overlay)
        if index < num_past:
            drawn.append([panel] * len(names))
            continue
        steps = [steps[index - num_past] for steps in forecasts.values()]
        seen = None if visible is None else visible[index - num_past]
        panels = [add_border(style.draw(image, step, overlay, seen)) for step in steps]
        drawn.append([panel] * has_truth + panels)
    return names, drawn


def _rows(items: Sequence, columns: int) -> list[Sequence]:
    return [items[start : start + columns] for start in range(0, len(items), columns)]


def _header(width: int, heading: str, index: int, num_past: int, total: int) -> np.ndarray:
    """The clock: what is shown, when, and a bar of the clip's frames, red where it is forecast."""
    header = np.full((52, width, 3), WHITE, dtype=np.uint8)
    future = index >= num_past
    text = f'{"forecast" if future else "input"}   {heading}'
    header = draw_text(header, text, (8, 26), RED if future else INK, size=20)
    if width > 8 + text_width('forecast   t + 00.00 s', 20) + text_width(_NOTE) + 24:
        header = draw_text(header, _NOTE, (width - 8, 26), MUTED, anchor='rs')
    left = 8 + np.round(np.arange(total + 1) * (width - 16) / total).astype(int)
    for frame in range(total):
        shown = RED if frame >= num_past else INK
        header[38:46, left[frame] : left[frame + 1] - 3] = shown if frame <= index else EMPTY
    return header


def write_gif(
    path: str | PathLike,
    frames: Sequence[np.ndarray],
    fps: float = 3,
    hold_last: float = 1.5,
    positions: Sequence[float] | None = None,
) -> None:
    """Write an endlessly repeating GIF.

    All frames share one palette of up to 256 colors, chosen from all of them, and are not
    dithered: flat label colors stay flat and still regions stay still, which keeps the file small.

    Args:
        path: File to write; missing folders are made.
        frames: uint8 (H, W, 3) pictures, RGB, of one size.
        fps: Pictures per second.
        hold_last: Seconds that the last one stays on.
        positions: When each is shown, ascending, in multiples of 1 / fps; by default 0, 1, 2, ...
    """
    _check_frames(frames, fps)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # Median cut, Pillow's default, gives most colors to road and sky and turns a thin pole green;
    # the octree bounds the error of rare colors, and its files are smaller.
    palette = Image.fromarray(np.vstack(frames)).quantize(256, method=Image.Quantize.FASTOCTREE)
    images = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    shown = np.diff(np.arange(len(frames)) if positions is None else positions)
    durations = [round(1000 / fps * float(one)) for one in shown] + [round(1000 * max(hold_last, 1 / fps))]
    images[0].save(
        path,
        format='GIF',
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        optimize=True,
    )


def _check_frames(frames: Sequence[np.ndarray], fps: float) -> None:
    shapes = {frame.shape for frame in frames}
    if len(shapes) != 1:
        raise ValueError(f'frames must be one or more pictures of one size, got {sorted(shapes)}')
    check_above('write_animation', 0, fps=fps)
