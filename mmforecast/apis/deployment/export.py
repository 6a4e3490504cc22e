"""Writing the parts of a forecaster as graphs, each checked against PyTorch."""

import importlib.util
import inspect
import json
import logging
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmforecast.fileio.atomic import write_atomically
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.utils.checks import check_choice, check_positive
from mmforecast.version import __version__

from .graphs import Graph, NoGraphError, decoder_graph, encoder_graph, predictor_graph
from .sessions import MANIFEST, open_session
from .warping import OPSET, translations

__all__ = ['FORMATS', 'ExportedPart', 'export_forecaster']

FORMATS = {'onnx': '.onnx', 'torch-export': '.pt2'}
_NEEDED = {'onnx': ('onnx', 'onnxscript', 'onnxruntime'), 'torch-export': ()}
# Largest difference from PyTorch, relative to the largest value where that is above 1.
_TOLERANCE = 1e-4


@dataclass
class ExportedPart:
    """A part of a forecaster, as the manifest has it.

    Attributes:
        name: 'encoder', 'predictor' or 'decoder'.
        file: In the folder of the export; None where the part runs in Python.
        reason: Why there is no file.
        kind: How a predictor is called: 'maps' or 'motion'.
        inputs, outputs: Names of tensors.
        free: Axes of any size, by name of the input.
        difference: Largest from PyTorch's values, relative to the largest of them where that is above 1.
    """

    name: str
    file: str | None = None
    reason: str | None = None
    kind: str = ''
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    free: dict[str, tuple[int, ...]] | None = None
    difference: float | None = None


