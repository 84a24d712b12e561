"""The SVC that both classifiers fit, of scikit-learn or of its extension."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.svm import SVC
from sklearn.utils import gen_batches
from sklearn.utils.extmath import row_norms

from fashionkit._backbones.pool import keep_beside

# Maximum number of kernels of samples and support vectors in memory.
_KERNELS_PER_CHUNK = 2**23

# What an SVC knows once it is fitted, beside its support vectors and their coefficients.
_FITTED = (
    "classes_",
    "class_weight_",
    "feature_names_in_",
    "fit_status_",
    "n_features_in_",
    "n_iter_",
    "shape_fit_",
    "_gamma",
    "_probA",
    "_probB",
    "_sparse",
)

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
        Of scikit-learn or of its extension, for :func:`fit_svc`.

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


def fit_svc(svc: SVC, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> SVC:
    """Fit a clone, and return it as scikit-learn's own, whichever implementation fitted it.

    So what is fitted needs no extension to predict, to be saved or to be unpickled.

    Parameters
    ----------
    svc : SVC
        Of :func:`make_svc`; it is not changed.

    X : ndarray of shape (n_samples, n_features)
        Features.

    y : ndarray of shape (n_samples,)
        Class labels.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    fitted : SVC
        Of scikit-learn, fitted.
    """
    fitted = clone(svc).fit(X, y, sample_weight)
    if type(fitted) is SVC:
        return fitted
    params = fitted.get_params()
    plain = SVC(**{name: params[name] for name in SVC().get_params()})
    for name in _FITTED:
        if hasattr(fitted, name):
            setattr(plain, name, getattr(fitted, name))
    for name in ("support_vectors_", "dual_coef_", "intercept_"):
        setattr(plain, name, np.array(getattr(fitted, name), np.float64, order="C"))
    for name in ("support_", "_n_support"):  # as LIBSVM has them
        setattr(plain, name, np.asarray(getattr(fitted, name), np.int32))
    sign = _sign(plain)
    plain._dual_coef_, plain._intercept_ = sign * plain.dual_coef_, sign * plain.intercept_
    return plain


def _sign(svc: SVC) -> int:
    """Return -1 for two classes, of which scikit-learn shows the opposite signs, or else 1."""
    return -1 if len(svc.n_support_) == 2 else 1


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
        """Return those of a fitted SVC."""
        sign = _sign(svc)
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


def pair_scores(svc: SVC, X: np.ndarray) -> np.ndarray:
    """Return the scores of pairs of classes.

    Those of ``svc.decision_function``, to rounding. LIBSVM computes one kernel after the other,
    which takes several times as long as products of matrices.

    Parameters
    ----------
    svc : SVC
        Fitted, of :func:`fit_svc`.

    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    scores : ndarray of shape (n_samples, n_pairs)
        Positive for the first class of the pair, in the order of :func:`itertools.combinations`.
    """
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
