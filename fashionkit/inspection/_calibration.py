"""Calibration: whether the predicted probabilities are as often right as they say."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.inspection._predictions import check_probabilities

if TYPE_CHECKING:
    import pandas as pd

_PARAMETERS: dict[str, list[Any]] = {
    "y_true": ["array-like"],
    "probabilities": ["array-like"],
    "classes": ["array-like"],
    "n_bins": [Interval(Integral, 1, None, closed="left")],
}


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def calibration_bins(
    y_true: Any, probabilities: Any, classes: Any, *, n_bins: int = 15
) -> pd.DataFrame:
    """Compute confidence and accuracy of predictions in bins of equal width.

    The confidence of a prediction is the probability of the predicted class, the largest one [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, all among ``classes``.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column of ``probabilities``.

    n_bins : int, default=15
        Number of bins that divide the confidences from 0 to 1.

    Returns
    -------
    bins : DataFrame of shape (n_bins, 5)
        One row for each bin, by increasing confidence, with the columns

        - ``low`` and ``high``: limits of the bin, which includes ``high`` and not
          ``low``; the first includes 0;
        - ``count``: number of images, dtype=int64;
        - ``confidence``: mean confidence, NaN in an empty bin;
        - ``accuracy``: fraction of the images classified correctly, NaN in an empty bin.

    Raises
    ------
    ValueError
        If the arguments are inconsistent, or a label is not among ``classes``.

    See Also
    --------
    expected_calibration_error : Summarises the bins in a single number.
    fashionkit.plotting.ReliabilityDisplay : Draws the bins.
    sklearn.calibration.calibration_curve : The same for binary classification.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, section 2.

    Examples
    --------
    >>> from fashionkit.inspection import calibration_bins
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> calibration_bins(["bag", "coat", "coat", "coat"], probabilities, ["bag", "coat"], n_bins=4)
        low  high  count  confidence  accuracy
    0  0.00  0.25      0         NaN       NaN
    1  0.25  0.50      0         NaN       NaN
    2  0.50  0.75      2        0.65       1.0
    3  0.75  1.00      2        0.85       0.5
    """
    import pandas as pd

    probabilities, _, targets = check_probabilities(y_true, probabilities, classes)
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == targets
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    rows = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(rows, minlength=n_bins)
    filled = np.where(count, count, np.nan)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": np.bincount(rows, confidence, n_bins) / filled,
            "accuracy": np.bincount(rows, correct, n_bins) / filled,
        }
    )


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def expected_calibration_error(
    y_true: Any, probabilities: Any, classes: Any, *, n_bins: int = 15
) -> float:
    """Compute the expected calibration error of the most probable class.

    It is the mean absolute difference between confidence and accuracy over equal-width bins of the
    confidence, weighted by their numbers of images: equation 3 of [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, all among ``classes``.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column of ``probabilities``.

    n_bins : int, default=15
        Number of bins that divide the confidences from 0 to 1; 15 are those of [1]_.

    Returns
    -------
    error : float
        Error from 0, if the accuracy of each bin equals its confidence, to 1.

    Raises
    ------
    ValueError
        If the arguments are inconsistent, or a label is not among ``classes``.

    See Also
    --------
    calibration_bins : Confidence and accuracy of each bin.
    sklearn.metrics.brier_score_loss : A score of probabilities that needs no bins.

    Notes
    -----
    The error depends on ``n_bins``. With few images it is above 0 even if the probabilities are
    correct. Compare models on the same images with the same bins.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

    Examples
    --------
    >>> from fashionkit.inspection import expected_calibration_error
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> y_true = ["bag", "coat", "coat", "coat"]
    >>> round(expected_calibration_error(y_true, probabilities, ["bag", "coat"], n_bins=4), 3)
    0.35
    """
    return error_of_bins(calibration_bins(y_true, probabilities, classes, n_bins=n_bins))


def error_of_bins(bins: pd.DataFrame) -> float:
    """Return the expected calibration error of the table of :func:`calibration_bins`."""
    differences = (bins["accuracy"] - bins["confidence"]).abs()
    return float((bins["count"] * differences).sum() / bins["count"].sum())
