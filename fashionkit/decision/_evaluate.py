"""What a way of training is worth: decisions on photos that the models have not seen."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

import fashionkit
from fashionkit.datasets._names import percent
from fashionkit.decision._fit import Fitter, Split, make_splits
from fashionkit.decision._labelled import Labelled
from fashionkit.inspection import expected_calibration_error


def evaluate(
    fitter: Fitter,
    X: Any,
    listed: Labelled,
    n_folds: int | None,
    n_jobs: int | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fit on parts of the photos, and decide on the others.

    Parameters
    ----------
    fitter : Fitter
        How the classifiers are fitted.

    X : array or ImageFolder of n_photos
        Features or images.

    listed : Labelled
        Their paths, labels and groups.

    n_folds : int or None
        Number of folds; None for one part of a fifth.

    n_jobs : int or None
        Number of fits at a time.

    Returns
    -------
    evaluation : DataFrame of shape (n_targets, n_figures)
        A row for each target.

    per_class : DataFrame of shape (n_classes, 6)
        A row for each class of each target.

    predictions : DataFrame
        A row for each photo of each target that was predicted.
    """
    splits = {
        target: make_splits(
            listed.targets[target].to_numpy(object), listed.groups, n_folds, fitter.seed
        )
        for target in listed.targets
    }
    found = Parallel(n_jobs)(
        delayed(_decide)(fitter, X, listed, target, number, split)
        for target, parts in splits.items()
        for number, split in enumerate(parts)
    )
    evaluation, per_class, predictions = [], [], []
    for target in listed.targets:
        parts = [part for part in found if part["target"].iloc[0] == target]
        table = pd.concat(parts, ignore_index=True)
        evaluation.append({"target": target, **_figures(table)})
        per_class.append(_per_class(table).assign(target=target))
        predictions.append(table.drop(columns="probabilities"))
    return (
        pd.DataFrame(evaluation),
        pd.concat(per_class, ignore_index=True)[["target", *_per_class(table).columns]],
        pd.concat(predictions, ignore_index=True),
    )


def _decide(
    fitter: Fitter, X: Any, listed: Labelled, target: str, number: int, split: Split
) -> pd.DataFrame:
    """Return the decisions on one part, by a model of the others."""
    train, test = split
    y = listed.targets[target].to_numpy(object)
    model = fitter.fit(X[train], y[train], None if listed.groups is None else listed.groups[train])
    decided = model.decide(X[test]).reset_index(drop=True)
    decided.insert(0, "true", y[test])
    decided.insert(0, "path", listed.paths[test])
    decided.insert(0, "fold", number)
    decided.insert(0, "target", target)
    probabilities = pd.DataFrame(model.predict_proba(X[test]), columns=model.classes_)
    return decided.assign(probabilities=probabilities.to_dict("records"))


def _figures(table: pd.DataFrame) -> dict[str, Any]:
    right = (table["label"] == table["true"]).to_numpy(bool)
    accepted = (table["status"] == "accepted").to_numpy()
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    # A class that no part was trained on has the probability 0.
    probabilities = pd.DataFrame(table["probabilities"].tolist())
    classes = sorted({*probabilities, *table["true"]}, key=str)
    columns = probabilities.reindex(columns=classes).fillna(0.0).to_numpy()
    names = [str(one) for one in classes]
    return {
        "photos": len(table),
        "accuracy": float(right.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
        "calibration_error": expected_calibration_error(
            table["true"].astype(str).tolist(), columns, names
        ),
        "coverage": float(accepted.mean()),
        "accepted_accuracy": float(right[accepted].mean()) if accepted.any() else float("nan"),
    }


def _per_class(table: pd.DataFrame) -> pd.DataFrame:
    classes = sorted(table["true"].unique(), key=str)
    precision, recall, f1, support = precision_recall_fscore_support(
        table["true"].astype(str),
        table["label"].astype(str),
        labels=[str(one) for one in classes],
        zero_division=0.0,
    )
    scores = {"precision": precision, "recall": recall, "f1": f1, "photos": support}
    return pd.DataFrame({"class": classes, **scores})


def make_card(
    name: str,
    listed: Labelled,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    how: str,
    settings: dict[str, Any],
) -> str:
    """Return the model card, in Markdown.

    Parameters
    ----------
    name : str
        Name of the model.

    listed : Labelled
        What it was trained on.

    tables : tuple of DataFrame
        Figures of each target, and of each class.

    how : str
        On which photos the figures were found.

    settings : dict
        How decisions are made.
    """
    evaluation, per_class = tables
    n_groups = (
        "" if listed.groups is None else f" of {len(np.unique(listed.groups.astype(str)))} groups"
    )
    if settings["criterion"] is None:
        rule = "Every prediction is accepted."
    else:
        rule = (
            f"Predictions are accepted by criterion={settings['criterion']!r}, "
            f"level={settings['level']}."
        )
    lines = [
        f"# {name}, trained on photos",
        f"Trained by fashionkit {fashionkit.__version__} on {len(listed.paths)} photos{n_groups}, "
        f"{time.strftime('%Y-%m-%d')}. {rule}",
        f"## Figures\n\n{how}",
    ]
    for row in evaluation.itertuples():
        lines.append(
            f"- {row.target}: {percent(row.accuracy, 1)} right of {row.photos} (95 % interval "
            f"{100 * row.low:.1f} to {100 * row.high:.1f}), expected calibration error "
            f"{percent(row.calibration_error, 1)}; {percent(row.coverage, 1)} accepted, of which "
            f"{percent(row.accepted_accuracy, 1)} are right"
        )
    lines.append("## By class")
    names = ("target", "class", "precision", "recall", "F1", "photos")
    head = f"| {' | '.join(names)} |\n|{' --- |' * len(names)}"
    cells = [
        f"| {row.target} | {row._2} | {percent(row.precision, 1)} | {percent(row.recall, 1)} | "
        f"{percent(row.f1, 1)} | {row.photos} |"
        for row in per_class.itertuples()
    ]
    return "\n\n".join(lines) + "\n\n" + "\n".join([head, *cells]) + "\n"
