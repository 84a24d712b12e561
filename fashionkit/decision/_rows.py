"""Decisions of any fitted classifier, with a row for each image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from fashionkit.decision._coarse import coarse_names
from fashionkit.decision._decide import ACCEPTED, REVIEW, STATUSES, explain

# Columns of decisions.
DECISIONS = (
    *("label", "confidence", "second", "second_confidence", "third", "third_confidence"),
    *("set", "status", "reason"),
)
_RANKS = DECISIONS[:6:2]


def decide(
    model: Any, X: Any, target_names: list[str], review_below: float | None = None
) -> pd.DataFrame:
    """Decide on images by any fitted classifier.

    Parameters
    ----------
    model : estimator
        Fitted classifier of one or several targets, with or without ``decide``.

    X : array-like of n_samples
        Images in the form that the model expects.

    target_names : list of str
        Name of each target of the model; unused for a single target.

    review_below : float or None, default=None
        Minimum confidence of an accepted prediction, for a classifier without ``decide``; None
        accepts all predictions.

    Returns
    -------
    rows : DataFrame of shape (n_samples, n_columns)
        Columns ``DECISIONS`` of the first target, "coarse" if its coarse classes are known, and two
        columns for each further target: its label and its confidence.
    """
    model = getattr(model, "best_estimator_", model)
    if isinstance(model, Pipeline) and not hasattr(model, "decide"):
        last = model.steps[-1][1]
        if hasattr(last, "decide") or hasattr(last, "estimators_") or count_targets(last) > 1:
            X = model[:-1].transform(X) if len(model) > 1 else X
            return decide(last, X, target_names, review_below)
    if count_targets(model) == 1:
        return _with_coarse(_decide_one(model, X, review_below), model)
    parts = _decide_each(model, X, review_below)
    rows = _with_coarse(parts[0], getattr(model, "estimators_", [model])[0])
    for name, part in zip(target_names[1:], parts[1:], strict=True):
        rows[name] = part["label"].to_numpy()
        rows[f"{name}_confidence"] = part["confidence"].to_numpy()
    return _with_worst_status(rows, dict(zip(target_names, parts, strict=True)))


def can_decide(model: Any) -> bool:
    """Return whether a fitted model has a ``decide``, for at least one of its targets."""
    model = getattr(model, "best_estimator_", model)
    if hasattr(model, "decide"):
        return True
    if isinstance(model, Pipeline):
        return can_decide(model.steps[-1][1])
    members = getattr(model, "estimators_", None)
    if not isinstance(members, list) or not len(members) == count_targets(model) > 1:
        return False
    return any(hasattr(member, "decide") for member in members)


def count_targets(model: Any) -> int:
    """Return the number of targets of a fitted classifier."""
    classes = getattr(model, "classes_", None)
    return len(classes) if isinstance(classes, list) and len(classes) else 1


def _decide_one(model: Any, X: Any, limit: float | None) -> pd.DataFrame:
    if hasattr(model, "decide"):
        return pd.DataFrame(model.decide(X)).reset_index(drop=True)
    if not hasattr(model, "predict_proba"):
        return _of_labels(np.asarray(model.predict(X)))
    probabilities, classes = np.asarray(model.predict_proba(X)), np.asarray(model.classes_)
    return _of_probabilities(probabilities, classes, limit)


def _decide_each(model: Any, X: Any, limit: float | None) -> list[pd.DataFrame]:
    """Return the decisions on each target of a multi-output classifier."""
    members = getattr(model, "estimators_", None)
    if isinstance(members, list) and len(members) == count_targets(model):
        return [_decide_one(member, X, limit) for member in members]
    if hasattr(model, "predict_proba"):
        return [
            _of_probabilities(np.asarray(one), np.asarray(classes), limit)
            for one, classes in zip(model.predict_proba(X), model.classes_, strict=True)
        ]
    return [_of_labels(labels) for labels in np.asarray(model.predict(X)).T]


def _of_probabilities(
    probabilities: np.ndarray, classes: np.ndarray, limit: float | None
) -> pd.DataFrame:
    """Return the three most probable classes; predictions below a limit are left to review."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, : len(_RANKS)]
    columns: dict[str, Any] = {}
    for rank, name in enumerate(_RANKS):
        if rank < order.shape[1]:
            best = order[:, [rank]]
            columns[name] = classes[best[:, 0]].astype(object)
            columns[DECISIONS[2 * rank + 1]] = np.take_along_axis(probabilities, best, axis=1)[:, 0]
    rows = _complete(columns, len(probabilities))
    if limit is not None:
        is_unsure = rows["confidence"].to_numpy() < limit
        rows.loc[is_unsure, "status"] = REVIEW
        rows.loc[is_unsure, "reason"] = [
            explain(REVIEW, one, limit, "confidence") for one in rows["confidence"][is_unsure]
        ]
    return rows


def _of_labels(labels: np.ndarray) -> pd.DataFrame:
    return _complete({"label": labels.astype(object)}, len(labels))


def _complete(columns: dict[str, Any], n_rows: int) -> pd.DataFrame:
    """Add default values of the columns that a classifier without ``decide`` does not predict."""
    absent: dict[str, Any] = dict.fromkeys(DECISIONS)
    absent |= {name: np.nan for name in DECISIONS if name.endswith("confidence")}
    absent |= {"status": ACCEPTED, "reason": ""}
    rows = pd.DataFrame({**absent, **columns}, index=range(n_rows))
    return rows[list(DECISIONS)]


def _with_coarse(rows: pd.DataFrame, model: Any) -> pd.DataFrame:
    names = coarse_names(model)
    if names:
        rows["coarse"] = [names.get(label) for label in rows["label"].tolist()]
    return rows


def _with_worst_status(rows: pd.DataFrame, parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Set the status to the worst of all targets, so that only rows with all accepted are."""
    severity = {status: rank for rank, status in enumerate(STATUSES)}
    statuses = np.array([[severity[one] for one in part["status"]] for part in parts.values()])
    reasons = [
        "; ".join(
            f"{name}: {part['reason'].iloc[row]}"
            for name, part in parts.items()
            if part["status"].iloc[row] != ACCEPTED
        )
        for row in range(len(rows))
    ]
    rows["status"] = [STATUSES[rank] for rank in statuses.max(axis=0, initial=0)]
    rows["reason"] = reasons
    return rows
