"""Forecasts of a video as its frames come in, each of them encoded once."""

import numpy as np
import torch

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.utils import time_cat
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive
from mmforecast.utils.frame_memory import FrameMemory


def memory_of_stride(stride: int) -> FrameMemory:
    """A memory that lasts until pairs of frames come back, of clips that begin at every frame.

    Args:
        stride: Frames from one past frame to the next.
    """
    return FrameMemory(size=2 * stride + 2)  # flow there and back


class StreamingForecaster:
    """The forecast after every frame of a video, equal to that of a clip of the same past frames.

    Each frame is encoded when it arrives, alone, and the representations (and frames, for predictors that
    read optical flow) of the last ``(num_past - 1) * stride + 1`` frames are kept. That saves ``num_past - 1``
    of ``num_past`` passes of the encoder. On a CPU the forecast equals that of ``model.predict`` to the last
    bit if the encoder takes the frames of a clip one by one, too (``chunk=1``); convolutions of several
    images at once may round differently.

    Args:
        model: A forecaster whose encoder works on any RGB frame. It is put in eval mode.
        stride: Frames between past frames, and between forecast steps: 3 for a model trained on clips of
            stride 3 that gets every frame of the video.
        memory: Keeps the optical flow of pairs of frames, which come back ``stride`` frames later; by default
            one of its own.

    Raises:
        ValueError: The encoder reads its representation from a dataset, or ``stride`` is below 1.
    """

    def __init__(self, model: BaseForecaster, stride: int = 1, memory: FrameMemory | None = None):
        check_positive('StreamingForecaster', stride=stride)
        if not model.encoder.from_rgb:
            raise ValueError(
                f'StreamingForecaster encodes frames as they come, but {type(model.encoder).__name__} '
                'takes its representation from a data set; use a model whose encoder works on any RGB '
                'frame (SegmentorEncoder, DetectorEncoder)'
            )
        self.model = model.eval()
        self.stride = stride
        self.memory = memory_of_stride(stride) if memory is None else memory
        self._seen: dict[int, tuple] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all frames: the next one starts another video, of any size."""
        self._seen.clear()
        self._last = -1
        self._size: tuple[int, int] | None = None

    def update(self, frame: np.ndarray) -> ForecastDataSample | None:
        """Take the next frame of the video and forecast from it: ``observe``, then ``forecast``."""
        self.observe(frame)
        return self.forecast()

    @torch.no_grad()
    def observe(self, frame: np.ndarray, number: int | None = None) -> None:
        """Take the next frame of the video.

        Args:
            frame: (H, W, 3) uint8 RGB, H and W as in the first frame. It is copied.
            number: Its position in the video, 0-based, where frames that no forecast needs are skipped; by
                default that of the last one plus 1.

        Raises:
            ValueError: The frame is no such array, of another size than the first, or not newer than the
                last one.
        """
        self._check(frame)
        number = self._last + 1 if number is None else number
        if number <= self._last:
            raise ValueError(f'StreamingForecaster: frame {number} comes after frame {self._last}')
        clip = torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1)))[None]
        inputs = self.model.data_preprocessor(dict(inputs=[clip]), False)['inputs']
        self._size = frame.shape[:2]
        self._last = number
        oldest = number - (self.model.num_past - 1) * self.stride
        self._seen = {seen: kept for seen, kept in self._seen.items() if seen >= oldest}
        self._seen[number] = (self.model.encode(inputs, [self._sample(self._size)]), inputs)

    @torch.no_grad()
    def forecast(self) -> ForecastDataSample | None:
        """Forecast from the frames seen.

        Returns:
            A sample with ``pred_*`` of ``test_cfg.rollout_steps`` steps, the first of them ``stride``
            frames after the last one seen; None if one of the ``num_past`` past frames was not seen.
        """
        past = range(self._last - (self.model.num_past - 1) * self.stride, self._last + 1, self.stride)
        if self._last < 0 or not all(number in self._seen for number in past):
            return None
        pyramids, frames = zip(*(self._seen[number] for number in past))
        samples = [self._sample(self._size)]
        with self.memory.in_use():
            return self.model.forecast(time_cat(pyramids), torch.cat(frames, dim=1), samples)[0]

    def _sample(self, size: tuple[int, int]) -> ForecastDataSample:
        return ForecastDataSample(
            metainfo=dict(
                num_past=self.model.num_past,
                num_future=0,
                stride=self.stride,
                img_shape=size,
                ori_shape=size,
            )
        )

    def _check(self, frame: np.ndarray) -> None:
        array = isinstance(frame, np.ndarray)
        if not array or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            given = f'{frame.dtype} of shape {frame.shape}' if array else type(frame).__name__
            raise ValueError(f'StreamingForecaster takes frames as (H, W, 3) uint8 RGB arrays, got {given}')
        size = frame.shape[:2]
        if self._size not in (None, size):
            raise ValueError(
                f'a frame of {size[0]}x{size[1]} pixels follows frames of {self._size[0]}x'
                f'{self._size[1]}; resize it, or call reset() where another video starts'
            )
