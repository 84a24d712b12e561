"""Pairwise calibration: a sigmoid for each pair of classes, from scores to probabilities."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from fashionkit.svm._coupling import EPS, couple
from fashionkit.svm._samples import weights_of

# Minimum slope of a sigmoid, over scores of variance 1.
_MIN_SLOPE = 0.1


class PairwiseSigmoids(NamedTuple):
    """Sigmoids that turn the decision scores of pairs of classes into probabilities.

    Parameters
    ----------
    slopes, intercepts : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        One of each pair of classes, in the order of :func:`itertools.combinations`.
    """

    slopes: np.ndarray
    intercepts: np.ndarray

    @classmethod
    def learn(
        cls,
        scores: np.ndarray,
        y: np.ndarray,
        *,
        class_weight: dict | str | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> PairwiseSigmoids:
        """Fit one sigmoid for each pair of classes.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_pairs)
            Out-of-fold scores, positive for the first class of the pair.

        y : ndarray of shape (n_samples,)
            Class labels.

        class_weight : dict, "balanced" or None
            Weights of the classes.

        sample_weight : ndarray of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        sigmoids : PairwiseSigmoids
            The fitted sigmoids.
        """
        weights = compute_sample_weight(class_weight, y)
        sigmoids = []
        for pair, column in zip(combinations(np.unique(y), 2), scores.T, strict=True):
            either = np.isin(y, pair)
            sigmoid = _fit_sigmoid(
                column[either],
                y[either] == pair[0],
                weights[either],
                weights_of(sample_weight, either),
            )
            sigmoids.append(sigmoid)
        return cls(*np.transpose(sigmoids))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of all classes.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_pairs)
            Scores, positive for the first class of the pair.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            They sum to 1.
        """
        n_classes = (1 + math.isqrt(1 + 8 * len(self.slopes))) // 2
        wins = np.zeros((len(scores), n_classes, n_classes))
        first, second = np.triu_indices(n_classes, 1)
        wins[:, first, second] = expit(scores * self.slopes + self.intercepts)
        wins[:, second, first] = 1 - wins[:, first, second]
        return couple(wins)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Return the logarithms of probabilities; of two classes, the log-odds of the second."""
    logarithms = np.log(probabilities)
    if logarithms.shape[1] == 2:
        return logarithms[:, 1] - logarithms[:, 0]
    return logarithms


def _fit_sigmoid(
    scores: np.ndarray,
    first: np.ndarray,
    class_weights: np.ndarray,
    sample_weight: np.ndarray | None,
) -> tuple[float, float]:
    """Fit slope and intercept of the probability of a pair's first class."""
    # The penalty on the slope does not depend on the scale of the scores.
    scale = _standard_deviation(scores, sample_weight) or 1.0
    weights = class_weights if sample_weight is None else class_weights * sample_weight
    fitted = LogisticRegression(C=10).fit(scores[:, np.newaxis] / scale, first, weights)
    slope, intercept = fitted.coef_[0, 0], fitted.intercept_[0]
    if slope < _MIN_SLOPE:
        # Scores of few or noisy samples may be uninformative. What remains are the frequencies
        # of the classes, and a small slope in the direction of the scores.
        frequency = np.clip(np.average(first, weights=weights), EPS, 1 - EPS)
        slope = _MIN_SLOPE
        intercept = logit(frequency) - slope * np.average(scores, weights=weights) / scale
    return slope / scale, intercept


def _standard_deviation(scores: np.ndarray, sample_weight: np.ndarray | None) -> float:
    if sample_weight is None:
        return scores.std()
    mean = np.average(scores, weights=sample_weight)
    return math.sqrt(np.average((scores - mean) ** 2, weights=sample_weight))
