"""Predictions that monitors compare: counts of classes, confidences and reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import _num_samples

from fashionkit.datasets._names import choices
from fashionkit.decision._decide import ACCEPTED, ERROR, STATUSES
from fashionkit.decision._embedding import in_form
from fashionkit.inspection._predictions import probabilities_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Predicted:
    """Summary of the predictions of a model on some images.

    Parameters
    ----------
    class_counts : ndarray of shape (n_classes,), dtype=int
        Number of readable images predicted in each class.

    confidences : ndarray of shape (n_readable,)
        Confidence of the prediction of each readable image.

    readable : ndarray of shape (n_readable,), dtype=int
        Rows of the readable images.

    review_counts : ndarray of shape (2,), dtype=int, or None
        Number of images that are accepted, and of all others; None without decisions.
    """

    class_counts: np.ndarray
    confidences: np.ndarray
    readable: np.ndarray
    review_counts: np.ndarray | None

    def __len__(self) -> int:
        """Return the number of images, including unreadable ones."""
        if self.review_counts is None:
            return len(self.readable)
        return int(self.review_counts.sum())


def predict(model: Any, X: Any) -> Predicted:
    """Predict images by the ``decide`` of a model, or otherwise by its probabilities.

    Parameters
    ----------
    model : classifier
        Fitted model.

    X : array-like of n_samples, or ImageFolder
        Images in any form.

    Returns
    -------
    predicted : Predicted
        Summary of the predictions.

    Raises
    ------
    ValueError
        If there are fewer than two images, or the model predicts no probabilities.
    """
    n_images = _num_samples(X)
    if n_images < 2:
        raise ValueError(
            f"X has {n_images} sample(s), but a minimum of 2 is required; pass more images."
        )
    X = in_form(model, X)
    if hasattr(model, "decide"):
        return check_decisions(model.decide(X), model.classes_, n_images, has_status=True)
    probabilities, _ = probabilities_of(model, X)
    probabilities = np.asarray(probabilities)
    tops = probabilities.argmax(axis=1)
    counts = np.bincount(tops, minlength=probabilities.shape[1])
    return Predicted(counts, probabilities.max(axis=1), np.arange(n_images), None)


def check_table(decisions: Any) -> None:
    """Raise a TypeError if decisions are not a DataFrame."""
    import pandas as pd

    if not isinstance(decisions, pd.DataFrame):
        raise TypeError(
            f"decisions is a {type(decisions).__name__}, expected a DataFrame; pass the result of "
            "decide or classify_photos."
        )


def check_decisions(
    decisions: pd.DataFrame, classes: Any, n_images: int, has_status: bool
) -> Predicted:
    """Validate a table of decisions, and summarise it.

    Parameters
    ----------
    decisions : DataFrame of shape (n_samples, n_columns)
        Table with the columns ``label``, ``confidence`` and, if required, ``status``.

    classes : array-like of shape (n_classes,)
        Class labels of the model.

    n_images : int
        Number of images.

    has_status : bool
        Whether the column ``status`` is required.

    Returns
    -------
    predicted : Predicted
        Summary of the decisions.

    Raises
    ------
    TypeError
        If ``decisions`` is not a DataFrame.

    ValueError
        If the table lacks a column, has another number of rows or invalid values, or fewer than two
        images are readable.
    """
    import pandas as pd

    check_table(decisions)
    needed = ["label", "confidence", *(["status"] if has_status else [])]
    if missing := [name for name in needed if name not in decisions]:
        raise ValueError(
            f"decisions lacks the columns {choices(missing)}; pass the result of decide or "
            "classify_photos."
        )
    if len(decisions) != n_images:
        raise ValueError(
            f"decisions has {len(decisions)} rows, but X has {n_images} images; pass one row for "
            "each image, in the same order."
        )
    is_readable = np.ones(n_images, dtype=bool)
    reviews = None
    if "status" in decisions:
        status = decisions["status"].to_numpy()
        if unknown := sorted(set(status.tolist()) - set(STATUSES), key=str):
            raise ValueError(
                f"decisions has the status {choices(unknown, most=5)}, expected "
                f"{choices(STATUSES)}; pass the result of decide or classify_photos."
            )
        is_readable = status != ERROR
        n_accepted = int(np.sum(status == ACCEPTED))
        reviews = np.array([n_accepted, n_images - n_accepted])
    readable = np.flatnonzero(is_readable)
    if len(readable) < 2:
        raise ValueError(
            f"decisions has {len(readable)} of {n_images} images that can be read, expected at "
            "least 2; pass more images."
        )
    columns = pd.Index(np.asarray(classes)).get_indexer(decisions["label"].to_numpy()[readable])
    if np.any(columns < 0):
        labels = decisions["label"].to_numpy()[readable][columns < 0]
        raise ValueError(
            f"decisions has the labels {choices(sorted(set(labels.tolist()), key=str), most=5)}, "
            f"expected the classes {choices(np.asarray(classes).tolist(), most=12)}; pass the "
            "decisions of this model."
        )
    confidences = decisions["confidence"].to_numpy(float)[readable]
    if not np.isfinite(confidences).all():
        raise ValueError(
            f"decisions has {int(np.sum(~np.isfinite(confidences)))} confidences that are NaN or "
            "infinite, expected finite numbers; pass the result of decide or classify_photos."
        )
    counts = np.bincount(columns, minlength=len(np.asarray(classes)))
    return Predicted(counts, confidences, readable, reviews if has_status else None)
