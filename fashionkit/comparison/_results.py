"""The results of each model, of the test set and of all folds, in the order of their ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._metrics import metric_columns
from fashionkit.comparison._splits import TEST, Data
from fashionkit.comparison._statistics import resampled_interval

if TYPE_CHECKING:
    import pandas as pd

Part = Literal["test", "folds"]

STD = "_std"
_INTERVAL = ("accuracy_low", "accuracy_high")


@dataclass(frozen=True)
class ModelResults:
    """What one model has reached.

    Parameters
    ----------
    name : str
        Name of the model.

    test : Result or None
        Of the test set.

    folds : list of Result
        Of each fold.

    error : str
        Of the first part that failed; the model is not ranked then.
    """

    name: str
    test: Result | None
    folds: list[Result]
    error: str

    def of(self, part: Part) -> list[Result]:
        """Return the results of the test set, or of the folds."""
        return self.folds if part == "folds" else [] if self.test is None else [self.test]

    def values(self, part: Part, data: Data) -> dict[str, float]:
        """Return the value of each column, and of folds their means and standard deviations."""
        if self.error:
            return {}
        if part == TEST:
            assert self.test is not None
            return self.test.metrics
        values: dict[str, float] = {}
        for name in self.folds[0].metrics:
            scores = np.array([fold.metrics[name] for fold in self.folds])
            values[name] = float(scores.mean())
            if name not in _INTERVAL:
                values[name + STD] = float(scores.std(ddof=1)) if len(scores) > 1 else np.nan
        interval = resampled_interval(self.accuracies(), data.test_share)
        return values | dict(zip(_INTERVAL, interval, strict=True))

    def accuracies(self) -> np.ndarray:
        """Return the accuracy on each fold."""
        return np.array([fold.metrics["accuracy"] for fold in self.folds])

    def predictions(self, part: Part) -> np.ndarray:
        """Return the predicted label of each evaluated image."""
        return np.concatenate([result.y_pred for result in self.of(part)])

    def probabilities(self, part: Part) -> np.ndarray | None:
        """Return the probabilities of each evaluated image; None for a model without."""
        found = [result.probabilities for result in self.of(part)]
        return None if any(one is None for one in found) else np.concatenate(found)  # type: ignore[arg-type]


def group(results: Sequence[Result], data: Data, part: Part) -> list[ModelResults]:
    """Group results by their models: most accurate first, and those that failed last."""
    by_model: dict[str, list[Result]] = {}
    for result in results:
        by_model.setdefault(result.model, []).append(result)
    models = []
    for name, own in by_model.items():
        test = [result for result in own if result.part == TEST]
        folds = [result for result in own if result.part != TEST]
        models.append(ModelResults(name, test[0] if test else None, folds, _error(own)))
    return sorted(models, key=lambda model: _rank(model, data, part))


def columns(part: Part, scores: Sequence[str]) -> list[str]:
    """Return the columns of the table of a part: of folds, each mean before its spread."""
    names = metric_columns(scores)
    if part == TEST:
        return names
    return [
        column
        for name in names
        for column in ((name,) if name in _INTERVAL else (name, name + STD))
    ]


def to_frame(
    models: Sequence[ModelResults], part: Part, data: Data, scores: Sequence[str]
) -> pd.DataFrame:
    """Return the table of :meth:`fashionkit.Comparison.to_frame`."""
    import pandas as pd

    names = columns(part, scores)
    rows = []
    for model in models:
        values = model.values(part, data)
        figures = {name: values.get(name, np.nan) for name in names}
        rows.append({"model": model.name, **figures, "error": model.error})
    frame = pd.DataFrame(rows)
    return frame if any(model.error for model in models) else frame.drop(columns="error")


def per_class(
    predictions: Mapping[str, np.ndarray],
    y_true: np.ndarray,
    classes: np.ndarray,
    class_names: Sequence[str],
) -> pd.DataFrame:
    """Return the table of :meth:`fashionkit.Comparison.per_class`."""
    import pandas as pd

    parts = []
    for name, y_pred in predictions.items():
        figures = precision_recall_fscore_support(y_true, y_pred, labels=classes, zero_division=0.0)
        columns = dict(zip(("precision", "recall", "f1", "support"), figures, strict=True))
        parts.append(pd.DataFrame({"model": name, "class": list(class_names), **columns}))
    return pd.concat(parts, ignore_index=True)


def _error(results: Sequence[Result]) -> str:
    failed = [result for result in results if result.error]
    if not failed:
        return ""
    first = failed[0]
    return first.error if len(results) == 1 else f"{first.part}: {first.error}"


def _rank(model: ModelResults, data: Data, part: Part) -> tuple[Any, ...]:
    """Return what models are sorted by: their names only where all figures are the same."""
    values = model.values(part, data)
    loss = values.get("log_loss", np.nan)
    accuracy, f1 = (values.get(name, -np.inf) for name in ("accuracy", "macro_f1"))
    return bool(model.error), -accuracy, np.inf if np.isnan(loss) else loss, -f1, model.name
