"""Facts of a clip that pictures need: its time axis, labels, instances and size."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmforecast.structures import ForecastDataSample, fill_boxes

TRUTH = 'truth'
NETWORK = 'network on the true frame'


def to_numpy(values) -> np.ndarray:
    """An array of a tensor on any device, or of anything numpy reads."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def rgb_frames(frames) -> list[np.ndarray]:
    """Frames to draw, uint8 (H, W, 3) each.

    Args:
        frames: RGB in [0, 255], a tensor (n, 3, H, W), or an array or a list of arrays (n, H, W, 3). Floats
            are rounded, and what is outside the range is clipped.

    Raises:
        ValueError: ``frames`` has another shape.
    """
    if isinstance(frames, torch.Tensor) and frames.ndim == 4:
        frames = frames.permute(0, 2, 3, 1)
    frames = to_numpy(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            f'frames must be a tensor (n, 3, H, W) or an array (n, H, W, 3), RGB, got shape {frames.shape}'
        )
    if frames.dtype != np.uint8:
        frames = frames.round().clip(0, 255).astype(np.uint8)
    return [np.ascontiguousarray(frame) for frame in frames]


def time_heading(offset: int, stride: int | None = None, fps: float | None = None) -> str:
    """Time of a clip frame seen from the last input frame.

    Args:
        offset: Position in the clip minus the last input's; negative for the past.
        stride: Frames of the recording from one clip frame to the next; 1 if unknown.
        fps: Frames of the recording per second; without it time is counted in frames.

    Returns:
        't', 't - 0.53 s' and 't + 0.18 s', or 't - 9' and 't + 3'.
    """
    if offset == 0:
        return 't'
    frames = abs(offset) * (stride or 1)
    amount = f'{frames / fps:.2f} s' if fps else str(frames)
    return f't {"-" if offset < 0 else "+"} {amount}'


def sample_headings(sample: ForecastDataSample, num_steps: int) -> list[str]:
    """:func:`time_heading` of the past frames and of ``num_steps`` frames after them.

    Where the sample has ``frame_times`` (seconds of each of these frames), they are the times.
    """
    times = sample.get('frame_times')
    if times is not None and len(times) >= sample.num_past + num_steps:
        seconds = [time - times[sample.num_past - 1] for time in times[: sample.num_past + num_steps]]
        return [
            't' if index == sample.num_past - 1 else f't {"-" if value < 0 else "+"} {abs(value):.2f} s'
            for index, value in enumerate(seconds)
        ]
    offsets = range(1 - sample.num_past, num_steps + 1)
    return [time_heading(offset, sample.get('stride'), sample.get('fps')) for offset in offsets]


def known_titles(sample: ForecastDataSample) -> dict[str, str]:
    """Titles of what is known of future frames, by kind: 'frames', 'labels', 'instances' and 'panoptic'.

    The truth has been recorded or annotated. Where :func:`known_labels` and the like fall back on what a
    network makes of the true frame, the title says so.
    """
    believes = dict(
        labels='ref_sem_seg' in sample or 'scores' in sample,
        instances='ref_instances' in sample,
        panoptic='ref_panoptic' in sample,
    )
    future = slice(sample.num_past, None)
    annotated = dict(labels=[], instances=[], panoptic=[])
    if 'gt_sem_seg' in sample:
        labelled = sample.get('labelled') or [True] * len(sample.gt_sem_seg.data)
        annotated['labels'] = labelled[future]
    if 'gt_instance_map' in sample:
        annotated['instances'] = (sample.gt_instance_map.data >= 0).flatten(1).any(1).tolist()[future]
        annotated['panoptic'] = annotated['instances']
    titles = dict(frames=TRUTH)
    for kind, known in annotated.items():
        if not believes[kind] or (known and all(known)):
            titles[kind] = TRUTH
        else:
            titles[kind] = f'{TRUTH}, else {NETWORK}' if any(known) else NETWORK
    return titles


def known_labels(sample: ForecastDataSample) -> list[np.ndarray | None]:
    """The best available label map of each of the T clip frames, None where there is none.

    Ground truth first; then, for future frames, the segmentor's own output (``ref_sem_seg``); then
    the argmax of the loaded scores.
    """
    num_frames = sample.num_past + sample.num_future
    labels: list[np.ndarray | None] = [None] * num_frames
    if 'scores' in sample:
        labels = _filled(labels, to_numpy(sample.scores.argmax(1)), 0)
    if 'ref_sem_seg' in sample:
        labels = _filled(labels, to_numpy(sample.ref_sem_seg.data), sample.num_past)
    if 'gt_sem_seg' in sample:
        truth = to_numpy(sample.gt_sem_seg.data)
        labelled = sample.get('labelled') or [True] * len(truth)
        labels = _filled(
            labels,
            [item if known else None for item, known in zip(truth, labelled, strict=True)],
            0,
        )
    return labels


