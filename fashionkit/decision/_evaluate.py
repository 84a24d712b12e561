"""Evaluation of a training procedure on photos held out from the fit, and its model card."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import precision_recall_fscore_support

import fashionkit
from fashionkit.comparison._statistics import wilson_interval
from fashionkit.datasets._names import percent
from fashionkit.decision._fit import Fitter, Split, make_splits
from fashionkit.decision._held_out import predict_logits
from fashionkit.decision._labelled import Labelled
from fashionkit.inspection import expected_calibration_error

_PER_CLASS = ["target", "class", "precision", "recall", "f1", "photos"]


def evaluate(
    fitter: Fitter,
    X: Any,
    listed: Labelled,
    n_folds: int | None,
    n_jobs: int | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fit on a part of the photos, and decide on the others.

    A cheap classifier is fitted once for each fold. The predictions of a fold are calibrated on
    those of all other folds, which also determine the threshold. An expensive classifier is
    calibrated on photos held out from the training part.

    Parameters
    ----------
    fitter : Fitter
        Method of fitting and calibration.

    X : ndarray of shape (n_photos, n_features) or ImageFolder
        Features or images.

    listed : Labelled
        Paths, labels and groups of the photos.

    n_folds : int or None
        Number of folds; None for a single split that holds out a fifth.

    n_jobs : int or None
        Number of folds to fit at the same time.

    Returns
    -------
    evaluation : DataFrame of shape (n_targets, 8)
        Row for each target.

    per_class : DataFrame of shape (n_classes, 6)
        Row for each class of each target.

    predictions : DataFrame of shape (n_predictions, 12)
        Row for each photo of each target that was predicted.
    """
    evaluation, per_class, predictions = [], [], []
    for target in listed.targets:
        y = listed.targets[target].to_numpy(object)
        splits = make_splits(y, listed.groups, n_folds, fitter.seed)
        one_by_one = fitter.is_cheap and n_folds is not None
        answer = _answer if one_by_one else _fit_and_decide
        parts = Parallel(n_jobs)(
            delayed(answer)(fitter, X, y, listed.groups, split) for split in splits
        )
        decided = [_calibrated(fitter, y, splits, parts)] if one_by_one else parts
        table = pd.concat([rows for rows, _ in decided])
        probabilities = pd.concat([shares for _, shares in decided]).fillna(0.0)
        evaluation.append({"target": target, **_figures(table, probabilities)})
        per_class.append(_per_class(table).assign(target=target))
        table.insert(0, "path", listed.paths[table.index])
        table.insert(0, "target", target)
        predictions.append(table)
    return (
        pd.DataFrame(evaluation),
        pd.concat(per_class, ignore_index=True)[_PER_CLASS],
        pd.concat(predictions, ignore_index=True),
    )


class _Said(ClassifierMixin, BaseEstimator):
    """Classifier whose input is its decision scores.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class label of each column.
    """

    def __init__(self, classes: np.ndarray) -> None:
        self.classes = classes

    @property
    def classes_(self) -> np.ndarray:
        return self.classes

    def fit(self, X: Any, y: Any = None) -> _Said:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def decision_function(self, X: Any) -> np.ndarray:
        return np.asarray(X)

    def predict(self, X: Any) -> np.ndarray:
        return self.classes[np.asarray(X).argmax(axis=1)]


def _answer(
    fitter: Fitter, X: Any, y: np.ndarray, groups: np.ndarray | None, split: Split
) -> pd.DataFrame:
    """Return the logits of the test part, by a classifier fitted on the training part."""
    train, test = split
    classifier = fitter.choose(X[train], y[train], None if groups is None else groups[train])
    classifier.fit(X[train], y[train])
    classes = np.asarray(classifier.classes_)
    return pd.DataFrame(predict_logits(classifier, X[test], classes), test, classes)


def _calibrated(
    fitter: Fitter, y: np.ndarray, splits: list[Split], parts: list[pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the decisions and probabilities of each part, calibrated on the other parts."""
    # A class that a classifier was not trained on receives the lowest logit of all.
    said = pd.concat(parts).sort_index()
    said = said.fillna(said.min(axis=None))[sorted(said.columns, key=str)]
    classes = np.array(said.columns)
    tables, probabilities = [], []
    for _, test in splits:
        others = np.setdiff1d(said.index, test)
        model = fitter.select(FrozenEstimator(_Said(classes)))
        with _only_the_last_warns():
            model.fit(said.loc[others].to_numpy(), y[others])
        X = said.loc[test].to_numpy()
        tables.append(_indexed(model.decide(X), y, test))
        probabilities.append(pd.DataFrame(model.predict_proba(X), test, classes))
    return pd.concat(tables), pd.concat(probabilities)


def _fit_and_decide(
    fitter: Fitter, X: Any, y: np.ndarray, groups: np.ndarray | None, split: Split
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the decisions and probabilities of the test part, by a model of the training part."""
    train, test = split
    with _only_the_last_warns():
        model = fitter.fit(X[train], y[train], None if groups is None else groups[train])
    probabilities = pd.DataFrame(model.predict_proba(X[test]), test, model.classes_)
    return _indexed(model.decide(X[test]), y, test), probabilities


@contextmanager
def _only_the_last_warns() -> Iterator[None]:
    """Ignore warnings that a model of a part accepts nothing: the final model warns itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No threshold can be shown to keep", UserWarning)
        yield


def _indexed(decided: pd.DataFrame, y: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
    decided = decided.set_axis(rows, axis=0)
    decided.insert(0, "true", y[rows])
    return decided


def _figures(table: pd.DataFrame, probabilities: pd.DataFrame) -> dict[str, Any]:
    right = (table["label"] == table["true"]).to_numpy(bool)
    accepted = (table["status"] == "accepted").to_numpy()
    low, high = wilson_interval(int(right.sum()), len(right))
    # A class without training photos has probability 0.
    classes = sorted({*probabilities, *table["true"]}, key=str)
    columns = probabilities.reindex(columns=classes).fillna(0.0).to_numpy()
    names = [str(one) for one in classes]
    return {
        "photos": len(table),
        "accuracy": float(right.mean()),
        "low": low,
        "high": high,
        "calibration_error": expected_calibration_error(
            table["true"].astype(str).tolist(), columns, names
        ),
        "coverage": float(accepted.mean()),
        "accepted_accuracy": float(right[accepted].mean()) if accepted.any() else float("nan"),
    }


def _per_class(table: pd.DataFrame) -> pd.DataFrame:
    classes = sorted(set(table["true"]), key=str)
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
    """Write the model card in Markdown.

    Parameters
    ----------
    name : str
        Name of the model.

    listed : Labelled
        Training photos.

    tables : tuple of DataFrame
        Evaluation of each target, and of each class.

    how : str
        Sentences on the photos that were used in the evaluation.

    settings : dict
        Parameters of the SelectiveClassifier.

    Returns
    -------
    card : str
        Model card.
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
