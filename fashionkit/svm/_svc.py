"""The SVC that both classifiers fit, of scikit-learn or of its extension."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sklearn.svm import SVC
from sklearn.utils import gen_batches
from sklearn.utils.extmath import row_norms

from fashionkit._backbones.pool import keep_beside

# Maximum number of kernels of samples and support vectors in memory.
_KERNELS_PER_CHUNK = 2**23

_PARAMETERS = ("C", "kernel", "gamma", "class_weight", "cache_size")


def make_svc(params: Mapping[str, Any]) -> SVC:
    """Return an SVC that is not fitted.

    Parameters
    ----------
    params : dict
        Parameters of a CalibratedSVC, whose ``backend`` says which implementation to use.

    Returns
    -------
    svc : SVC
        Its ``decision_function`` scores the pairs of classes.

    Raises
    ------
    ImportError
        If ``backend`` is not installed.
    """
    own = {name: params[name] for name in _PARAMETERS}
    return _implementation(params["backend"])(**own, decision_function_shape="ovo")


def _implementation(backend: str) -> type:
    if backend == "sklearn":
        return SVC
    try:
        from sklearnex.svm import SVC as FasterSVC
    except ImportError as error:
        if backend == "auto":
            return SVC
        raise ImportError(
            "backend='sklearnex' needs the Extension for Scikit-learn: pip install "
            "'fashionkit[intelex]'; or pass backend='sklearn'."
        ) from error
    return FasterSVC


class Pairs(NamedTuple):
    """How an SVC scores pairs of classes: sums of kernels with support vectors of either class.

    Parameters
    ----------
    coef : ndarray of shape (n_classes - 1, n_support)
        Coefficients of the support vectors: a row for each other class.

    intercept : ndarray of shape (n_pairs,)
        What is added to the score of each pair.

    ends : ndarray of shape (n_classes,)
        Number of support vectors of each class and all before it.
    """

    coef: np.ndarray
    intercept: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, svc: SVC) -> Pairs:
        """Return those of a fitted SVC; of two classes scikit-learn shows the opposite signs."""
        sign = -1 if len(svc.n_support_) == 2 else 1
        return cls(sign * svc.dual_coef_, sign * svc.intercept_, np.cumsum(svc.n_support_))

    @property
    def classes(self) -> list[slice]:
        """Support vectors of each class."""
        return [slice(*between) for between in pairwise([0, *self.ends])]

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the two sums of each pair stand in ``n_classes`` times ``n_classes - 1`` sums.

        The sums of a class's support vectors stand together, one for each other class.
        """
        n_classes = len(self.ends)
        first, second = np.triu_indices(n_classes, 1)
        return first * (n_classes - 1) + second - 1, second * (n_classes - 1) + first

    def scores(self, kernels: np.ndarray) -> np.ndarray:
        """Return a column of scores for each pair, of kernels with all support vectors."""
        sums = np.hstack([kernels[:, part] @ self.coef[:, part].T for part in self.classes])
        first, second = self.columns
        return sums[:, first] + sums[:, second] + self.intercept


def pair_scores(svc: Any, X: np.ndarray) -> np.ndarray:
    """Return the scores of pairs of classes.

    Those of ``svc.decision_function``, to rounding. LIBSVM computes one kernel after the other,
    which takes several times as long as products of matrices.

    Parameters
    ----------
    svc : SVC
        Fitted, of :func:`make_svc`.

    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    scores : ndarray of shape (n_samples, n_pairs)
        Positive for the first class of the pair, in the order of :func:`itertools.combinations`.
    """
    if type(svc) is not SVC:
        scores = svc.decision_function(X)
        # Of two classes an SVC scores the second.
        return scores if scores.ndim == 2 else -scores[:, np.newaxis]
    pairs = keep_beside(svc.dual_coef_, lambda: Pairs.of(svc))
    size = max(1, _KERNELS_PER_CHUNK // max(1, len(svc.support_vectors_)))
    parts = [np.asarray(X[rows], np.float64) for rows in gen_batches(len(X), size)]
    return np.concatenate([pairs.scores(_kernels(svc, part)) for part in parts])


def _kernels(svc: SVC, X: np.ndarray) -> np.ndarray:
    """Return the kernels of samples with all support vectors."""
    vectors, gamma = svc.support_vectors_, svc._gamma
    kernels = X @ vectors.T
    if svc.kernel == "rbf":
        # For one sample this sum would take longer than all else.
        squares = keep_beside(vectors, lambda: row_norms(vectors, squared=True))
        kernels *= 2 * gamma
        kernels -= gamma * squares
        kernels -= gamma * row_norms(X, squared=True)[:, np.newaxis]
        return np.exp(np.minimum(kernels, 0, out=kernels), out=kernels)
    if svc.kernel == "poly":
        return (gamma * kernels + svc.coef0) ** svc.degree
    return np.tanh(gamma * kernels + svc.coef0) if svc.kernel == "sigmoid" else kernels
