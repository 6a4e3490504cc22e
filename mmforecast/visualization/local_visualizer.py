"""The visualizer that turns a forecast into a strip of pictures."""

import importlib.util
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from PIL import Image

from mmforecast.registry import VISUALIZERS
from mmforecast.structures import ForecastDataSample, fill_boxes
from mmforecast.utils.checks import check_integer, check_range

from .clip import (
    classes_shown,
    instance_classes,
    known_pictures,
    known_titles,
    panel_size,
    rgb_frames,
    sample_headings,
    to_numpy,
)
from .drawing import add_border, draw_legend, make_strip
from .frame_strip import frame_strip
from .panels import PanelStyle
from .panoptic import forecast_panoptic, known_panoptic, stuff_maps


@VISUALIZERS.register_module()
class ForecastLocalVisualizer(Visualizer):
    """Draws past, forecast and truth of a clip as one strip.

    Colors and class names come from ``dataset_meta`` (``palette``, ``classes``, and ``moving_ids``
    for the classes of instances), which the runner sets; without them colors are generated, and
    there is no legend and no names.

    Args:
        name: Name of the instance.
        vis_backends: Where scalars and pictures are stored, as for mmengine's ``Visualizer``. A name stands
            for ``dict(type=name)``, so that ``--cfg-options`` can list them.
        save_dir: Folder of the backends.
        alpha: Share of the class colors over the frame, in [0, 1].
        panel_height: Height of one picture in pixels; small frames are enlarged to it.
        score_thr: Forecast instances with a lower score are not drawn, in [0, 1].
        closer_look: In forecast frames and their truth, enlarge the part that moves most.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        vis_backends: Sequence[dict | str] | None = None,
        save_dir: str | None = None,
        alpha: float = 0.6,
        panel_height: int = 160,
        score_thr: float = 0.5,
        closer_look: bool = False,
    ) -> None:
        if isinstance(vis_backends, (list, tuple)):
            vis_backends = [dict(type=b) if isinstance(b, str) else b for b in vis_backends]
            if any('TensorboardVisBackend' in str(backend.get('type')) for backend in vis_backends):
                _require_tensorboard()
        super().__init__(name=name, vis_backends=vis_backends, save_dir=save_dir)
        check_range('ForecastLocalVisualizer', 0, 1, alpha=alpha, score_thr=score_thr)
        check_integer('ForecastLocalVisualizer', 32, panel_height=panel_height)
        self.alpha = alpha
        self.panel_height = panel_height
        self.score_thr = score_thr
        self.closer_look = closer_look

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
            data_sample: The clip, with ``pred_sem_seg``, ``pred_instances``, ``pred_panoptic`` or
                ``pred_frames`` if a forecast is to be drawn.
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
        not seen that frame. Label maps and instances have such rows each: those that are forecast,
        or without a forecast, those that are known. A panoptic forecast is drawn in place of the label
        maps and instances that it was merged from. A forecast of nothing but frames is drawn as
        :func:`~mmforecast.visualization.frame_strip.frame_strip`, the truth first.

        Returns:
            uint8 picture, RGB.
        """
        if draw_pred and _has_frames_alone(data_sample):
            return self._frame_strip(image, data_sample, draw_gt)
        forecasts = _forecasts(data_sample) if draw_pred else {}
        num_steps = max([len(steps) for steps in forecasts.values()] or [data_sample.num_future])
        frames, labels, instances = known_pictures(image, data_sample, num_steps)
        known = {'labels': labels, 'instances': instances}
        if 'panoptic' in forecasts:
            known['panoptic'] = known_panoptic(data_sample, num_steps)
        kinds = list(forecasts) or [kind for kind in known if any(item is not None for item in known[kind])]
        kinds = kinds or ['labels']  # the frames alone
        overlays = [item for kind in kinds for item in known[kind]]
        overlays += [item for steps in forecasts.values() for step in steps for item in step]
        meta = self.dataset_meta or {}
        palette, classes = meta.get('palette'), meta.get('classes')
        style = PanelStyle(
            panel_size([*frames, *overlays], self.panel_height),
            palette,
            self.alpha,
            instance_classes(meta),
            self.score_thr,
        )
        times = sample_headings(data_sample, num_steps)
        rows = []
        for kind in kinds:
            steps = forecasts.get(kind, [])
            num_past, title = data_sample.num_past, known_titles(data_sample)[kind]
            rows += _kind_rows(frames, known[kind], steps, times, num_past, draw_gt, style, title)
        strip = make_strip(*zip(*rows, strict=True))
        shown = classes_shown(stuff_maps(overlays), len(classes or ()))
        if not shown:
            return strip
        return np.vstack([strip, draw_legend(classes, strip.shape[1], palette, shown)])

    def _frame_strip(self, image, sample: ForecastDataSample, draw_gt: bool) -> np.ndarray:
        num_steps = len(sample.pred_frames)
        frames, _, _ = known_pictures(image, sample, num_steps)
        observed = [frame for frame in frames[: sample.num_past] if frame is not None]
        return frame_strip(
            observed or sample.pred_frames[:0],
            {'forecast': sample.pred_frames},
            frames[sample.num_past :] if draw_gt else None,
            sample_headings(sample, num_steps),
            short_side=self.panel_height,
            closer_look=self.closer_look,
        )


