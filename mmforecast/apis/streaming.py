"""Forecast a video as its frames come in, each of them encoded once."""

from collections import deque

import numpy as np
import torch

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.utils import time_cat
from mmforecast.structures import ForecastDataSample


class StreamingForecaster:
    """The forecast after every frame of a video, equal to that of a clip of the same past frames.

    Each frame is encoded when it arrives, alone, and the representations (and frames, for what looks at
    optical flow) of the last ``(num_past - 1) * stride + 1`` frames are kept. That saves ``num_past - 1``
    of ``num_past`` passes of the encoder. On a CPU the forecast is that of ``model.predict`` to the last
    bit where the encoder takes the frames of a clip one by one, too (``chunk=1``); convolutions of
    several images at once may round otherwise.

    Args:
        model: its encoder works on any RGB frame. It is put in eval mode.
        stride: frames between past frames, and between forecast steps: 3 for a model trained on clips of
            stride 3 that gets every frame of the video.
    """

    def __init__(self, model: BaseForecaster, stride: int = 1):
        if stride < 1:
            raise ValueError(f'StreamingForecaster: stride must be at least 1, got {stride}')
        if not model.encoder.from_rgb:
            raise ValueError(
                f'StreamingForecaster encodes frames as they come, but {type(model.encoder).__name__} '
                'takes its representation from a data set; use a model whose encoder works on any RGB '
                'frame (SegmentorEncoder, DetectorEncoder)'
            )
        self.model = model.eval()
        self.stride = stride
        self._seen = deque(maxlen=(model.num_past - 1) * stride + 1)
        self.reset()

    def reset(self) -> None:
        """Forget all frames: the next one starts another video, of any size."""
        self._seen.clear()
        self._size: tuple[int, int] | None = None

    def update(self, frame: np.ndarray) -> ForecastDataSample | None:
        """Take the next frame of the video and forecast from it: ``observe``, then ``forecast``."""
        self.observe(frame)
        return self.forecast()

    @torch.no_grad()
    def observe(self, frame: np.ndarray) -> None:
        """Take the next frame of the video.

        Args:
            frame: (H, W, 3) uint8 RGB, H and W as in the first frame.

        Raises:
            ValueError: the frame is no such array, or of another size than the first.
        """
        self._check(frame)
        clip = torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1)))[None]
        inputs = self.model.data_preprocessor(dict(inputs=[clip]), False)['inputs']
        self._size = frame.shape[:2]
        self._seen.append((self.model.encode(inputs, [self._sample(self._size)]), inputs))

    @torch.no_grad()
    def forecast(self) -> ForecastDataSample | None:
        """Forecast from the frames seen.

        Returns:
            A sample with ``pred_*`` of ``test_cfg.rollout_steps`` steps, the first of them ``stride``
            frames after the last one seen; None until ``(num_past - 1) * stride + 1`` were seen.
        """
        if len(self._seen) < self._seen.maxlen:
            return None
        pyramids, frames = zip(*list(self._seen)[:: self.stride])
        samples = [self._sample(self._size)]
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
