"""Confident learning (Northcutt, Jiang and Chuang, 2021) on out-of-fold probabilities."""

from __future__ import annotations

import numpy as np

FILTERS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
)

# Tolerance for rounding errors: the mean of equal terms must not exceed them.
_TOLERANCE = 1e-6


def select_issues(probabilities: np.ndarray, targets: np.ndarray, filter_by: str) -> np.ndarray:
    """Select labels that are likely to be wrong (Northcutt et al., 2021, section 3.2).

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of each given label.

    filter_by : str
        Name of the filter, out of ``FILTERS``.

    Returns
    -------
    is_issue : ndarray of shape (n_samples,), dtype=bool
        Whether the label is likely to be wrong; never where it is the predicted one.
    """
    disagrees = _predicted(probabilities, targets) != targets
    if filter_by == "predicted_neq_given":
        return disagrees
    confident = confident_classes(probabilities, targets)
    if filter_by == "confident_learning":
        return disagrees & (confident >= 0) & (confident != targets)
    counts = joint_counts(confident, targets, probabilities.shape[1])
    if filter_by == "prune_by_noise_rate":
        return disagrees & _by_noise_rate(probabilities, targets, counts)
    by_class = _by_class(probabilities, targets, counts)
    if filter_by == "prune_by_class":
        return disagrees & by_class
    return disagrees & by_class & _by_noise_rate(probabilities, targets, counts)


def confident_classes(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the class that each image confidently belongs to (equations 1 and 2).

    The threshold of a class is its mean probability among the images of that label. Of several
    classes that reach their thresholds, the most probable one is returned.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of each given label.

    Returns
    -------
    confident : ndarray of shape (n_samples,), dtype=int
        Column of the class; -1 if no class reaches its threshold.
    """
    n_classes = probabilities.shape[1]
    own = probabilities[np.arange(len(targets)), targets]
    n_given = np.bincount(targets, minlength=n_classes)
    means = np.bincount(targets, own, n_classes) / np.maximum(n_given, 1)
    # No image belongs confidently to a class without labels.
    thresholds = np.where(n_given, means, np.inf)
    over = np.where(probabilities >= thresholds - _TOLERANCE, probabilities, -np.inf)
    confident = over.argmax(axis=1)
    return np.where(np.isneginf(over.max(axis=1)), -1, confident)


def joint_counts(confident: np.ndarray, targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Estimate the number of images of each pair of given label and true class (equation 3).

    The confident joint is scaled to the number of images of each label, and rounded such that these
    numbers are kept. At least one image of each label is assumed to be labelled correctly.

    Parameters
    ----------
    confident : ndarray of shape (n_samples,), dtype=int
        Class that each image confidently belongs to, or -1.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of each given label.

    n_classes : int
        Number of classes.

    Returns
    -------
    counts : ndarray of shape (n_classes, n_classes), dtype=int64
        Number of images by given label (row) and true class (column).
    """
    counted = confident >= 0
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (targets[counted], confident[counted]), 1)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    n_given = np.bincount(targets, minlength=n_classes)
    return _round_rows(joint / joint.sum(axis=1, keepdims=True) * n_given[:, np.newaxis])


def normalized_margins(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the probability of each given label minus the largest of another class.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.

    targets : ndarray of shape (n_samples,), dtype=int
        Column of each given label.

    Returns
    -------
    margins : ndarray of shape (n_samples,)
        Normalised margins, from -1 to 1.
    """
    rows = np.arange(len(targets))
    others = probabilities.copy()
    others[rows, targets] = -np.inf
    return probabilities[rows, targets] - others.max(axis=1)


def _predicted(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the most probable class, and the given label in case of a tie."""
    rows = np.arange(len(targets))
    tops = probabilities.argmax(axis=1)
    return np.where(probabilities[rows, tops] == probabilities[rows, targets], targets, tops)


def _by_class(probabilities: np.ndarray, targets: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Select the estimated number of images of each label, by the lowest self-confidence."""
    is_issue = np.zeros(len(targets), dtype=bool)
    for given, row in enumerate(counts):
        rows = np.flatnonzero(targets == given)
        order = np.argsort(probabilities[rows, given], kind="stable")
        is_issue[rows[order[: len(rows) - max(1, row[given])]]] = True
    return is_issue


def _by_noise_rate(
    probabilities: np.ndarray, targets: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Select the estimated number of images of each pair of classes, by the largest margin."""
    is_issue = np.zeros(len(targets), dtype=bool)
    for given, row in enumerate(counts):
        rows = np.flatnonzero(targets == given)
        for true, count in enumerate(row):
            if true != given and count:
                margins = probabilities[rows, true] - probabilities[rows, given]
                is_issue[rows[np.argsort(-margins, kind="stable")[:count]]] = True
    return is_issue


def _round_rows(counts: np.ndarray) -> np.ndarray:
    """Round to integers with the same sum of each row, by the largest remainders."""
    whole = np.floor(counts).astype(np.int64)
    remainders = counts - whole
    for row, missing in enumerate(np.rint(remainders.sum(axis=1)).astype(int)):
        whole[row, np.argsort(remainders[row], kind="stable")[::-1][:missing]] += 1
    return whole
