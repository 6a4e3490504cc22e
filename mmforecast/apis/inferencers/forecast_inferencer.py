"""The inferencer: forecasts of any video by any forecaster that works on RGB frames."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

from mmforecast.structures import ForecastDataSample
from mmforecast.utils.progress import progress_bar
from mmforecast.utils.source_configs import first_source
from mmforecast.visualization import instance_classes

from ..compare import baselines_of
from ..evaluate import SCOPE, build_forecaster, set_horizon
from ..shipped import DEFAULT_SYSTEM
from .acceleration import compile_networks, run_in_bfloat16
from .arguments import frame_number, integer
from .background import BackgroundFiles
from .clips import ClipPlan, Moments
from .drawing import ForecastDrawer
from .files import FORMATS, ForecastFiles
from .geometry import FramePipeline
from .live import LiveVideo, stops_on_interrupt
from .model import check_device, choose, dataset_meta, require_rgb, require_trained, run_info
from .network import name_classes
from .opening import open_frames
from .real_time import RealTimeFrames
from .results import Forecast, plain_forecast, without_pixels
from .runner import ForecastRunner, read_tail
from .sources import FrameSource

__all__ = ['ForecastInferencer']

_NAME = 'ForecastInferencer'


class ForecastInferencer(BaseInferencer):
    """Forecasts any video with any forecaster whose encoder works on RGB frames.

    Frames go through the geometry of the config's test pipeline, and forecasts are brought back to their
    size. mmengine's default scope is the same before and after every call.

    A call opens the source (:func:`open_frames`), plans the moments (:class:`ClipPlan`), runs the model
    along the video (:class:`ForecastRunner`) and writes files (:class:`ForecastFiles`). The methods of
    mmengine's inferencers do one step each: ``preprocess`` makes the batches of clips that ``forward``
    takes, ``visualize`` draws, and ``postprocess`` makes the results.

    Args:
        model: Path of a config, a Config, a shipped system ('video', 'f2f', 's2s' or 'd2d'), or the name of a
            model of mmdet's or mmseg's zoo. Over a detector or segmentor, of a zoo or by its config, a
            forecaster is composed that needs no training.
        weights: Path of a checkpoint. None or 'none' takes the shipped weights of a shipped system, the
            published ones of a model of a zoo, and else none, which suffices for baselines and for encoders
            with weights of their own.
        device: For example 'cpu' or 'cuda:0'; None takes a GPU if there is one.
        predictor: Name of a baseline of the forecaster (its ``baselines``: 'copy-last', ...), run in place
            of the config's predictor, without weights.
        horizon: Steps that are forecast; by default ``test_cfg.rollout_steps``.
        stride: Frames of the video from one past frame, or step, to the next; by default that of the
            config's test data. A model knows the time between frames that it was trained with: at 30 Hz, a
            model of 17 Hz and stride 3 (0.18 s) needs 5.
        scale: (width, height) that frames are resized to for the network; by default as the test pipeline
            says. Large frames take long.
        show_progress: Show progress bars on stderr.
        options: Dotted keys that are merged into the config.
        compile: Run the networks through ``torch.compile``, which takes minutes at their first call; one that
            it fails on runs as it is, with a warning.
        bf16: Run the networks in bfloat16: faster on processors that have it, and less exact, see
            docs/benchmark.md.

    Raises:
        ValueError: An argument is out of range, or the model cannot forecast a video.
    """

    def __init__(
        self,
        model: str | Config = DEFAULT_SYSTEM,
        weights: str | None = None,
        device: str | None = None,
        predictor: str | None = None,
        horizon: int | None = None,
        stride: int | None = None,
        scale: Sequence[int] | None = None,
        show_progress: bool = True,
        options: dict | None = None,
        compile: bool = False,
        bf16: bool = False,
    ):
        horizon = None if horizon is None else integer(_NAME, 'horizon', horizon)
        stride = None if stride is None else integer(_NAME, 'stride', stride)
        scale = None if scale is None else tuple(integer(_NAME, 'scale', side) for side in scale)
        if scale is not None and len(scale) != 2:
            raise ValueError(f'{_NAME}: scale must be (width, height), got {scale}')
        check_device(device)
        self.choice = choose(model, weights, predictor, options)
        if horizon is not None:
            set_horizon(self.choice.cfg, horizon)
        self.scale = scale
        with DefaultScope.overwrite_default_scope(SCOPE):
            super().__init__(self.choice.cfg, self.choice.weights, device, SCOPE, show_progress=show_progress)
        if bf16:
            run_in_bfloat16(self.model)
        if compile:
            compile_networks(self.model)
        self.dataset_meta = dataset_meta(self.cfg)
        encoder = getattr(self.model, 'encoder', None)
        if getattr(encoder, 'classes', None) == 'own':
            self.dataset_meta['instance_classes'] = encoder.instance_classes
        if self.choice.network is not None:
            self.dataset_meta = name_classes(self.model, self.dataset_meta)
        stride = stride or first_source(self.cfg.test_dataloader.dataset).get('stride', 1)
        self.plan = ClipPlan(self.model.num_past, self.model.test_steps, stride)
        self.runner = ForecastRunner(self.model, self.pipeline, self.plan, self.collate_fn, self.forward)

    @property
    def instance_classes(self) -> tuple[str, ...] | None:
        """Names of the instances' labels."""
        return instance_classes(self.dataset_meta)

    def __call__(
        self,
        inputs,
        return_datasamples: bool = False,
        batch_size: int = 1,
        every: int | None = None,
        at: int | None = None,
        fps: float | None = None,
        streaming: bool | None = None,
        out_dir: str | None = None,
        formats: Sequence[str] = FORMATS,
        score_thr: float = 0.5,
        panel_height: int = 256,
        keep_pixels: bool = True,
        show: bool = False,
        return_vis: bool = False,
    ) -> dict:
        """Forecast a video: what comes after its end, after frame ``at``, or after every ``every``-th frame.

        Ctrl-C ends a live stream, and what has come until then is forecast and written.

        Args:
            inputs: A video file, a folder of frames, an address, a camera, an array (T, H, W, 3) uint8
                **RGB**, a list of (H, W, 3) arrays, an iterator of such, or what :func:`open_frames`
                returned, whose arguments limit and tune live streams.
            return_datasamples: Return ForecastDataSamples instead of plain containers.
            batch_size: Clips per batch, where clips are forecast in batches.
            every: Forecast again and again, this many frames apart, from the first moment possible.
            at: Forecast from this frame, counted from 0.
            fps: Frames per second, in place of what the file says.
            streaming: With ``every``: encode each frame once, as it comes (True), or all past frames of each
                clip anew, in batches (False). By default True, but for the oracle, which reads the future.
            out_dir: Folder for files; None writes none.
            formats: Of the files: 'mp4', 'gif', 'png', 'json'; see :class:`ForecastFiles`.
            score_thr: Instances with a lower score are not drawn, but are in the results.
            panel_height: Pixels of the pictures of a video in MP4 and GIF files.
            keep_pixels: False leaves label maps and frames out of plain containers; those of a long video
                would fill the memory.
            show: Show the pictures in a window as they are drawn.
            return_vis: Return the pictures, too.

        Returns:
            ``predictions``, a list over the moments, of :func:`plain_forecast` or of samples; ``files``, the
            paths of what was written; with ``return_vis`` ``visualization``, a list of pictures by moment.

        Raises:
            CorruptFrameError: A frame cannot be read.
            OSError: A file cannot be written.
            ValueError: The video is too short, or an argument does not fit.
        """
        every = None if every is None else integer(_NAME, 'every', every)
        at = None if at is None else frame_number(_NAME, 'at', at)
        batch_size = integer(_NAME, 'batch_size', batch_size)
        source = open_frames(inputs, fps)
        drawer = self._drawer(every is not None, source.num_frames, score_thr, panel_height)
        predictions, shown = [], []
        with ExitStack() as stack:
            stack.enter_context(stops_on_interrupt(source))
            files = None
            if out_dir is not None:
                run = run_info(self.choice, self.plan, source, self.dataset_meta)
                files = ForecastFiles(out_dir, source, drawer, run, formats, every)
                if every is not None and not (show or return_vis):  # which draw here, too
                    files = BackgroundFiles(files)
                stack.enter_context(files)
            forecasts = self._forecasts(source, every, at, streaming, batch_size)
            if every is not None:
                total = source.num_frames and len(self.plan.moments(every, source.num_frames))
                forecasts = self._progress(forecasts, 'forecasts', total)
            for forecast in forecasts:
                result = self.postprocess([forecast], [], return_datasamples, keep_pixels=keep_pixels)
                predictions += result['predictions']
                if files is not None:
                    files.add(forecast)
                if show or return_vis:
                    (pictures,) = self.visualize([forecast.frames], [forecast], show, drawer=drawer)
                    shown += [pictures] if return_vis else []
        if source.problem:
            print_log(source.problem, logger='current', level=logging.WARNING)
        out = dict(predictions=predictions, files=[] if files is None else files.paths)
        return dict(out, visualization=shown) if return_vis else out

    def stream(
        self, inputs, every: int = 1, fps: float | None = None, wait: bool = False
    ) -> Iterator[Forecast]:
        """Forecasts of a running video, each as soon as it can be made; every frame is encoded once.

        Args:
            inputs: As for a call.
            every: Frames between forecasts.
            fps: As for a call.
            wait: Hold a forecast back until its future has come, so that ``frames`` has the truth.
        """
        every = integer(_NAME, 'every', every)
        source = open_frames(inputs, fps)
        if source.num_frames is not None:
            self.plan.require(source.num_frames, source.path or 'the input')
        moments = self.plan.moments(every, source.num_frames)
        return self.runner.run(source, moments, streaming=True, wait=wait)

    # The steps of mmengine's inferencers.

    def preprocess(self, inputs, batch_size: int = 1, **kwargs) -> Iterator[tuple]:
        """Batches of clips, see :meth:`ForecastRunner.load_batches`.

        Args:
            inputs: As for a call; not a stream.
            batch_size: Clips per batch.
            kwargs: ``lasts``, the newest past frame of each clip; by default the last of the video.
        """
        source = open_frames(inputs)
        lasts = kwargs.get('lasts') or [source.num_frames - 1]
        clips = chain.from_iterable(self.runner.clips(source, Moments(last)) for last in lasts)
        yield from self.runner.load_batches(clips, batch_size)

    @torch.no_grad()
    def forward(self, inputs: dict, **kwargs) -> list[ForecastDataSample]:
        """Samples with their forecasts, at the network's size, of the data of a batch."""
        with DefaultScope.overwrite_default_scope(SCOPE):
            return self.model.test_step(inputs)

    def visualize(
        self, inputs: list, preds: list[Forecast], show: bool = False, **kwargs
    ) -> list[list[np.ndarray]]:
        """The pictures of each forecast: the past, then what comes.

        Args:
            inputs: Not read: a forecast has its frames.
            preds: Forecasts.
            show: Show them in a window.
            kwargs: ``drawer``, a :class:`ForecastDrawer`.
        """
        drawer = kwargs.get('drawer') or self._drawer()
        drawn = [drawer.pictures(forecast) for forecast in preds]
        if show:
            window = Visualizer()
            for picture in chain.from_iterable(drawn):
                window.show(picture, win_name=self.choice.title, wait_time=0.3)
        return drawn

    def postprocess(
        self, preds: list[Forecast], visualization: list, return_datasample: bool = False, **kwargs
    ) -> dict:
        """Results of forecasts, with the pictures of ``visualize``.

        Args:
            preds: Forecasts.
            visualization: What ``visualize`` returned.
            return_datasample: Return samples instead of plain containers.
            kwargs: ``keep_pixels``, as for a call.
        """
        if return_datasample:
            predictions = [forecast.marked_sample() for forecast in preds]
        else:
            predictions = [plain_forecast(forecast, self.instance_classes) for forecast in preds]
            if not kwargs.get('keep_pixels', True):
                predictions = [without_pixels(plain) for plain in predictions]
        return dict(predictions=predictions, visualization=visualization)

    # The parts that mmengine's constructor asks for.

    def _init_model(self, cfg: Config, weights: str | None, device: str = 'cpu'):
        try:
            model = build_forecaster(cfg, weights, self.choice.changes, device)
        except ValueError as error:
            if 'rollout_steps' in str(error):
                raise ValueError(f'this horizon is not possible: {error}') from error
            raise
        require_rgb(model, cfg.filename)
        if weights is None and self.choice.baseline is None:
            require_trained(model, list(baselines_of(cfg)))
        return model

    def _init_pipeline(self, cfg: Config) -> FramePipeline:
        # As plain data: a pure-Python config names classes, here their names are read.
        settings = first_source(cfg.test_dataloader.dataset.to_dict())
        return FramePipeline(settings.get('pipeline', ()), self.scale)

    def _init_collate(self, cfg: Config):
        return pseudo_collate

    def _init_visualizer(self, cfg: Config) -> None:
        return None

    def _drawer(self, *settings) -> ForecastDrawer:
        return ForecastDrawer(self.choice.title, self.dataset_meta, *settings)

    def _forecasts(
        self, source: FrameSource, every: int | None, at: int | None, streaming: bool | None, batch_size: int
    ) -> Iterator[Forecast]:
        """Forecasts in the order of time, each with the truth where the video has it."""
        oracle = self.model.predictor.reads_future
        if every is not None and at is not None:
            raise ValueError('give every or at, not both')
        streamed = every is not None and streaming is not False and not oracle
        if streaming and not streamed:
            raise ValueError('streaming goes with every, and without the oracle, which reads the future')
        if source.num_frames is None and not streamed:
            if every is not None or at is not None:
                live = isinstance(source, (LiveVideo, RealTimeFrames))
                kind = 'a live stream' if live else 'an iterator of frames'
                raise ValueError(
                    f'{kind} cannot go back, as batches of clips and at would: take every with streaming, or '
                    'give a file or a list of the frames'
                )
            source = read_tail(source, self.plan.span, partial(self._progress, what='frames'))
        if source.num_frames is None:
            moments = self.plan.moments(every, None)
        else:
            self.plan.require(source.num_frames, source.path or 'the input', source.problem)
            moments = self.plan.choose(source.num_frames, source.path or 'the input', every, at, oracle)
        return self.runner.run(source, moments, streamed, batch_size)

    def _progress(self, items: Iterable, what: str, total: int | None = None) -> Iterable:
        if not self.show_progress:
            return items
        return progress_bar(items, desc=what, total=total)
