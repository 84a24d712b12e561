"""Virtual support vectors: fit an SVC, then fit it on views of its support vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_class_weight

from fashionkit.svm._calibrated import CalibratedSVC
from fashionkit.svm._samples import weights_of
from fashionkit.svm._svc import fit_svc


def as_first_fitted(svm: CalibratedSVC, rows: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Return the parameters of an SVC that depend on the data, as numbers for all samples.

    With them the second fit has the ``gamma`` and the ``class_weight`` of the first.
    """
    params = {}
    if svm.gamma == "scale":
        variance = rows.var(dtype=np.float64)
        params["gamma"] = 1 / (rows.shape[1] * variance) if variance else 1.0
    if svm.class_weight == "balanced":
        classes = np.unique(y)
        weights = compute_class_weight("balanced", classes=classes, y=y)
        params["class_weight"] = dict(zip(classes.tolist(), weights, strict=True))
    return params


def fit_twice(
    svc: SVC,
    rows: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    other_views_of: Callable[[np.ndarray], list[np.ndarray]],
) -> tuple[SVC, int]:
    """Fit on samples, and then on the support vectors among them and their other views.

    Parameters
    ----------
    svc : SVC
        Classifier to fit; it is not changed.

    rows : ndarray of shape (n_samples, n_features)
        Features.

    y : ndarray of shape (n_samples,)
        Class labels.

    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples, and of their views.

    other_views_of : callable
        Returns the features of the other views of the samples with some indices.

    Returns
    -------
    fitted : SVC
        The classifier of the second fit.

    n_support : int
        Number of support vectors of the first fit.
    """
    support = np.sort(fit_svc(svc, rows, y, sample_weight).support_)
    views = [rows[support], *other_views_of(support)]
    y, sample_weight = y[support], weights_of(sample_weight, support)
    if sample_weight is not None:
        sample_weight = np.tile(sample_weight, len(views))
    fitted = fit_svc(svc, np.concatenate(views), np.tile(y, len(views)), sample_weight)
    return fitted, len(support)
