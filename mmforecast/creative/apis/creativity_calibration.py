"""Confusion against KID of real images that are degraded, or hybrids: the scale of a creativity score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmforecast.creative import MISSING_LABEL
from mmforecast.creative.evaluation import (
    DEGRADATIONS,
    DegradationCurve,
    Manifold,
    confusion,
    halves_of_two_classes,
    kernel_distance,
    mixed_with,
)

from .image_features import compute
from .image_sets import ImageSet

__all__ = ['Calibration', 'Point', 'calibrate', 'calibration_figure', 'creative_percent']

REAL, HYBRID = 'real', 'hybrids'
_SHARES = (0.25, 0.5, 0.75, 1.0)  # of hybrids among real images


@dataclass(frozen=True)
class Point:
    """A set of images made of real ones.

    Attributes:
        family: 'real', a name of ``DEGRADATIONS``, or 'hybrids'.
        strength: Of the degradation; of hybrids, their share.
        kid: x1000, to the training images.
        confusion: Its mean.
        creative: Share of the images that are confusing and lie among the training images, in percent.
    """

    family: str
    strength: float
    kid: float
    confusion: float
    creative: float


@dataclass
class Calibration:
    """What :func:`calibrate` finds.

    Attributes:
        points: By attribute.
    """

    points: dict[str, list[Point]] = field(default_factory=dict)

    def curve(self, attribute: str) -> DegradationCurve:
        """The confusion that degradation reaches, by KID x1000."""
        points = [point for point in self.points[attribute] if point.family != HYBRID]
        return DegradationCurve([point.kid for point in points], [point.confusion for point in points])

    def most_creative(self, attribute: str) -> float:
        """The largest ``creative`` of real and degraded images, which no mixture of them exceeds."""
        return max(point.creative for point in self.points[attribute] if point.family != HYBRID)

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per point and attribute, with the excess over the curve, for a table."""
        return [
            dict(
                attribute=attribute,
                images=point.family,
                strength=point.strength,
                **{
                    'KID x1000': point.kid,
                    'confusion': point.confusion,
                    'creative %': point.creative,
                    'excess': self.curve(attribute).excess(point.kid, point.confusion),
                    'creative excess': point.creative - self.most_creative(attribute),
                },
            )
            for attribute, points in self.points.items()
            for point in points
        ]


def creative_percent(inside: np.ndarray, vague: np.ndarray, limit: float) -> float:
    """The share of images that lie among the training images and are confusing, in percent.

    Args:
        inside: Bool (N,), whether an image lies in a ball of the manifold.
        vague: (N,), its confusion.
        limit: The confusion above which it is confusing.
    """
    return 100 * float((inside & (vague > limit)).mean())


def calibrate(
    real: ImageSet,
    train_features: np.ndarray,
    judges: Sequence[Any],
    features: Callable[[Tensor], Tensor],
    manifold: Manifold,
    limits: Mapping[str, float],
    limit: int = 500,
    seed: int = 0,
) -> Calibration:
    """Measure KID and confusion of real images, of degraded ones and of hybrids.

    Hybrids are halves of images of two classes of the attribute, side by side; the other attributes of their
    halves are left to chance.

    Args:
        real: Held-out real images with labels.
        train_features: (N, D), what KID is measured to.
        judges: See :func:`~mmforecast.creative.apis.evaluate_images.judge_attributes`.
        features: What KID is measured in.
        manifold: Of ``train_features``.
        limits: By attribute, the confusion above which an image is confusing.
        limit: Images that are used, drawn at random.
        seed: Of all draws.
    """
    chosen = np.random.default_rng(seed).permutation(len(real))[:limit]
    images = real.images[torch.from_numpy(chosen)]
    found = Calibration({judge.attribute: [] for judge in judges})

    def add(family: str, strength: float, changed: Tensor, of: Sequence[Any]) -> None:
        own = compute(features, changed)[0]
        kid = 1000 * kernel_distance(own, train_features, subsets=20, seed=seed)
        inside = manifold.counts(own)[0] > 0
        for judge in of:
            vague = confusion(compute(judge.network, changed)[0])
            creative = creative_percent(inside, vague, limits[judge.attribute])
            point = Point(family, float(strength), kid, float(vague.mean()), creative)
            found.points[judge.attribute].append(point)

    add(REAL, 0.0, images, judges)
    for family, (strengths, degrade) in DEGRADATIONS.items():
        for strength in strengths:
            add(family, strength, degrade(images, strength), judges)
    for judge in judges:
        labels = real.labels[judge.attribute][chosen]
        labeled = images[torch.from_numpy(labels != MISSING_LABEL)]
        hybrids = halves_of_two_classes(images, labels, seed)
        for share in _SHARES:
            add(HYBRID, share, mixed_with(labeled, hybrids, share), [judge])
    return found


def calibration_figure(
    calibration: Calibration, attribute: str, rows: Sequence[dict], path: Path, title: str = ''
) -> None:
    """Draw confusion against KID: the degradations, the curve above them, hybrids, and generated sets.

    Args:
        calibration: Its points.
        attribute: Of the figure.
        rows: Of an evaluation, the real images' first; a name may occur for several seeds.
        path: Of the picture.
        title: Above the axes.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    points = calibration.points[attribute]
    sets = [(row['set'], row['KID x1000'], row[f'{attribute} confusion']) for row in rows[1:]]
    most = 1.1 * max([point.kid for point in points] + [kid for _, kid, _ in sets])
    figure, axes = plt.subplots(figsize=(8, 4.4), layout='constrained')
    line = np.linspace(0, most, 400)
    curve = calibration.curve(attribute)
    axes.plot(line, [curve(kid) for kid in line], color='0.35', label='degradation curve')
    axes.fill_between(line, 0, [curve(kid) for kid in line], color='0.93')
    real = [point for point in points if point.family == REAL]
    for family, marker in zip((*DEGRADATIONS, HYBRID), 'osv*'):
        own = real + [point for point in points if point.family == family]
        style = dict(linewidth=2, markersize=9) if family == HYBRID else dict(linestyle=':', markersize=4)
        axes.plot([p.kid for p in own], [p.confusion for p in own], marker=marker, label=family, **style)
    for number, name in enumerate(dict.fromkeys(name for name, _, _ in sets)):
        own = [(kid, value) for other, kid, value in sets if other == name]
        color = plt.get_cmap('tab20')(number % 20)
        axes.scatter(*zip(*own), s=45, color=color, edgecolor='black', zorder=3, label=name)
    axes.set(xlabel='KID x1000 to the training images', ylabel=f'{attribute} confusion', title=title)
    # in the root of KID the curve is made of straight lines
    axes.set_xscale('function', functions=(lambda kid: np.sqrt(np.maximum(kid, 0)), np.square))
    axes.set_xlim(0, most)
    axes.legend(fontsize=8, loc='center left', bbox_to_anchor=(1.01, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
