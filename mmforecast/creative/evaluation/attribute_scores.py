"""Confidence and variety of a classifier's answers on a set of images; entropies are natural."""

import numpy as np

__all__ = ['am_score', 'attribute_score', 'confusion', 'required_accuracy']

_TINY = 1e-12


def attribute_score(probabilities: np.ndarray) -> float:
    """``exp(E_x KL(p(y|x) || p(y)))``: the inception score (Salimans et al. 2016) for any classifier.

    p(y) is the mean over the set. There are no splits, as the sets of design are small.

    Args:
        probabilities: (N, K), rows sum to 1.

    Returns:
        In [1, K]: 1 where all images look alike to the classifier, K where it is sure of each and sees
        every class equally often.

    Raises:
        ValueError: ``probabilities`` is no such array.
    """
    p = _checked(probabilities, 'probabilities')
    return float(np.exp(_entropy(p.mean(0)) - _entropy(p).mean()))


def am_score(probabilities: np.ndarray, train_probabilities: np.ndarray) -> float:
    """``E_x H(p(y|x)) + KL(mean p of training || mean p of the set)``: the AM score (Zhou et al. 2018).

    Args:
        probabilities: (N, K) of the set.
        train_probabilities: (M, K) of the training images, by the same classifier.

    Returns:
        0 or more, lower is better.

    Raises:
        ValueError: An argument is no such array, or they differ in K.
    """
    p = _checked(probabilities, 'probabilities')
    train = _checked(train_probabilities, 'train_probabilities')
    if p.shape[1] != train.shape[1]:
        raise ValueError(
            f'probabilities are of {p.shape[1]} classes, train_probabilities of {train.shape[1]}: '
            'both must come from one classifier'
        )
    expected, found = train.mean(0), p.mean(0)
    divergence = np.sum(expected * np.log(np.maximum(expected, _TINY) / np.maximum(found, _TINY)))
    return float(_entropy(p).mean() + divergence)


def confusion(probabilities: np.ndarray) -> np.ndarray:
    """``H(p(y|x)) / log K`` of each image, in [0, 1]: 1 where it belongs to no class more than to another.

    Args:
        probabilities: (N, K).

    Returns:
        (N,).
    """
    p = _checked(probabilities, 'probabilities')
    return _entropy(p) / np.log(p.shape[1])


def required_accuracy(class_counts: np.ndarray) -> float:
    """The accuracy from which on a classifier's scores mean something: twice that of guessing.

    Guessing is naming the most frequent class. Where twice that is hardly possible (chance above a third),
    it is halfway from chance to 1.

    Args:
        class_counts: (K,), how many labeled images of each class the accuracy is measured on.
    """
    counts = np.asarray(class_counts, np.float64)
    chance = counts.max() / counts.sum()
    return float(min(2 * chance, (1 + chance) / 2))


def _entropy(p: np.ndarray) -> np.ndarray:
    return -np.sum(p * np.log(np.maximum(p, _TINY)), axis=-1)


def _checked(p: np.ndarray, name: str) -> np.ndarray:
    p = np.asarray(p, np.float64)
    if p.ndim != 2 or len(p) < 1 or p.shape[1] < 2:
        raise ValueError(f'{name} must be (N, K) with N >= 1 and K >= 2, got {p.shape}')
    if not (np.isfinite(p).all() and p.min() >= 0 and np.allclose(p.sum(1), 1, atol=1e-3)):
        raise ValueError(f'{name} must be in [0, 1] with rows that sum to 1: softmax the logits')
    return p
