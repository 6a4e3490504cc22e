"""The visualizer that turns a forecast into a strip of pictures."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from PIL import Image

from mmforecast.registry import VISUALIZERS
from mmforecast.structures import ForecastDataSample

from .clip import classes_shown, known_pictures, panel_size, sample_headings, to_numpy
from .drawing import add_border, draw_legend, make_strip, render_panel


@VISUALIZERS.register_module()
class ForecastLocalVisualizer(Visualizer):
    """Draws past, forecast and truth of a clip as one strip.

    Colours and class names come from ``dataset_meta`` (``palette``, ``classes``), which the runner
    sets; without them colours are generated and there is no legend.

    Args:
        name: Name of the instance.
        vis_backends: Where pictures are stored, as for mmengine's ``Visualizer``.
        save_dir: Folder of the backends.
        alpha: Share of the class colours over the frame, in [0, 1].
        panel_height: Height of one picture in pixels; small frames are enlarged to it.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        vis_backends: Sequence[dict] | dict | None = None,
        save_dir: str | None = None,
        alpha: float = 0.6,
        panel_height: int = 160,
    ) -> None:
        super().__init__(name=name, vis_backends=vis_backends, save_dir=save_dir)
        if not 0 <= alpha <= 1:
            raise ValueError(f'alpha must be in [0, 1], got {alpha}')
        if panel_height < 32:
            raise ValueError(f'panel_height must be at least 32 pixels, got {panel_height}')
        self.alpha = alpha
        self.panel_height = panel_height

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray | None,
        data_sample: ForecastDataSample,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
    ) -> None:
        """Draw a clip; show it, or write it to ``out_file``, or hand it to the backends.

        Args:
            name: Name of the picture in a window or a backend.
            image: The clip's RGB frames, uint8 (T, H, W, 3) array or (T, 3, H, W) tensor, T from
                ``num_past`` on; None draws labels alone.
            data_sample: The clip, with ``pred_sem_seg`` if a forecast is to be drawn.
            draw_gt: Draw the truth of the forecast frames.
            draw_pred: Draw the forecast.
            show: Open a window; nothing is written then.
            wait_time: Seconds that the window stays, 0 for ever.
            out_file: Picture file; its folder is made.
            step: Step that backends record the picture at.
        """
        strip = self.draw_strip(image, data_sample, draw_gt, draw_pred)
        self.set_image(strip)
        if show:
            self.show(strip, win_name=name, wait_time=wait_time)
        elif out_file is not None:
            Path(out_file).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(strip).save(out_file)
        else:
            self.add_image(name, strip, step)

    def draw_strip(
        self,
        image: np.ndarray | None,
        data_sample: ForecastDataSample,
        draw_gt: bool = True,
        draw_pred: bool = True,
    ) -> np.ndarray:
        """The strip of a clip; see :meth:`add_datasample` for the arguments.

        Rows: the past with the labels known of it, the forecast with a red border, the truth below
        it; with one forecast step, the truth stands beside it. A forecast without frames of its
        own is laid over the true frame, so that every misplaced pixel shows; the forecaster has
        not seen that frame.

        Returns:
            uint8 picture, RGB.
        """
        num_past = data_sample.num_past
        forecast = _forecast(data_sample) if draw_pred else []
        num_steps = len(forecast) or data_sample.num_future
        frames, labels = known_pictures(image, data_sample, num_steps)
        meta = self.dataset_meta or {}
        palette, classes = meta.get('palette'), meta.get('classes')
        size = panel_size(
            [*frames, *labels, *(item for step in forecast for item in step)], self.panel_height
        )
        known = [
            render_panel(frame, label_map, size, palette, self.alpha)
            for frame, label_map in zip(frames, labels, strict=True)
        ]
        predicted = [
            add_border(
                render_panel(
                    true_frame if frame is None else frame, label_map, size, palette, self.alpha
                )
            )
            for true_frame, (frame, label_map) in zip(
                frames[num_past:][: len(forecast)], forecast, strict=True
            )
        ]

        # A frame without labels is no truth for label maps, though still worth seeing.
        names = ['true frame' if label_map is None else 'truth' for label_map in labels]
        times = sample_headings(data_sample, num_steps)
        rows = [
            (known[:num_past], [f'input  {time}' for time in times[:num_past]]),
            (predicted, [f'forecast  {time}' for time in times[num_past:]]),
        ]
        rows = rows if predicted else rows[:1]
        if draw_gt and num_steps:
            titles = [f'{name}  {time}' for name, time in zip(names, times, strict=True)]
            rows.append((known[num_past:], titles[num_past:]))
        if num_steps == 1:
            rows = [rows[0], *_joined(rows[1:])]
        strip = make_strip(*zip(*rows, strict=True))
        shown = classes_shown(
            [*labels, *(label_map for _, label_map in forecast)], len(classes or ())
        )
        if not shown:
            return strip
        return np.vstack([strip, draw_legend(classes, strip.shape[1], palette, shown)])


def _joined(rows: list[tuple]) -> list[tuple]:
    """Rows of (pictures, titles) put side by side into one row, or none if there are none."""
    if not rows:
        return []
    return [tuple([item for part in parts for item in part] for parts in zip(*rows, strict=True))]


def _forecast(sample: ForecastDataSample) -> list[tuple]:
    """(frame or None, label map or None) of each forecast step."""
    labels = to_numpy(sample.pred_sem_seg.data) if 'pred_sem_seg' in sample else []
    frames = []
    if 'pred_frames' in sample:
        frames = to_numpy(sample.pred_frames.permute(0, 2, 3, 1).round().clamp(0, 255).byte())
    return list(zip_longest(frames, labels))
