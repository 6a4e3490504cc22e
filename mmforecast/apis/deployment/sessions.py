"""Running exported graphs on numpy arrays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Session = Callable[[dict[str, np.ndarray]], list[np.ndarray]]
MANIFEST = 'forecaster.json'


def open_session(path: Path, threads: int | None = None) -> Session:
    """A function from arrays by name to the list of outputs.

    Args:
        path: An ``.onnx`` file, run by onnxruntime on the CPU, or a ``.pt2`` file, run by PyTorch.
        threads: Of onnxruntime; by default its own choice.
    """
    return _pytorch(path) if path.suffix == '.pt2' else _onnxruntime(path, threads)


def _onnxruntime(path: Path, threads: int | None) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    known = {given.name for given in session.get_inputs()}  # what a graph does not use is left out of it
    return lambda arrays: session.run(None, {name: array for name, array in arrays.items() if name in known})


def _pytorch(path: Path) -> Session:
    import torch

    module = torch.export.load(path).module()

    def run(arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        with torch.inference_mode():
            out = module(*(torch.from_numpy(array) for array in arrays.values()))
        return [part.numpy() for part in ([out] if isinstance(out, torch.Tensor) else out)]

    return run