def known_instances(sample: ForecastDataSample) -> list[InstanceData | None]:
    """The best available instances of each of the T clip frames, None where there are none.

    Ground truth first, also where a labeled frame has no instance in it; then, for future frames,
    what the detector finds in the true frame (``ref_instances``). In past frames the tracked objects
    that a forecast started from (``past_instances``) come before all, so that they have its colors.
    """
    known: list[InstanceData | None] = [None] * (sample.num_past + sample.num_future)
    if 'ref_instances' in sample:
        found = [fill_boxes(step, sample.get('img_shape')) for step in sample.ref_instances]
        known = _filled(known, found, sample.num_past)
    if 'gt_instance_map' in sample:
        labelled = (sample.gt_instance_map.data >= 0).flatten(1).any(1).tolist()
        truth = zip(sample.gt_instances, labelled, strict=True)
        known = _filled(known, [item if there else None for item, there in truth], 0)
    if 'past_instances' in sample:
        known = _filled(known, sample.past_instances[: sample.num_past], 0)
    return known


def _filled(known: list, found: Sequence, start: int) -> list:
    """``known`` with those of ``found`` that exist, put in from position ``start``."""
    result = list(known)
    for position, item in enumerate(found, start=start):
        if item is not None and position < len(result):
            result[position] = item
    return result


def clip_frames(frames, sample: ForecastDataSample) -> list[np.ndarray | None]:
    """The RGB frames of a clip, by position; None for those that were not loaded.

    Args:
        frames: uint8 (T, H, W, 3) array, or (T, 3, H, W) tensor as packed for the model; T may
            stop after the past. None, or frames without pixels, if none are known.
        sample: Gives ``num_past`` and ``num_future``.

    Raises:
        ValueError: ``frames`` has another number of dimensions, or fewer than the past frames.
    """
    num_frames = sample.num_past + sample.num_future
    if frames is None or 0 in frames.shape:
        return [None] * num_frames
    if isinstance(frames, torch.Tensor):
        frames = to_numpy(frames.permute(0, 2, 3, 1))
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            f'frames must be a (T, H, W, 3) array or a (T, 3, H, W) tensor, got shape {tuple(frames.shape)}'
        )
    if len(frames) < sample.num_past:
        raise ValueError(f'frames holds {len(frames)} frames, but the clip has {sample.num_past} past frames')
    frames = [np.ascontiguousarray(frame, dtype=np.uint8) for frame in frames[:num_frames]]
    return frames + [None] * (num_frames - len(frames))


def known_pictures(frames, sample: ForecastDataSample, num_steps: int) -> tuple[list, list, list]:
    """What is known of the past and of ``num_steps`` frames after it, None where nothing is.

    A forecast may be shorter than the clip's future, or run past it; there nothing is known.

    Returns:
        :func:`clip_frames`, :func:`known_labels` and :func:`known_instances`.
    """
    missing = [None] * max(0, num_steps - sample.num_future)
    total = sample.num_past + num_steps
    known = (clip_frames(frames, sample), known_labels(sample), known_instances(sample))
    return tuple((items + missing)[:total] for items in known)


def panel_size(pictures: Sequence, height: int) -> tuple[int, int]:
    """(height, width) of a panel in the shape of the first picture that is there.

    Args:
        pictures: RGB frames, label maps, panoptic maps or InstanceData with masks, in any mixture; or None.
        height: Pixels.
    """
    for picture in pictures:
        if isinstance(picture, InstanceData):
            picture = picture.masks[0] if len(picture) else None
        if picture is not None:
            return height, max(1, round(height * picture.shape[1] / picture.shape[0]))
    raise ValueError('nothing to draw: the clip has neither frames nor label maps nor instances')


def instance_classes(meta: Mapping) -> tuple[str, ...] | None:
    """Names of the instance labels: the dataset's moving classes, in the order of their ids.

    Args:
        meta: A dataset's metainfo. Its ``instance_classes`` come first; without them, None is returned unless
            it has ``classes`` and ``moving_ids``.
    """
    if meta.get('instance_classes') is not None:
        return tuple(meta['instance_classes'])
    if meta.get('classes') is None or meta.get('moving_ids') is None:
        return None
    return tuple(meta['classes'][index] for index in meta['moving_ids'])


def classes_shown(label_maps: Sequence[np.ndarray | None], num_classes: int) -> list[int]:
    """Class ids that appear in any of the maps, in order."""
    seen = [np.unique(label_map) for label_map in label_maps if label_map is not None]
    ids = np.unique(np.concatenate(seen)) if seen else []
    return [int(index) for index in ids if 0 <= index < num_classes]
