"""Risk against coverage: how many predictions are wrong if only the surest are accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import validate_params

from fashionkit.inspection._predictions import check_probabilities

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {"y_true": ["array-like"], "probabilities": ["array-like"], "classes": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def risk_coverage_curve(y_true: Any, probabilities: Any, classes: Any) -> pd.DataFrame:
    """Compute the risk-coverage curve: the error rate of accepted images for each threshold.

    An image is accepted if the probability of the predicted class is at least the threshold [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, all among ``classes``.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column of ``probabilities``.

    Returns
    -------
    curve : DataFrame of shape (n_thresholds, 3)
        One row for each distinct confidence, in decreasing order, with the columns

        - ``threshold``: minimum confidence that is accepted;
        - ``coverage``: fraction of the images that are accepted;
        - ``risk``: fraction of these that are misclassified.

    Raises
    ------
    ValueError
        If the arguments are inconsistent, or a label is not among ``classes``.

    See Also
    --------
    risk_coverage_areas : Summarises the curve in two numbers.
    fashionkit.plotting.RiskCoverageDisplay : Draws the curve.
    fashionkit.SelectiveClassifier : Chooses a threshold.

    References
    ----------
    .. [1] R. El-Yaniv and Y. Wiener, "On the Foundations of Noise-free Selective Classification",
       Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from fashionkit.inspection import risk_coverage_curve
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> risk_coverage_curve(["bag", "coat", "coat", "coat"], probabilities, ["bag", "coat"])
       threshold  coverage      risk
    0        0.9      0.25  0.000000
    1        0.8      0.50  0.500000
    2        0.7      0.75  0.333333
    3        0.6      1.00  0.250000
    """
    import pandas as pd

    probabilities, _, targets = check_probabilities(y_true, probabilities, classes)
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_wrong = probabilities.argmax(axis=1) != targets
    order = np.argsort(-confidence, kind="stable")
    confidence, n_wrong = confidence[order], np.cumsum(is_wrong[order])
    last = np.append(np.flatnonzero(confidence[1:] < confidence[:-1]), len(confidence) - 1)
    return pd.DataFrame(
        {
            "threshold": confidence[last],
            "coverage": (last + 1) / len(confidence),
            "risk": n_wrong[last] / (last + 1),
        }
    )


@validate_params(
    {"y_true": ["array-like"], "probabilities": ["array-like"], "classes": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def risk_coverage_areas(y_true: Any, probabilities: Any, classes: Any) -> tuple[float, float]:
    """Compute the areas under the risk-coverage curve and the generalised risk-coverage curve.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, all among ``classes``.

    probabilities : array-like of shape (n_samples, n_classes)
        Predicted probabilities.

    classes : array-like of shape (n_classes,)
        Label of each column of ``probabilities``.

    Returns
    -------
    aurc : float
        Mean error rate of accepted images over all numbers of images to accept (AURC) [1]_. The
        lower, the better.

    augrc : float
        Area under the rate of images that are accepted and wrong (AUGRC) [2]_: mean fraction of
        images that are misclassified without notice. Unlike AURC, it does not count confident
        errors several times.

    Raises
    ------
    ValueError
        If the arguments are inconsistent, or a label is not among ``classes``.

    See Also
    --------
    risk_coverage_curve : Computes the curve.

    Notes
    -----
    Images of equal confidence count as accepted in random order; the areas are averages over these
    orders. AUGRC is ``(1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2``, where
    ``auroc`` tells right from wrong predictions by their confidence: equation 5 of [2]_.

    References
    ----------
    .. [1] Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep
       Neural Classifiers", ICLR 2019, section 3.

    .. [2] J. Traub, T. J. Bungert, C. T. Lüth, M. Baumgartner, K. H. Maier-Hein, L. Maier-Hein and
       P. F. Jäger, "Overcoming Common Flaws in the Evaluation of Selective Classification Systems",
       NeurIPS 2024.

    Examples
    --------
    >>> from fashionkit.inspection import risk_coverage_areas
    >>> probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]
    >>> y_true = ["bag", "coat", "coat", "coat"]
    >>> aurc, augrc = risk_coverage_areas(y_true, probabilities, ["bag", "coat"])
    >>> round(aurc, 3), round(augrc, 3)
    (0.271, 0.156)
    """
    curve = risk_coverage_curve(y_true, probabilities, classes)
    return areas_of_curve(curve, len(y_true))


def areas_of_curve(curve: pd.DataFrame, n_images: int) -> tuple[float, float]:
    """Return AURC and AUGRC of the table of :func:`risk_coverage_curve`."""
    coverage = np.append(0.0, curve["coverage"])
    failures = np.append(0.0, curve["coverage"] * curve["risk"])
    # Within images of one confidence, errors grow evenly.
    accepted = np.arange(1, n_images + 1) / n_images
    aurc = np.mean(np.interp(accepted, coverage, failures) / accepted)
    augrc = np.sum(np.diff(coverage) * (failures[1:] + failures[:-1])) / 2
    return float(aurc), float(augrc)
