"""Difficulty of the dataset: scores of copying the last label map and of projecting it with optical flow.

The protocol is the one of "Predicting deeper into the future of semantic segmentation" (Luc et al.,
ICCV 2017), on ground truth: inputs 3 frames apart, the target is frame 19, the last input lies 3
frames (short term) or 9 frames (mid term) before it; IoU from one confusion matrix over the whole
split, absent classes skipped.
"""

import cv2
import numpy as np

from mmforecast.utils.progress import progress_bar

from .labels import MOVING_TRAIN_IDS, NUM_CLASSES, TRAIN_NAMES, to_train_ids
from .parallel import worker_pool
from .sequence import SequenceRenderer
from .writer import ANNOTATED_FRAME

__all__ = ['BANDS', 'class_ious', 'format_report', 'measure', 'project_labels']

STRIDE = 3
HORIZONS = {'short': 1, 'mid': 3}
# Where copying the last input should score, in per cent: (horizon, figure) -> (low, high).
BANDS = {
    ('short', 'mIoU'): (45, 60),
    ('short', 'MO'): (38, 55),
    ('mid', 'mIoU'): (30, 45),
    ('mid', 'MO'): (20, 35),
}


def class_ious(confusion: np.ndarray) -> np.ndarray:
    """Per-class IoU in per cent of a (C, C) confusion matrix (rows: truth); NaN for classes without
    truth."""
    hits, truth = np.diag(confusion), confusion.sum(1)
    union = truth + confusion.sum(0) - hits
    return np.where(truth > 0, 100.0 * hits / np.maximum(union, 1), np.nan)


def _splat(maps: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Move every pixel of ``maps`` (H, W, C) by ``velocity`` (H, W, 2), bilinearly; old values
    where nothing lands."""
    height, width, channels = maps.shape
    target = velocity + np.dstack(np.meshgrid(np.arange(width), np.arange(height)))
    corner = np.floor(target).astype(int)
    weight_at, moved = np.zeros(height * width), np.zeros((height * width, channels))
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = corner[..., 0] + dx, corner[..., 1] + dy
            weight = (1 - np.abs(target[..., 0] - x)) * (1 - np.abs(target[..., 1] - y))
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            index, weight = (y * width + x)[inside], weight[inside]
            weight_at += np.bincount(index, weight, height * width)
            for channel in range(channels):
                moved[:, channel] += np.bincount(index, weight * maps[inside, channel], height * width)
    landed = weight_at > 0.25
    old = maps.reshape(-1, channels)
    return np.where(landed[:, None], moved / np.maximum(weight_at, 1e-6)[:, None], old).reshape(maps.shape)


def project_labels(labels: np.ndarray, velocity: np.ndarray, steps: int) -> np.ndarray:
    """Roll a label map on under constant motion.

    Args:
        labels: (H, W) uint8 train ids of the last input.
        velocity: (H, W, 2) pixels per step of what each pixel of the last input shows.
        steps: How many steps to go on; the velocity is carried along with what it moves.
    """
    present = np.unique(labels[labels < NUM_CLASSES])
    state = np.concatenate([labels[..., None] == present, velocity], -1).astype(np.float32)
    for _ in range(steps):
        state = _splat(state, state[..., -2:])
    return present[state[..., :-2].argmax(-1)].astype(np.uint8)


def _measure_sequence(
    seed: int, split: str, index: int, height: int, width: int
) -> dict[tuple[str, str], np.ndarray]:
    """Confusion matrices of one sequence, keyed by (horizon, method)."""
    renderer = SequenceRenderer(seed, split, index, height, width)
    frames = {}
    for step in range(5):
        number = ANNOTATED_FRAME - step * STRIDE
        rgb, surface, _ = renderer.render(number)
        frames[step] = (
            cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY),
            to_train_ids(renderer.labels_of[surface]),
        )
    truth, out = frames[0][1], {}
    flow_of = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for horizon, steps in HORIZONS.items():
        gray, labels = frames[steps]
        # Estimated from the newer to the older frame, so that it lives on the pixels that are to be
        # moved.
        velocity = -flow_of.calc(gray, frames[steps + 1][0], None)
        for method, guess in (('copy', labels), ('flow', project_labels(labels, velocity, steps))):
            known = (truth < NUM_CLASSES) & (guess < NUM_CLASSES)
            pairs = truth[known].astype(int) * NUM_CLASSES + guess[known]
            out[horizon, method] = np.bincount(pairs, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, -1)
    return out


def measure(
    seed: int = 0,
    split: str = 'val',
    sequences: int = 50,
    height: int = 128,
    width: int = 256,
    workers: int = 1,
    progress: bool = False,
) -> dict[tuple[str, str], np.ndarray]:
    """Per-class IoU (19,) in per cent over a split, keyed by (horizon 'short' or 'mid', method
    'copy' or 'flow')."""
    jobs = [(seed, split, index, height, width) for index in range(sequences)]
    if workers == 1:
        results = list(
            progress_bar((_measure_sequence(*job) for job in jobs), total=len(jobs), disable=not progress)
        )
    else:
        with worker_pool(workers) as pool:
            results = list(
                progress_bar(pool.map(_measure_sequence, *zip(*jobs)), total=len(jobs), disable=not progress)
            )
    return {key: class_ious(sum(result[key] for result in results)) for key in results[0]}


def summarize(ious: np.ndarray) -> tuple[float, float]:
    """mIoU over all classes and over the moving ones (train ids 11 to 18); absent classes are left
    out."""
    return float(np.nanmean(ious)), float(np.nanmean(ious[list(MOVING_TRAIN_IDS)]))


def format_report(ious: dict[tuple[str, str], np.ndarray]) -> str:
    """A Markdown table of the four figures per method with their bands, and one of the classes."""
    keys = [(horizon, method) for horizon in HORIZONS for method in ('copy', 'flow')]
    lines = [
        '| figure | copy-last | flow | band for copy-last | verdict |',
        '|---|---|---|---|---|',
    ]
    for horizon in HORIZONS:
        scores = {method: summarize(ious[horizon, method]) for method in ('copy', 'flow')}
        for column, figure in enumerate(('mIoU', 'MO')):
            low, high = BANDS[horizon, figure]
            copy, flow = scores['copy'][column], scores['flow'][column]
            verdict = 'ok' if low <= copy <= high and flow > copy else 'OUT'
            lines.append(f'| {horizon} {figure} | {copy:.1f} | {flow:.1f} | {low}-{high} | {verdict} |')
    lines += [
        '',
        '| class | ' + ' | '.join(f'{h} {m}' for h, m in keys) + ' |',
        '|---' * (len(keys) + 1) + '|',
    ]
    for index, name in enumerate(TRAIN_NAMES):
        lines.append(f'| {name} | ' + ' | '.join(f'{ious[key][index]:.1f}' for key in keys) + ' |')
    return '\n'.join(lines)
