"""The hook that draws forecasts while a model is validated or tested."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmforecast.registry import HOOKS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_above, check_positive
from mmforecast.visualization import (
    ForecastLocalVisualizer,
    forecast_animation,
    forecast_panoptic,
    instance_classes,
    write_gif,
)


@HOOKS.register_module()
class ForecastVisualizationHook(Hook):
    """Draws the first clip of every ``interval``-th batch of validation and test as a strip.

    With ``out_dir`` pictures are files, ``<out_dir>/<val or test>/<iteration>_<clip>.png`` and
    ``.gif``. Without, strips go to the visualizer's backends under the clip's name, and GIFs, which
    backends can't take, to ``vis_data`` in the log folder. RGB frames come from the batch;
    where the pipeline loads none, labels and instances are drawn alone.

    Args:
        draw: Whether to draw at all.
        interval: Batches from one drawn clip to the next; the first batch is always drawn.
        out_dir: Folder for the files; a relative one is put in the log folder,
            ``<work_dir>/<timestamp>``.
        gif: Write an animation beside each strip, of clips whose forecast has frames, label maps or
            instances.
        fps: Pictures per second of the animation.
    """

    def __init__(
        self,
        draw: bool = False,
        interval: int = 50,
        out_dir: str | None = None,
        gif: bool = True,
        fps: float = 3,
    ) -> None:
        check_positive('ForecastVisualizationHook', interval=interval)
        check_above('ForecastVisualizationHook', 0, fps=fps)
        self.draw = draw
        self.interval = interval
        self.out_dir = out_dir
        self.gif = gif
        self.fps = fps

    def before_run(self, runner: Runner) -> None:
        """Fail before the first step, not at the first picture."""
        if self.draw and not isinstance(runner.visualizer, ForecastLocalVisualizer):
            raise TypeError(
                'ForecastVisualizationHook draws with a ForecastLocalVisualizer, but the runner '
                f'has a {type(runner.visualizer).__name__}: set '
                "visualizer=dict(type='mmforecast.ForecastLocalVisualizer', ...) in the config"
            )

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[ForecastDataSample] | None = None,
    ) -> None:
        """Draw the first of ``outputs``, at the training iteration that is validated."""
        self._draw(runner, batch_idx, data_batch, outputs, 'val')

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[ForecastDataSample] | None = None,
    ) -> None:
        """Draw the first of ``outputs``."""
        self._draw(runner, batch_idx, data_batch, outputs, 'test')

    def _draw(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None,
        outputs: Sequence[ForecastDataSample] | None,
        mode: str,
    ) -> None:
        if not self.draw or not outputs or batch_idx % self.interval or not is_main_process():
            return
        sample = outputs[0]
        inputs = (data_batch or {}).get('inputs')
        frames = None if inputs is None else inputs[0]
        name, visualizer = f'{mode}_{_file_name(sample)}', runner.visualizer
        folder, stem = Path(runner.log_dir) / 'vis_data', f'{name}_{runner.iter}'
        strip_file = None
        if self.out_dir is not None:
            # An absolute out_dir wins over the log folder it is joined to.
            folder = Path(runner.log_dir) / self.out_dir / mode
            stem = f'{runner.iter:06d}_{_file_name(sample)}'
            strip_file = str(folder / f'{stem}.png')
        visualizer.add_datasample(name, frames, sample, out_file=strip_file, step=runner.iter)
        methods = {}
        if 'pred_sem_seg' in sample:
            methods['forecast'] = sample.pred_sem_seg.data
        elif 'pred_frames' in sample:
            methods['forecast'] = sample.pred_frames
        if 'pred_instances' in sample:
            methods['forecast instances'] = sample.pred_instances
        if 'pred_panoptic' in sample:  # in place of what it was merged from
            methods = {'forecast': forecast_panoptic(sample)}
        if self.gif and methods:
            meta = visualizer.dataset_meta or {}
            pictures = forecast_animation(
                sample,
                frames,
                methods,
                palette=meta.get('palette'),
                classes=meta.get('classes'),
                alpha=visualizer.alpha,
                instance_classes=instance_classes(meta),
                score_thr=visualizer.score_thr,
            )
            write_gif(folder / f'{stem}.gif', pictures, fps=self.fps)


def _file_name(sample: ForecastDataSample) -> str:
    """Sequence and position of the last input frame, fit for a file name."""
    sequence = str(sample.sequence_id).replace('/', '_').replace('\\', '_')
    return f'{sequence}_{sample.frame_indices[sample.num_past - 1]:06d}'
