"""The two ways of forecasting along a video: clips in batches, and frame after frame."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from mmengine.registry import DefaultScope

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.structures import ForecastDataSample

from ..evaluate import SCOPE
from ..streaming import StreamingForecaster
from .clips import ClipPlan, batches, grid, walk
from .frame_source import FrameStream
from .geometry import FramePipeline, WayBack
from .results import Forecast

__all__ = ['VideoPasses']


class VideoPasses:
    """Runs a forecaster along a video; forecasts come in the order of time.

    Args:
        model: in eval mode.
        pipeline: what frames go through.
        plan: which frames make a clip.
        collate: of the items of a batch.
    """

    def __init__(self, model: BaseForecaster, pipeline: FramePipeline, plan: ClipPlan, collate: Callable):
        self.model, self.pipeline, self.plan, self.collate = model, pipeline, plan, collate

    def load_batches(self, source, lasts: list[int], size: int) -> Iterator[tuple]:
        """The data of batches of clips and, of each clip, a function from its sample to a Forecast.

        Args:
            lasts: the newest past frame of each clip.
            size: clips of a batch. Where the model looks at the future too, those with all of it and those
                without are in different batches.
        """
        plan = self.plan
        looks = self.model.with_reference or self.model.predictor.reads_future
        clips = []
        for last in lasts:
            whole = plan.future(last)[-1] < source.num_frames
            clips.append((last, plan.num_past + plan.horizon * (whole and looks)))
        for group in batches(clips, size):
            items, settle = [], []
            for last, seen in group:
                known = [frame for frame in plan.future(last) if frame < source.num_frames]
                frames = source.read([*plan.past(last), *known])
                item, back = self.pipeline(frames[:seen], self._meta(source, last, len(known)))
                items.append(item)
                settle.append(partial(_settled, frames=frames, back=back))
            yield self.collate(items), settle

    def streamed(self, source, every: int, wait: bool) -> Iterator[Forecast]:
        """A forecast at every ``every``-th frame, each frame encoded once.

        Args:
            wait: hold each back until its future has come; else only the past is known.
        """
        plan, step = self.plan, grid(self.plan, every)
        if not isinstance(source, FrameStream):
            plan.require(source.num_frames, source.path or 'the input')
        stream = StreamingForecaster(self.model, plan.stride // step)
        reach = (plan.num_past - 1 + plan.horizon) * plan.stride
        kept: dict[int, np.ndarray] = {}
        pending: deque[tuple[int, ForecastDataSample, WayBack]] = deque()
        count = 0
        for number, frame, due in walk(source, plan, every):
            count = number + 1
            kept[number] = frame
            kept.pop(number - reach - step, None)
            # The scope is left before every yield, so that the user's code never runs in it.
            with DefaultScope.overwrite_default_scope(SCOPE):
                results, back = self.pipeline.transform(frame[None], {})
                stream.observe(results['frames'][0])
                if due:
                    pending.append((number, stream.forecast(), back))
            while pending and (not wait or plan.future(pending[0][0])[-1] <= number):
                yield self._settle_streamed(source, kept, *pending.popleft())
        plan.require(count, 'the input')
        while pending:
            yield self._settle_streamed(source, kept, *pending.popleft())

    def _settle_streamed(self, source, kept: dict, last: int, sample, back: WayBack) -> Forecast:
        """A streamed forecast with all that is known of its clip by now."""
        known = [frame for frame in self.plan.future(last) if frame in kept]
        sample.set_metainfo(self._meta(source, last, len(known)))
        frames = np.stack([kept[frame] for frame in (*self.plan.past(last), *known)])
        sample.set_metainfo(dict(ori_shape=frames.shape[1:3]))
        return _settled(sample, frames, back)

    def _meta(self, source, last: int, num_known: int) -> dict:
        numbers = [*self.plan.past(last), *self.plan.future(last)]
        return dict(
            sequence_id=source.name,
            frame_indices=numbers,
            frame_names=[str(number) for number in numbers],
            num_past=self.plan.num_past,
            num_future=num_known,
            stride=self.plan.stride,
            fps=source.fps,
        )


def _settled(sample: ForecastDataSample, frames: np.ndarray, back: WayBack) -> Forecast:
    return Forecast(back.restore(sample), frames)
