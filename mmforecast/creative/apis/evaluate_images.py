"""Generated images against real ones: attribute scores, novelty, copies, FID and KID, light."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from mmforecast.creative import MISSING_LABEL
from mmforecast.creative.evaluation import (
    Manifold,
    ReferenceCheck,
    am_score,
    attribute_score,
    check_reference,
    confusion,
    copied_share,
    frechet_distance,
    image_statistics,
    kernel_distance,
    nearest,
    required_accuracy,
)
from mmforecast.creative.models.classifiers import AttributeClassifier
from mmforecast.utils.checks import check_between

from .creativity_calibration import Calibration, calibrate, creative_percent
from .image_features import compute
from .image_sets import ImageSet

__all__ = ['Evaluation', 'Judge', 'REAL', 'evaluate_sets', 'judge_attributes']

REAL = 'real (held out)'


@dataclass
class Judge:
    """One attribute's classifier, known to be good enough.

    Attributes:
        attribute: What it sorts by.
        network: Gives (N, K) probabilities.
        accuracy: In percent, on the held-out real images that are labeled.
    """

    attribute: str
    network: Callable[[Tensor], Tensor]
    accuracy: float


@dataclass
class Evaluation:
    """What :func:`evaluate_sets` finds.

    Attributes:
        rows: One mapping per set, the real one first, for ``format_table``.
        per_image: One mapping per image of all sets, with ``set`` and ``image``.
        neighbors: By position in ``rows``, the distances and numbers (N, k) of the nearest training images.
        calibration: Where it was asked for.
        reference: Whether the held-out images are of the distribution of the training images, where it was
            asked for.
    """

    rows: list[dict] = field(default_factory=list)
    per_image: list[dict] = field(default_factory=list)
    neighbors: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    calibration: Calibration | None = None
    reference: ReferenceCheck | None = None


def judge_attributes(
    classifier: AttributeClassifier,
    held_out: ImageSet,
    trained_on: dict[str, tuple[str, ...]] | None = None,
) -> tuple[list[Judge], list[str]]:
    """Which attributes a classifier may score: those that it tells apart on real images.

    Args:
        classifier: In eval mode.
        held_out: Real images that it wasn't trained on, with labels.
        trained_on: Class names by attribute, where its checkpoint has them.

    Returns:
        The judges, and one sentence for each attribute that is refused.

    Raises:
        ValueError: The classes of the classifier are not those of the data.
    """
    judges, notes = [], []
    probabilities = dict(zip(classifier.attributes, compute(classifier.classify, held_out.images)[1:]))
    for attribute, classes in classifier.attributes.items():
        labels = held_out.labels.get(attribute)
        known = labels != MISSING_LABEL if labels is not None else np.zeros(0, bool)
        if not known.any():
            notes.append(
                f'No {attribute} scores: the held-out real images have no labels of {attribute!r}, so '
                'that it is not known how often the classifier is right on them.'
            )
            continue
        _check_classes(attribute, classes, held_out, (trained_on or {}).get(attribute))
        right = probabilities[attribute][known].argmax(1) == labels[known]
        needed = required_accuracy(np.bincount(labels[known], minlength=classes))
        if right.mean() < needed:
            notes.append(
                f'No {attribute} scores: the classifier is right on {100 * right.mean():.1f} % of the '
                f'{known.sum()} held-out real images, but must be on {100 * needed:.1f} %, twice '
                'what guessing gives; train it longer, or on more images.'
            )
            continue
        network = _head(classifier, attribute)
        judges.append(Judge(attribute, network, 100 * float(right.mean())))
    return judges, notes


def _head(classifier: AttributeClassifier, attribute: str) -> Callable[[Tensor], Tensor]:
    return lambda images: classifier.classify(images)[1][attribute]


def _check_classes(attribute: str, number: int, data: ImageSet, trained_on: tuple[str, ...] | None) -> None:
    names = data.classes[attribute]
    if number != len(names) or (trained_on is not None and tuple(trained_on) != tuple(names)):
        of_classifier = f'{number}' if trained_on is None else ', '.join(trained_on)
        raise ValueError(
            f'the classifier knows other classes of {attribute!r} ({of_classifier}) than the data has '
            f'({", ".join(names)}): take the classifier that was trained on this data'
        )


def evaluate_sets(
    train: ImageSet,
    held_out: ImageSet,
    sets: Sequence[ImageSet],
    judges: Sequence[Judge],
    features: Callable[[Tensor], Tensor],
    neighbors: int = 10,
    quantile: float = 0.05,
    seed: int = 0,
    other_features: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    with_calibration: bool = False,
    with_reference: bool = False,
) -> Evaluation:
    """Score the held-out real images, as a reference, and each set.

    FID depends on the number of images: as many of each set are drawn as the smallest has.

    Args:
        train: Training images: what is near to them is not new.
        held_out: Real images of no training.
        sets: Generated images.
        judges: See :func:`judge_attributes`.
        features: What distances are measured in.
        neighbors: Nearest training images whose mean distance is the novelty.
        quantile: Of real images, see :func:`~mmforecast.creative.evaluation.copied_share`; an image is
            confusing if its confusion is above the opposite quantile of that of held-out images.
        seed: Of the draws for FID and KID.
        other_features: By name, what KID is measured in besides, in a column each.
        with_calibration: Whether to score how far confusion lies above what degradation gives, see
            :func:`~mmforecast.creative.apis.creativity_calibration.calibrate`.
        with_reference: Whether to compare the held-out images with the training images, see
            :func:`~mmforecast.creative.evaluation.check_reference`; for neutral ``features``.

    Raises:
        ValueError: There are fewer training images than ``neighbors``.
    """
    check_between('evaluate_sets', 0, 1, quantile=quantile)
    train_features = compute(features, train.images)[0]
    others = {name: (net, compute(net, train.images)[0]) for name, net in (other_features or {}).items()}
    train_scores = {judge.attribute: compute(judge.network, train.images)[0] for judge in judges}
    manifold = Manifold(train_features, min(5, len(train) - 1))
    everything = [held_out, *sets]
    size = min(len(one) for one in everything)
    found, reference = Evaluation(), None
    scored = [_scores(one, judges, train_scores) for one in everything]
    of_held_out = scored[0][1]
    limits = {
        judge.attribute: np.quantile(of_held_out[f'{judge.attribute} confusion'], 1 - quantile)
        for judge in judges
    }
    if with_calibration:
        found.calibration = calibrate(held_out, train_features, judges, features, manifold, limits, seed=seed)
    for one, (scores, per_image) in zip(everything, scored):
        own = compute(features, one.images)[0]
        if with_reference and one is held_out:
            found.reference = check_reference(train_features, own)
        distances, numbers = nearest(own, train_features, neighbors)
        reference = distances[:, 0] if reference is None else reference
        statistics = image_statistics(one.images.numpy())
        part = np.random.default_rng(seed).permutation(len(own))[:size]
        row = dict(set=one.name, images=len(one), **scores)
        row['NN distance'] = float(distances.mean())
        row['copied %'] = 100 * copied_share(distances[:, 0], reference, quantile)
        row[f'FID ({size})'] = frechet_distance(own[part], train_features)
        row['KID x1000'] = 1000 * kernel_distance(own, train_features, seed=seed)
        for name, (network, of_train) in others.items():
            of_set = compute(network, one.images)[0]
            row[f'KID x1000, {name}'] = 1000 * kernel_distance(of_set, of_train, seed=seed)
        row |= _plausibility(manifold, own, per_image, limits)
        row |= _excess(found.calibration, row)
        row.update({name: float(np.nanmean(values)) for name, values in statistics.items()})
        per_image |= {'NN distance': distances.mean(1), **statistics}
        found.rows.append(row)
        found.neighbors.append((distances, numbers))
        found.per_image += _entries(one, per_image, [train.names[n] for n in numbers[:, 0]])
    return found


def _plausibility(
    manifold: Manifold, features: np.ndarray, vague: dict[str, np.ndarray], limits: dict[str, float]
) -> dict[str, float]:
    """Density, coverage, and by attribute the share of images among real ones that are confusing."""
    density, coverage = manifold.density_and_coverage(features)
    inside = manifold.counts(features)[0] > 0
    row = dict(density=density, coverage=coverage)
    for name, limit in limits.items():
        row[f'{name} creative %'] = creative_percent(inside, vague[f'{name} confusion'], limit)
    return row


def _excess(calibration: Calibration | None, row: dict) -> dict[str, float]:
    """By attribute, how far a row's confusion at its KID and its creative share are above degraded images."""
    found = {}
    for name in {} if calibration is None else calibration.points:
        curve = calibration.curve(name)
        found[f'{name} excess'] = curve.excess(row['KID x1000'], row[f'{name} confusion'])
        found[f'{name} creative excess'] = row[f'{name} creative %'] - calibration.most_creative(name)
    return found


def _entries(images: ImageSet, columns: dict[str, np.ndarray], nearest_names: Sequence[str]) -> list[dict]:
    """One mapping per image of a set."""
    return [
        dict(
            set=images.name,
            image=name,
            **{key: float(values[index]) for key, values in columns.items()},
            nearest=nearest_names[index],
        )
        for index, name in enumerate(images.names)
    ]


def _scores(
    images: ImageSet, judges: Sequence[Judge], train_scores: dict[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The columns of the judges, and the confusion of each image."""
    row, per_image = {}, {}
    for judge in judges:
        name = judge.attribute
        probabilities = compute(judge.network, images.images)[0]
        vague = confusion(probabilities)
        row[f'{name} score'] = attribute_score(probabilities)
        row[f'{name} AM'] = am_score(probabilities, train_scores[name])
        row[f'{name} confusion'] = float(vague.mean())
        row[f'{name} accuracy %'] = judge.accuracy
        per_image[f'{name} confusion'] = vague
    return row, per_image
