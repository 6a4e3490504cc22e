"""Own video in, forecast out."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope
from tqdm import tqdm

from mmforecast.structures import ForecastDataSample
from mmforecast.visualization import instance_classes

from ..compare import baselines_of
from ..evaluate import SCOPE, build_forecaster, set_horizon
from ..shipped import DEFAULT_SYSTEM
from .clips import ClipPlan, at_least_1, keep_tail
from .drawing import clip_pictures
from .files import FORMATS, ForecastFiles
from .frame_source import FrameStream, open_frames
from .geometry import FramePipeline
from .model import check_device, choose, dataset_meta, require_rgb, require_trained, run_info
from .passes import VideoPasses
from .results import Forecast, plain_forecast, without_pixels

__all__ = ['ForecastInferencer']


class ForecastInferencer(BaseInferencer):
    """Forecasts any video with any forecaster whose encoder works on RGB frames.

    Frames go through the geometry of the config's test pipeline, and what is forecast is brought back to
    their size. mmengine's default scope is as it was before and after every call.

    Args:
        model: path of a config, a Config, or a shipped system: 'video', 'f2f', 's2s' or 'd2d'.
        weights: path of a checkpoint; None or 'none' takes the shipped weights of a shipped system, and else
            none, which only baselines and encoders with weights of their own can do with.
        device: e.g. 'cpu' or 'cuda:0'; None takes a GPU if there is one.
        predictor: name of a baseline of the forecaster (its ``baselines``: 'copy-last', ...), to be run in
            place of the config's predictor, without weights.
        horizon: steps that are forecast; by default ``test_cfg.rollout_steps``.
        stride: frames of the video from one past frame, or step, to the next; by default that of the
            config's test data. Models know the time between frames that they were trained with: at 30 Hz,
            a model of 17 Hz and stride 3 (0.18 s) wants 5.
        scale: (width, height) that frames are resized to for the network; by default as the test pipeline
            says. Large frames take long.
        show_progress: bars of what takes long, on stderr.
        options: dotted keys that are merged into the config.

    Raises:
        ValueError: one of these is out of range, or the model can't forecast a video.
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
    ):
        for name, value in (('horizon', horizon), ('stride', stride)):
            if value is not None:
                at_least_1(name, value)
        check_device(device)
        self.choice = choose(model, weights, predictor, options)
        if horizon is not None:
            set_horizon(self.choice.cfg, horizon)
        self.scale = scale
        with DefaultScope.overwrite_default_scope(SCOPE):
            super().__init__(self.choice.cfg, self.choice.weights, device, SCOPE, show_progress=show_progress)
        self.dataset_meta = dataset_meta(self.cfg)
        stride = stride or self.cfg.test_dataloader.dataset.get('stride', 1)
        self.plan = ClipPlan(self.model.num_past, self.model.test_steps, stride)
        self.passes = VideoPasses(self.model, self.pipeline, self.plan, self.collate_fn)

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
    ) -> dict:
        """Forecast a video: what comes after its end, after frame ``at``, or after every ``every``-th frame.

        Args:
            inputs: a video file, a folder of frames, an array (T, H, W, 3) uint8 **RGB**, a list of (H, W, 3)
                arrays, or an iterator of such; see :func:`open_frames`.
            return_datasamples: give ForecastDataSamples instead of plain containers.
            batch_size: clips per batch, where clips are forecast in batches.
            every: forecast again and again, this many frames apart, from the first moment possible.
            at: forecast from this frame, counted from 0.
            fps: frames per second, in place of what the file says.
            streaming: with ``every``: encode each frame once, as it comes, or all past frames of each clip
                anew, in batches. By default the former, but for the oracle, which looks at the future.
            out_dir: folder for files; None writes none.
            formats: of the files: 'mp4', 'gif', 'png', 'json'; see :class:`ForecastFiles`.
            score_thr: instances with a lower score aren't drawn, and are in the results all the same.
            panel_height: pixels of the pictures of a video in MP4 and GIF files.
            keep_pixels: False leaves label maps and frames out of plain containers, which those of a long
                video would fill the memory with.

        Returns:
            ``predictions``, a list over the moments, of :func:`plain_forecast` or of samples, and
            ``files``, the paths of what was written.

        Raises:
            CorruptFrameError: a frame can't be read.
            ValueError: the video is too short, or an argument doesn't fit.
        """
        if every is not None:
            at_least_1('every', every)
        source = open_frames(inputs, fps)
        predictions = []
        with ExitStack() as stack:
            files = None
            if out_dir is not None:
                drawing = dict(score_thr=score_thr, panel_height=panel_height)
                files = stack.enter_context(
                    self._files(out_dir, source, formats=formats, every=every, drawing=drawing)
                )
            forecasts = self._forecasts(source, every, at, streaming, batch_size)
            for forecast in self._progress(forecasts, source, every):
                if files is not None:
                    files.add(forecast)
                if return_datasamples:
                    predictions.append(forecast.sample)
                    continue
                plain = plain_forecast(forecast, self.instance_classes)
                predictions.append(plain if keep_pixels else without_pixels(plain))
        return dict(predictions=predictions, files=[] if files is None else files.paths)

    def stream(
        self, inputs, every: int = 1, fps: float | None = None, wait: bool = False
    ) -> Iterator[Forecast]:
        """Forecasts of a running video, each as soon as it can be made; every frame is encoded once.

        Args:
            inputs, every, fps: as for a call.
            wait: hold a forecast back until its future has come, so that ``frames`` has the truth.
        """
        return self.passes.streamed(open_frames(inputs, fps), at_least_1('every', every), wait)

    # The steps of mmengine's inferencers.

    def preprocess(self, inputs, batch_size: int = 1, **kwargs) -> Iterator[tuple]:
        """Batches of clips, see :meth:`VideoPasses.load_batches`; ``lasts`` says which."""
        yield from self.passes.load_batches(inputs, kwargs['lasts'], batch_size)

    @torch.no_grad()
    def forward(self, inputs: dict, **kwargs) -> list[ForecastDataSample]:
        """Samples with their forecasts, at the network's size."""
        with DefaultScope.overwrite_default_scope(SCOPE):
            return self.model.test_step(inputs)

    def visualize(self, inputs: list, preds: list[Forecast], show: bool = False, **kwargs) -> list:
        """The pictures of each forecast: the past, then what comes."""
        return [clip_pictures(forecast, self.choice.title, self.dataset_meta) for forecast in preds]

    def postprocess(
        self, preds: list[Forecast], visualization: list, return_datasample: bool = False, **kwargs
    ) -> dict:
        """What a call returns, with the pictures of ``visualize``."""
        plain = [plain_forecast(forecast, self.instance_classes) for forecast in preds]
        samples = [forecast.sample for forecast in preds]
        return dict(predictions=samples if return_datasample else plain, visualization=visualization)

    # What these are made of.

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
        return FramePipeline(cfg.test_dataloader.dataset.get('pipeline', ()), self.scale)

    def _init_collate(self, cfg: Config):
        return pseudo_collate

    def _init_visualizer(self, cfg: Config) -> None:
        return None

    def _forecasts(self, source, every, at, streaming, batch_size) -> Iterator[Forecast]:
        """Forecasts in the order of time, each with the truth where the video has it."""
        oracle = self.model.predictor.reads_future
        if every is not None and at is not None:
            raise ValueError('give every or at, not both')
        if every is not None and streaming is not False and not oracle:
            return self.passes.streamed(source, every, wait=True)
        if streaming:
            raise ValueError('streaming goes with every, and without the oracle, which looks at the future')
        if isinstance(source, FrameStream):
            if every is not None or at is not None:
                raise ValueError(
                    'an iterator of frames cannot go back, as batches of clips and at would: take '
                    'every with streaming, or give a list of the frames'
                )
            source = keep_tail(source, self.plan.span)
        lasts = self.plan.choose(source.num_frames, source.path or 'the input', every, at, oracle)
        return self._in_batches(source, lasts, at_least_1('batch_size', batch_size))

    def _in_batches(self, source, lasts: list[int], size: int) -> Iterator[Forecast]:
        for data, settle in self.preprocess(source, size, lasts=lasts):
            for sample, finish in zip(self.forward(data), settle):
                yield finish(sample)

    def _files(self, out_dir, source, **settings) -> ForecastFiles:
        run = run_info(self.choice, self.plan, source, self.dataset_meta)
        return ForecastFiles(out_dir, source, self.choice.title, self.dataset_meta, run, **settings)

    def _progress(self, forecasts: Iterator[Forecast], source, every: int | None):
        if every is None or not self.show_progress:
            return forecasts
        total = source.num_frames and len(self.plan.moments(source.num_frames, every))
        return tqdm(forecasts, desc='forecasts', total=total, leave=False, mininterval=1.0)
