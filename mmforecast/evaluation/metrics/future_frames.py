"""Readers of forecast frames, the true frames, and the masks of moving pixels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mmforecast.evaluation.functional import moving_pixels

from .clips import check_horizon, label_maps, size_text

MASKS = ('auto', 'given', 'flow', 'none')


def forecast_frames(sample: dict, name: str) -> np.ndarray:
    """``pred_frames`` of a sample, float64 (n, 3, H, W) RGB in [0, 255].

    Raises:
        ValueError: There are none.
    """
    if sample.get('pred_frames') is None:
        raise ValueError(
            f'{name} has no pred_frames: FramePredictionMetric needs a forecaster whose decoder writes frames'
        )
    return _as_array(sample['pred_frames'])


def true_frames(sample: dict, clip: Any, pred: np.ndarray, name: str) -> tuple[np.ndarray | None, np.ndarray]:
    """The last observed frame (3, H, W), None if unknown, and the true frames of the steps of ``pred``.

    Args:
        sample: Its ``num_past`` says where the future of the clip begins; its ``gt_frames`` are the future if
            there is no clip.
        clip: (T, 3, H, W) RGB in [0, 255], or None.
        pred: (n, 3, H, W).
        name: Of the clip, for errors.

    Raises:
        ValueError: There is no true frame for a step, or one of another size.
    """
    if clip is not None and 0 not in clip.shape[-2:]:
        frames, num_past = _as_array(clip), sample['num_past']
        observed, truth = frames[num_past - 1], frames[num_past:]
    elif sample.get('gt_frames') is not None:
        observed, truth = None, _as_array(sample['gt_frames'])
    else:
        raise ValueError(
            f'{name} comes without its true frames: add LoadClipFrames to the pipeline, and pass '
            "process() the batch, whose 'inputs' are the clips"
        )
    check_horizon(name, len(pred), len(truth), 'the clip carries', 'future frame')
    truth = truth[: len(pred)]
    if pred.shape != truth.shape:
        raise ValueError(
            f'{name}: forecast frames are {size_text(pred)} but the true ones are '
            f'{size_text(truth)} (height x width): let the decoder resize its frames, or bring the '
            'clip to the size of the forecast with ClipResize'
        )
    return observed, truth


def moving_masks(
    sample: dict,
    observed: np.ndarray | None,
    truth: np.ndarray,
    mask: str,
    threshold: float,
    name: str,
) -> tuple[str | None, Sequence]:
    """The source of the masks of moving pixels, and the n masks (H, W) of the true frames.

    Args:
        sample: May have ``gt_motion_mask``, PixelData (n, H, W).
        observed, truth: See :func:`true_frames`.
        mask: One of :data:`MASKS`.
        threshold: For :func:`moving_pixels`.
        name: Of the clip, for errors.

    Returns:
        'given' or 'flow' and the masks; None and n times None for ``mask='none'``.
    """
    if mask == 'none':
        return None, [None] * len(truth)
    given = None if mask == 'flow' else label_maps(sample, 'gt_motion_mask')
    if given is not None:
        if len(given) < len(truth) or given.shape[1:] != truth.shape[2:]:
            raise ValueError(
                f'{name}: gt_motion_mask is {given.shape}, but the forecast needs '
                f'{(len(truth), *truth.shape[2:])} (steps, height, width): load a mask for each step, '
                'at the size of the frames'
            )
        return 'given', given[: len(truth)].astype(bool)
    if mask == 'given':
        raise ValueError(f"{name} has no gt_motion_mask: let the pipeline load one, or set mask='flow'")
    if observed is None:
        raise ValueError(
            f'{name}: a motion mask by flow starts from the last observed frame, and process() got no '
            "clip: pass it the batch, or set mask='none'"
        )
    return 'flow', moving_pixels(np.concatenate([observed[None], truth]), threshold)


def _as_array(frames: Any) -> np.ndarray:
    frames = frames.detach().cpu() if isinstance(frames, torch.Tensor) else frames
    return np.asarray(frames, dtype=np.float64)
