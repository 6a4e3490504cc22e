"""Scores of forecast frames, per roll-out step: PSNR, SSIM, sharpness difference, energy and LPIPS."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmforecast.evaluation.functional import (
    ICLR16_GATE,
    gradient_energy,
    load_lpips,
    lpips_distance,
    psnr,
    psnr_iclr16,
    sharpness_difference,
    sharpness_iclr16,
    ssim,
    ssim_iclr16,
)
from mmforecast.evaluation.table import format_table
from mmforecast.registry import METRICS
from mmforecast.utils.checks import check_above, check_choice
from mmforecast.utils.text import plural

from .clips import (
    STEPS,
    as_choices,
    clip_dicts,
    clip_name,
    common_seconds,
    require_clips,
    require_one_horizon,
    seconds_per_step,
)
from .future_frames import MASKS, forecast_frames, moving_masks, true_frames

PROTOCOLS = ('standard', 'iclr16')

_STANDARD = {'PSNR': psnr, 'SSIM': ssim, 'sharpness': sharpness_difference, 'energy': gradient_energy}
_ICLR16 = {'PSNR': psnr_iclr16, 'SSIM': ssim_iclr16, 'sharpness': sharpness_iclr16}
# What is appended to a score's name, by protocol and by where the mask of moving pixels comes from.
_SUFFIX = {
    ('standard', 'flow'): '-MO',
    ('standard', 'given'): '-MO-given',
    ('iclr16', 'given'): '-iclr16',
    ('iclr16', 'flow'): '-iclr16-flow',
}
# dB; a frame without any error has infinitely many, and would be all there is to see of a mean.
_CAP = 100.0


@METRICS.register_module()
class FramePredictionMetric(BaseMetric):
    """PSNR, SSIM, sharpness difference and energy of forecast frames, whole and in moving areas.

    Step ``k`` of ``pred_frames`` is scored against frame ``num_past + k`` of the clip. Each score is of one
    frame and is averaged over the clips. dB are cut off at 100, so that one exact forecast doesn't make a mean
    infinite. Definitions: ``evaluation/functional/image_quality.py`` and ``image_quality_iclr16.py``.

    Keys of the result:

    - ``PSNR`` (dB), ``SSIM`` (up to 1), ``sharpness`` (difference, in dB: more is better), ``energy`` (1 is as
      sharp as the truth): whole frames, last step.
    - ``PSNR-MO``, ``SSIM-MO``, ``sharpness-MO``, ``energy-MO``: over the pixels that move by our own optical
      flow; clips without one don't count. ``-MO-given`` where the mask is the sample's ``gt_motion_mask``.
    - ``PSNR-iclr16``, ``SSIM-iclr16``, ``sharpness-iclr16``: the protocol of the authors of "Deep multi-scale
      video prediction", with their masks (``gt_motion_mask``), over clips below 50 dB of PSNR at that step.
      ``-iclr16-flow`` where the mask is of our own flow, which is another protocol.
    - ``LPIPS``: whole frames; less is better.
    - ``t+1/PSNR``, ``t+2/SSIM-MO``, ...: every step, counted in roll-out steps, not frames.

    A score that no clip has is NaN.

    Args:
        protocols: 'standard', 'iclr16' (which needs masks) or both.
        mask: Where moving pixels are read from: 'given', the samples' ``gt_motion_mask``; 'flow', see
            :func:`~mmforecast.evaluation.functional.motion.moving_pixels`; 'auto', given where a sample has it
            and else flow; 'none' reports whole frames alone.
        motion_threshold: Flow, in pixels per frame of the clip, from which on a pixel moves.
        lpips: Path of the TorchScript file of an LPIPS network; see
            :func:`~mmforecast.evaluation.functional.perceptual.load_lpips`. None: no LPIPS.
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key, as in ``prefix/PSNR``.
    """

    default_prefix = ''  # mmengine warns of None

    def __init__(
        self,
        protocols: Sequence[str] = ('standard',),
        mask: str = 'auto',
        motion_threshold: float = 1.0,
        lpips: str | None = None,
        steps: str = 'all',
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        protocols = as_choices('FramePredictionMetric', PROTOCOLS, protocols=protocols)
        check_choice('FramePredictionMetric', MASKS, mask=mask)
        check_choice('FramePredictionMetric', STEPS, steps=steps)
        check_above('FramePredictionMetric', 0, motion_threshold=motion_threshold)
        if mask == 'none' and 'iclr16' in protocols:
            raise ValueError("protocol 'iclr16' is of moving pixels: set mask to 'auto', 'given' or 'flow'")
        self.protocols = protocols
        self.mask = mask
        self.motion_threshold = motion_threshold
        self.lpips = None if lpips is None else load_lpips(lpips)
        self.steps = steps

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the scores of each clip, never its frames.

        Args:
            data_batch: Its ``inputs`` are the clips, (T, 3, H, W) RGB each; without them the samples'
                ``gt_frames`` are the truth.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        clips = (data_batch or {}).get('inputs')
        for index, sample in enumerate(clip_dicts(data_samples)):
            self.results.append(self._score_clip(sample, None if clips is None else clips[index]))

    def _score_clip(self, sample: dict, clip: Any) -> dict[str, Any]:
        """Scores (n,) by name, NaN where a step has none, and the seconds between steps."""
        name = clip_name(sample)
        pred = forecast_frames(sample, name)
        observed, truth = true_frames(sample, clip, pred, name)
        source, masks = moving_masks(sample, observed, truth, self.mask, self.motion_threshold, name)
        rows = [
            dict(self._scores_of_frame(*frames, source)) for frames in zip(pred, truth, masks, strict=True)
        ]
        scores = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        return {**scores, 'seconds': seconds_per_step(sample)}

    def _scores_of_frame(
        self, pred: np.ndarray, truth: np.ndarray, moving: np.ndarray | None, source: str | None
    ) -> Iterator[tuple[str, float]]:
        """Names and scores of one forecast frame."""
        if 'standard' in self.protocols:
            for name, score in _STANDARD.items():
                yield name, np.minimum(score(pred, truth), _CAP)
                if source is not None:
                    suffix = _SUFFIX['standard', source]
                    yield name + suffix, np.minimum(score(pred, truth, moving), _CAP)
        if 'iclr16' in self.protocols:
            suffix = _SUFFIX['iclr16', source]
            scores = {name: score(pred, truth, moving) for name, score in _ICLR16.items()}
            for name, value in scores.items():
                yield name + suffix, value if scores['PSNR'] < ICLR16_GATE else np.nan
        if self.lpips is not None:
            yield 'LPIPS', lpips_distance(self.lpips, pred, truth)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over clips; log the scores step by step, with the clips behind those of moving areas.

        Raises:
            ValueError: There are no clips, or they differ in their number of steps.
        """
        require_clips(self, results)
        names = dict.fromkeys(key for clip in results for key in clip if key != 'seconds')
        scores = {name: _by_clip(results, name) for name in sorted(names, key=_order)}
        means = {name: _mean_over_clips(values) for name, values in scores.items()}
        self._log(scores, means, results)
        metrics = {name: float(values[-1]) for name, values in means.items()}
        if self.steps == 'all':
            for step in range(len(next(iter(means.values())))):
                metrics.update({f't+{step + 1}/{name}': float(values[step]) for name, values in means.items()})
        return metrics

    def _log(self, scores: dict, means: dict, results: list[dict]) -> None:
        seconds = common_seconds(results)
        rows = []
        for step in range(len(next(iter(means.values())))):
            row = {'step': f't+{step + 1}', 'seconds': seconds and (step + 1) * seconds}
            row.update({name: float(values[step]) for name, values in means.items()})
            for suffix in _SUFFIX.values():
                if f'PSNR{suffix}' in scores:
                    counted = ~np.isnan(scores[f'PSNR{suffix}'][:, step])
                    row[f'clips{suffix}'] = int(counted.sum())
            rows.append(row)
        print_log('\n' + format_table(rows, decimals=3), logger='current', level=logging.INFO)
        missing = [name for name, values in means.items() if np.isnan(values).any()]
        if missing:
            print_log(
                f'FramePredictionMetric: at some step no frame of {plural(len(results), "clip")} counts '
                f'for {missing}, which are NaN there: nothing moves, or all have {ICLR16_GATE:g} dB (iclr16)',
                logger='current',
                level=logging.WARNING,
            )


def _order(name: str) -> tuple[int, int]:
    """Whole frames before moving areas, and the scores in the order of their definition."""
    score, dash, rest = name.partition('-')
    return (
        ('', *_SUFFIX.values()).index(dash + rest),
        (*_STANDARD, 'LPIPS').index(score),
    )


def _by_clip(results: list[dict], name: str) -> np.ndarray:
    """(clips, n) of a score, of the clips that have it."""
    scores = [result[name] for result in results if name in result]
    require_one_horizon(scores)
    return np.stack(scores)


def _mean_over_clips(scores: np.ndarray) -> np.ndarray:
    """(n,) of (clips, n), over what isn't NaN; NaN where there is nothing."""
    counted = ~np.isnan(scores)
    total, number = np.where(counted, scores, 0).sum(axis=0), counted.sum(axis=0)
    return np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