def _has_frames_alone(sample: ForecastDataSample) -> bool:
    kinds = ('pred_frames', 'pred_sem_seg', 'pred_instances')
    return [kind in sample for kind in kinds] == [True, False, False]


def _kind_rows(
    frames: Sequence,
    known: Sequence,
    forecast: Sequence[tuple],
    times: Sequence[str],
    num_past: int,
    draw_gt: bool,
    style: PanelStyle,
    title: str,
) -> list[tuple]:
    """Rows of (pictures, titles) that show one kind: past, forecast and, under ``title``, truth."""
    panels = [style.draw(frame, overlay) for frame, overlay in zip(frames, known, strict=True)]
    rows = [(panels[:num_past], [f'input  {time}' for time in times[:num_past]])]
    if forecast:
        future = slice(num_past, num_past + len(forecast))
        predicted = [
            add_border(style.draw(true_frame if frame is None else frame, overlay, truth))
            for true_frame, truth, (frame, overlay) in zip(
                frames[future], known[future], forecast, strict=True
            )
        ]
        rows.append((predicted, [f'forecast  {time}' for time in times[future]]))
    if draw_gt and len(times) > num_past:
        # A frame without labels is no truth for label maps, though still worth seeing.
        names = ['true frame' if overlay is None else title for overlay in known]
        titles = [f'{name}  {time}' for name, time in zip(names, times, strict=True)]
        rows.append((panels[num_past:], titles[num_past:]))
    return [rows[0], *_joined(rows[1:])] if len(times) == num_past + 1 else rows


def _joined(rows: list[tuple]) -> list[tuple]:
    """Rows of (pictures, titles) put side by side into one row, or none if there are none."""
    if not rows:
        return []
    return [tuple([item for part in parts for item in part] for parts in zip(*rows, strict=True))]


def _forecasts(sample: ForecastDataSample) -> dict[str, list[tuple]]:
    """(frame or None, label map, instances, panoptic map or None) of each forecast step, by kind."""
    if 'pred_panoptic' in sample:
        return {'panoptic': [(None, step) for step in forecast_panoptic(sample)]}
    labels = to_numpy(sample.pred_sem_seg.data) if 'pred_sem_seg' in sample else []
    frames = []
    if 'pred_frames' in sample:
        frames = rgb_frames(sample.pred_frames)
    forecasts = {'labels': list(zip_longest(frames, labels))}
    if 'pred_instances' in sample:
        size = sample.get('img_shape')
        forecasts['instances'] = [(None, fill_boxes(step, size)) for step in sample.pred_instances]
    return {kind: steps for kind, steps in forecasts.items() if steps}


def _require_tensorboard() -> None:
    """mmengine would find out at the first scalar, after minutes of set-up."""
    if importlib.util.find_spec('tensorboard') is None:
        raise ImportError(
            'TensorboardVisBackend needs tensorboard, which is not installed: pip install tensorboard'
        )
