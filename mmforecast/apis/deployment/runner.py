"""Forecasting a stream of frames with exported graphs."""

import json
from collections import deque
from pathlib import Path

import numpy as np

from .sessions import MANIFEST, open_session

__all__ = ['ExportedForecaster']


class ExportedForecaster:
    """A forecaster that was written by ``export_forecaster``, for one stream of frames.

    Every frame is encoded once. Neither a config nor a checkpoint is needed. The networks run in onnxruntime,
    or in PyTorch for its own format; optical flow for the motion forecaster is computed by this library.

    Args:
        folder: Of the export.
        stride: Frames between two observed ones; the forecast has the same steps.
        threads: Of onnxruntime.

    Attributes:
        manifest: Content of ``forecaster.json``.

    Raises:
        FileNotFoundError: The folder holds no export.
        ValueError: The export lacks the encoder or the decoder, which run in Python.
    """

    def __init__(self, folder: str | Path, stride: int = 1, threads: int | None = None):
        folder = Path(folder)
        path = folder / MANIFEST
        if not path.is_file():
            raise FileNotFoundError(
                f'{folder} holds no exported forecaster ({MANIFEST} is missing); write one by '
                'tools/deployment/export.py'
            )
        if stride < 1:
            raise ValueError(f'ExportedForecaster: stride must be at least 1, got {stride}')
        self.manifest = json.loads(path.read_text(encoding='utf-8'))
        self.parts = {part['name']: part for part in self.manifest['parts']}
        for name, part in self.parts.items():
            if part['file'] is None:
                raise ValueError(f'{folder} has no graph of the {name}, since {part["reason"]}')
        self.sessions = {
            name: open_session(folder / part['file'], threads) for name, part in self.parts.items()
        }
        self.stride = stride
        length = (self.manifest['num_past'] - 1) * stride + 1
        self.maps: deque = deque(maxlen=length)
        self.frames: deque = deque(maxlen=length)
        self._is_motion = self.parts['predictor']['kind'] == 'motion'
        self._motion = None

    def reset(self) -> None:
        """Forget the frames, as before another video."""
        self.maps.clear()
        self.frames.clear()

    def push(self, frame: np.ndarray) -> np.ndarray | None:
        """The forecast from a new frame and those before.

        Args:
            frame: (H, W, 3) uint8 RGB of the exported size.

        Returns:
            (steps, H, W) uint8 labels, or (steps, 3, H, W) float32 RGB in [0, 255]; None until enough frames
            were seen.
        """
        size = tuple(self.manifest['size'])
        if frame.dtype != np.uint8 or frame.shape != (*size, 3):
            raise ValueError(
                f'the forecaster was exported for uint8 frames of {size[0]}x{size[1]} (height x width) and 3 '
                f'channels, got {frame.dtype} of shape {frame.shape}; resize them, or export another size'
            )
        frame = np.ascontiguousarray(frame.transpose(2, 0, 1), dtype=np.float32)
        self.maps.append([level[0] for level in self._run('encoder', [frame[None]])])
        if self._is_motion:
            self.frames.append(frame)
        if len(self.maps) < self.maps.maxlen:
            return None
        window = [np.stack(level) for level in zip(*list(self.maps)[:: self.stride])]
        future = self._by_motion(window) if self._is_motion else self._rollout(window)
        (decoded,) = self._run('decoder', [future[0]])
        return decoded[0]

    def _rollout(self, window: list[np.ndarray]) -> list[np.ndarray]:
        """(1, steps, C, h, w) per level, by calls of the predictor that see what it has predicted."""
        past = [level[None] for level in window]
        out = []
        for _ in range(0, self.manifest['steps'], self.manifest['num_outputs']):
            out.append(self._run('predictor', past))
            past = [np.concatenate(pair, axis=1)[:, -len(window[0]) :] for pair in zip(past, out[-1])]
        return [np.concatenate(level, axis=1) for level in zip(*out)]

    def _by_motion(self, window: list[np.ndarray]) -> list[np.ndarray]:
        """The same by a graph of all steps, for motion that is observed here."""
        import torch

        from .graphs import motion_inputs

        if self._motion is None:
            from mmforecast.registry import MODELS

            self._motion = MODELS.build(self.manifest['predictor']).eval()
        frames = torch.from_numpy(np.stack(list(self.frames)[:: self.stride])[None])
        newest = [torch.from_numpy(level[-1:]) for level in window]
        with torch.no_grad():
            inputs = motion_inputs(self._motion, frames, newest)
        return self._run('predictor', [value.numpy() for value in inputs.values()])

    def _run(self, name: str, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return self.sessions[name](dict(zip(self.parts[name]['inputs'], arrays)))