@torch.no_grad()
def export_forecaster(
    model: BaseForecaster,
    folder: str | Path,
    size: tuple[int, int],
    steps: int | None = None,
    format: str = 'onnx',
    classes: Sequence[str] = (),
) -> list[ExportedPart]:
    """Write the encoder, the predictor and the dense decoder as graphs, and ``forecaster.json`` about them.

    Frames have one size; any number of them, and maps of any size for predictors of maps alone. Every graph is
    run once on random input, and its output compared with PyTorch's.

    Args:
        model: On the CPU, with its weights.
        folder: Is created.
        size: (H, W) of the frames.
        steps: Horizon; by default that of ``test_cfg``.
        format: 'onnx', or 'torch-export' for PyTorch's own.
        classes: Names, for the manifest.

    Returns:
        The three parts; one that has no graph says why.

    Raises:
        NoGraphError: The predictor has no graph.
        ModuleNotFoundError: A package of the extra `export` is missing.
        RuntimeError: A graph does not compute what PyTorch does.
    """
    check_choice('export_forecaster', tuple(FORMATS), format=format)
    check_positive('export_forecaster', height=size[0], width=size[1])
    _require(format)
    steps = model.test_steps if steps is None else steps
    if steps % model.predictor.num_outputs:
        raise ValueError(
            f'the predictor gives {model.predictor.num_outputs} steps per call; steps must be a multiple of '
            f'it, got {steps}'
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    parts = [
        _write(graph, name, folder, format) if isinstance(graph, Graph) else ExportedPart(name, reason=graph)
        for name, graph in example_graphs(model, size, steps).items()
    ]
    content = dict(
        version=__version__,
        format=format,
        forecaster=type(model).__name__,
        num_past=model.num_past,
        num_outputs=model.predictor.num_outputs,
        steps=steps,
        size=list(size),
        classes=list(classes),
        parts=[asdict(part) for part in parts],
    )
    if parts[1].kind == 'motion':
        content['predictor'] = _motion_config(model.predictor)
    write_atomically(str(folder / MANIFEST), (json.dumps(content, indent=2) + '\n').encode())
    return parts


@torch.no_grad()
def example_graphs(model: BaseForecaster, size: tuple[int, int], steps: int) -> dict[str, Graph | str]:
    """A graph with example tensors by name of the part, or the reason why there is none.

    Args:
        model: In eval mode, on the CPU.
        size: (H, W) of the frames.
        steps: Horizon.

    Raises:
        NoGraphError: The predictor has no graph.
    """
    draw = torch.Generator().manual_seed(0)
    frames = _moving_frames(model.num_past, size, draw)
    out: dict[str, Graph | str] = {}
    try:
        out['encoder'] = encoder_graph(model, frames[0])
        levels = [level[None] for level in _outputs(out['encoder'])]
    except NoGraphError as reason:
        out['encoder'] = str(reason)
        levels = _example_maps(model, size, draw)
    given = model.predictor.channels or levels[0].shape[2]
    if given != levels[0].shape[2]:
        raise NoGraphError(
            f'{type(model).__name__} gives the predictor {given} channels, made of more than the '
            f"encoder's {levels[0].shape[2]}; graphs are of forecasters that feed the encoder's maps on"
        )
    out['predictor'] = predictor_graph(model, levels, frames, steps)
    try:
        if len(levels) > 1:
            raise NoGraphError(f'{type(model.decoder).__name__} reads several levels, in Python')
        out['decoder'] = decoder_graph(model, _outputs(out['predictor'])[0], size)
    except NoGraphError as reason:
        out['decoder'] = str(reason)
    return out


def _moving_frames(num_past: int, size: tuple[int, int], draw: torch.Generator) -> Tensor:
    """(1, num_past, 3, H, W): smooth noise that moves, so that optical flow finds something."""
    height, width = size
    small = torch.rand(1, 3, 4 + height // 16, 8 + width // 16, generator=draw)
    wide = torch.nn.functional.interpolate(small, (height, width + 2 * num_past), mode='bicubic')
    frames = [wide[..., 2 * time : 2 * time + width] for time in range(num_past)]
    return 255 * torch.stack(frames, dim=1).clamp(0, 1)


def _example_maps(model: BaseForecaster, size: tuple[int, int], draw: torch.Generator) -> list[Tensor]:
    """Random maps for a predictor whose encoder has no graph."""
    channels = model.predictor.channels or model.encoder.channels
    levels = model.predictor.num_levels or model.encoder.num_levels
    stride = getattr(model.encoder, 'stride', None) or 1
    height, width = (side // stride for side in size)
    shapes = [(1, model.num_past, channels, height >> level, width >> level) for level in range(levels)]
    return [torch.randn(shape, generator=draw).clamp(-1, 1) for shape in shapes]


def _outputs(graph: Graph) -> list[Tensor]:
    out = graph.module.eval()(*graph.inputs.values())
    return [out] if isinstance(out, Tensor) else list(out)


def _write(graph: Graph, name: str, folder: Path, format: str) -> ExportedPart:
    path = folder / f'{name}{FORMATS[format]}'
    expected = _outputs(graph)
    free = _trace(graph, path, format)
    found = open_session(path)({key: value.numpy() for key, value in graph.inputs.items()})
    difference = max(_difference(ours, theirs.numpy()) for ours, theirs in zip(found, expected))
    if not difference <= _TOLERANCE:
        path.unlink()
        raise RuntimeError(
            f'the graph of the {name} differs from PyTorch by {difference:.1e} of the largest value, more '
            f'than {_TOLERANCE:.0e}; nothing was written for it'
        )
    return ExportedPart(
        name, path.name, None, graph.kind, tuple(graph.inputs), tuple(graph.outputs), free, difference
    )


def _trace(graph: Graph, path: Path, format: str) -> dict[str, tuple[int, ...]]:
    """Write the graph; returns the axes that are free in it, none where that can not be traced."""
    arguments = tuple(graph.inputs.values())
    for free in (graph.free, {}) if graph.free else ({},):
        axes = [dict.fromkeys(free.get(name, ()), torch.export.Dim.DYNAMIC) for name in graph.inputs]
        shapes = _as_arguments(graph.module, axes)
        try:
            with _quiet():
                program = torch.export.export(graph.module, arguments, dynamic_shapes=shapes, strict=False)
                _save(program, graph, path, format)
            return {name: tuple(axes) for name, axes in free.items()}
        except Exception:
            if not free:
                raise
    raise AssertionError


def _as_arguments(module: torch.nn.Module, values: list) -> tuple:
    """The values, those of ``*args`` of the module's ``forward`` as one tuple."""
    kinds = [parameter.kind for parameter in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(values)
    first = len(kinds) - 1
    return (*values[:first], tuple(values[first:]))


def _save(program: torch.export.ExportedProgram, graph: Graph, path: Path, format: str) -> None:
    if format == 'torch-export':
        torch.export.save(program, path)
        return
    torch.onnx.export(
        program,
        dynamo=True,
        opset_version=OPSET,
        custom_translation_table=translations(),
        input_names=list(graph.inputs),
        output_names=graph.outputs,
        verbose=False,
    ).save(path)


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, relative to the largest value where that is above 1; of labels, the share."""
    if np.issubdtype(theirs.dtype, np.integer):
        return float((ours != theirs).mean())
    scale = max(1.0, float(np.abs(theirs).max()))
    return float(np.abs(ours.astype(np.float64) - theirs).max()) / scale


def _motion_config(predictor) -> dict:
    """What the host needs to observe motion as the predictor does."""
    names = ('focal', 'keep', 'yaw_acceleration', 'damping', 'region_share', 'class_scores', 'max_width')
    return dict(type='MotionForecaster', **{name: getattr(predictor, name) for name in names})


def _require(format: str) -> None:
    missing = [name for name in _NEEDED[format] if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f'the format {format!r} needs {", ".join(missing)}: pip install "mmforecast[export]"; '
            "'torch-export' needs nothing more"
        )


@contextmanager
def _quiet():
    """Without the tracers' warnings of their own internals."""
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'onnxscript', 'onnx_ir')]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
