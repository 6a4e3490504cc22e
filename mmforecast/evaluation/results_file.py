"""Files of forecasts, to score them again without the network.

A file is a pickle of plain containers, numpy arrays and run-length encoded masks, so that reading it runs no
code. It holds the forecasts alone: the truth comes from the dataset.
"""

import os
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from pycocotools import mask as rle

from mmforecast.fileio import load_pickle, partial_file
from mmforecast.structures import ForecastDataSample

__all__ = ['forecast_record', 'read_results', 'restore_forecast', 'write_results']

_KIND = 'mmforecast results'
_VERSION = 1
# What metrics read of a forecast; scores before the softmax are many times as large, and none reads them.
_PREFIXES = ('pred_', 'ref_')
_LEFT_OUT = ('pred_scores',)
# The protocol that the safe reader knows the arrays of.
_PROTOCOL = 4
_MAX_PIXELS = 2**28


def forecast_record(clip: Mapping[str, Any], forecast: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of one clip.

    Args:
        clip: Fields and metainfo of the clip's ``ForecastDataSample``, which name it.
        forecast: The same, or those of the sample of a detector whose neck forecasts.

    Returns:
        ``sequence_id`` and ``frame_names`` of the clip; ``fields``, plain ``pred_*`` and ``ref_*`` by name;
        and ``step`` where the forecast has one.

    Raises:
        ValueError: There is no forecast, or it holds more than tensors.
    """
    names = [name for name in forecast if name.startswith(_PREFIXES) and name not in _LEFT_OUT]
    fields = {name: _to_plain(forecast[name], name) for name in names if forecast[name] is not None}
    if not fields:
        raise ValueError(
            f"clip '{clip.get('sequence_id', 'unknown')}' has no forecast to write: its sample has neither "
            'pred_* nor ref_* fields'
        )
    record = dict(
        sequence_id=str(clip['sequence_id']), frame_names=list(map(str, clip['frame_names'])), fields=fields
    )
    if 'step' in forecast:
        record['step'] = int(forecast['step'])
    return record


def write_results(path: str | os.PathLike, records: Sequence[dict]) -> None:
    """Write the entries of a dataset's clips, in its order; the file appears once it is whole."""
    with partial_file(path) as partial, open(partial, 'wb') as handle:
        content = dict(kind=_KIND, version=_VERSION, results=list(records))
        pickle.dump(content, handle, protocol=_PROTOCOL)
        handle.flush()
        os.fsync(handle.fileno())


def read_results(path: str | os.PathLike) -> list[dict]:
    """The entries of a file of :func:`write_results`.

    Raises:
        ValueError: The file is broken, holds more than plain values, or is of another kind or version.
        FileNotFoundError: There is no such file.
    """
    content = load_pickle(path)
    if not isinstance(content, dict) or content.get('kind') != _KIND:
        raise ValueError(
            f'{path} is no file of forecasts: write one with tools/test.py CONFIG CHECKPOINT --out FILE.pkl'
        )
    if content.get('version') != _VERSION:
        raise ValueError(
            f'{path} has version {content.get("version")!r} of the format, and this mmforecast reads '
            f'version {_VERSION}: write it again with tools/test.py'
        )
    results = content.get('results')
    if not isinstance(results, list) or not all(map(_is_record, results)):
        raise ValueError(f'{path} is damaged: it holds no list of forecasts; write it again')
    return results


def restore_forecast(record: dict, clip: ForecastDataSample) -> ForecastDataSample | dict[str, Any]:
    """The output of the model for a clip.

    Args:
        record: An entry of :func:`read_results`.
        clip: The clip's sample from the dataset. It is not changed.

    Returns:
        A copy of ``clip`` with the forecast; for a detector's, which has a ``step``, a dict of its fields.

    Raises:
        ValueError: The entry is of another clip, or it is damaged.
    """
    name = f"'{record['sequence_id']}' {record['frame_names']}"
    own = str(clip.sequence_id), list(map(str, clip.frame_names))
    if (record['sequence_id'], record['frame_names']) != own:
        raise ValueError(
            f"the forecast of clip {name} stands where the data set has clip '{own[0]}' {own[1]}: score it "
            'with the config, the --cfg-options and the data that it was made with'
        )
    try:
        fields = {_checked_name(field): _from_plain(value) for field, value in record['fields'].items()}
        if 'step' in record:
            return dict(fields, step=int(record['step']))
        sample = clip.new()
        for field, value in fields.items():
            setattr(sample, field, _as_element(value))
    except (TypeError, ValueError, KeyError, AttributeError, AssertionError, OverflowError) as error:
        raise ValueError(f'the forecast of clip {name} is damaged ({error}); write the file again') from error
    return sample


def _is_record(record: Any) -> bool:
    types = dict(sequence_id=str, frame_names=list, fields=dict)
    return isinstance(record, dict) and all(isinstance(record.get(key), kind) for key, kind in types.items())


def _checked_name(field: Any) -> str:
    if not isinstance(field, str) or not field.startswith(_PREFIXES):
        raise ValueError(f'it holds a field {field!r}')
    return field


def _to_plain(value: Any, name: str) -> Any:
    """Arrays, and dicts and lists of them; ``masks`` as run lengths."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return _smallest((value.float() if value.dtype == torch.bfloat16 else value).numpy())
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return _smallest(value)
    if isinstance(value, BaseDataElement):
        if 'instance_classes' in value:
            raise ValueError(
                f"{name} holds classes of the detector's own, but only Cityscapes' can be written: set "
                "classes='cityscapes' of the encoder"
            )
        value = dict(value.items())
    if isinstance(value, Mapping):
        return {
            key: _encode_masks(item) if key == 'masks' else _to_plain(item, f'{name}.{key}')
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_to_plain(item, name) for item in value]
    raise ValueError(f'{name} holds {type(value).__name__}, but only forecasts made of tensors can be written')


def _smallest(array: np.ndarray) -> np.ndarray:
    """Label maps of eight bytes a pixel as bytes."""
    is_label_map = array.ndim > 1 and array.dtype.kind in 'iu' and array.dtype.itemsize > 1
    if is_label_map and array.size and 0 <= array.min() and array.max() <= 255:
        return array.astype(np.uint8)
    return np.ascontiguousarray(array)


def _encode_masks(masks: torch.Tensor | np.ndarray) -> dict[str, Any]:
    masks = masks.detach().cpu().numpy() if isinstance(masks, torch.Tensor) else np.asarray(masks)
    if masks.ndim != 3 or masks.dtype != bool:
        raise ValueError(f'masks are {masks.dtype} {masks.shape}, but only bool (N, H, W) can be written')
    encoded = [rle.encode(np.asfortranarray(mask, dtype=np.uint8))['counts'] for mask in masks]
    return dict(size=list(masks.shape[1:]), counts=encoded)


def _from_plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, subok=False))
    if isinstance(value, dict):
        return {
            key: _decode_masks(item) if key == 'masks' else _from_plain(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_from_plain(item) for item in value]
    raise TypeError(f'it holds {type(value).__name__} where an array is expected')


def _decode_masks(encoded: dict[str, Any]) -> torch.Tensor:
    height, width = map(int, encoded['size'])
    if min(height, width) < 0 or height * width > _MAX_PIXELS:
        raise ValueError(f'it holds masks of {height}x{width} pixels')
    masks = np.zeros((len(encoded['counts']), height, width), dtype=bool)
    for mask, counts in zip(masks, encoded['counts']):
        mask[:] = rle.decode([dict(size=[height, width], counts=counts)])[..., 0]
    return torch.from_numpy(masks)


def _as_element(value: Any) -> Any:
    """A field of ``ForecastDataSample``: label maps, instances by step, or frames."""
    if isinstance(value, dict):
        if value['data'].ndim != 3 or value['data'].is_floating_point():
            raise ValueError('its label maps are no integers (n, H, W)')
        return PixelData(**value)
    if isinstance(value, list):
        if any(step and not _is_complete(step) for step in value):
            raise ValueError('its instances lack labels, scores or both masks and bboxes')
        return [InstanceData(**step) for step in value]
    return value


def _is_complete(step: dict) -> bool:
    return {'labels', 'scores'} <= step.keys() and ('masks' in step or 'bboxes' in step)
