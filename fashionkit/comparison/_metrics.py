"""The metrics of a comparison: one table, from which every report follows.

To add a metric, add a row to :data:`METRICS`: the frame, the CSV file, the text, the HTML and
the documentation of the columns take it from there.
"""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from sklearn.metrics import f1_score, log_loss
from sklearn.utils.multiclass import unique_labels

from fashionkit.comparison._statistics import wilson_interval
from fashionkit.datasets._names import choices

Needs = Literal["labels", "probabilities", "times"]

_DASH = "\N{EN DASH}"
_NEEDS = get_args(Needs)
_DIRECTIONS = {True: " Higher is better.", False: " Lower is better.", None: ""}


@dataclass(frozen=True)
class Outcome:
    """What a model did on the test images: the input of every metric.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        True and predicted labels.

    probabilities : ndarray of shape (n_samples, n_classes) or None
        Predicted probabilities, each row with the sum 1; None for a model without.

    classes : ndarray of shape (n_classes,) or None
        The label of each column of ``probabilities``.

    fit_seconds, predict_seconds : float
        Wall times of fitting, and of predicting all test images.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray | None
    classes: np.ndarray | None
    fit_seconds: float
    predict_seconds: float

    def arguments(self, needs: Needs) -> tuple[Any, ...] | None:
        """Return the arguments of a metric's function; None where the model has none."""
        if needs == "labels":
            return self.y_true, self.y_pred
        if needs == "probabilities":
            known = self.probabilities is not None
            return (self.y_true, self.probabilities, self.classes) if known else None
        return self.fit_seconds, self.predict_seconds, len(self.y_true)


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Parameters
    ----------
    name : str
        Column of the frame and the CSV file.

    label : str
        Heading in text and HTML.

    function : callable
        Returns the value, or one value per column. Its arguments are positional and
        depend on ``needs``.

    needs : {"labels", "probabilities", "times"}
        Arguments of ``function``: ``(y_true, y_pred)``;
        ``(y_true, probabilities, classes)``, NaN for models without ``predict_proba``;
        or ``(fit_seconds, predict_seconds, n_test_samples)``.

    format : callable
        Turns the values into text, for example ``"{:.2%}".format``.

    higher_is_better : bool or None
        None where neither direction is better.

    description : str
        One sentence, for the documentation of the frame and the headings in HTML.

    columns : tuple of str, default=()
        Names of the columns where ``function`` returns several values; by default one
        column called ``name``.
    """

    name: str
    label: str
    function: Callable[..., Any]
    needs: Needs
    format: Callable[..., str]
    higher_is_better: bool | None
    description: str
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.needs not in _NEEDS:
            raise ValueError(
                f"Metric {self.name!r} has needs={self.needs!r}; choose from {choices(_NEEDS)}."
            )

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the frame."""
        return self.columns or (self.name,)

    @property
    def hint(self) -> str:
        """The description in plain text, and which direction is better."""
        return self.description.replace("`", "") + _DIRECTIONS[self.higher_is_better]

    def compute(self, outcome: Outcome) -> dict[str, float]:
        """Return the value of each column."""
        arguments = outcome.arguments(self.needs)
        if arguments is None:
            return dict.fromkeys(self.column_names, np.nan)
        value = self.function(*arguments)
        values = value if self.columns else (value,)
        if len(values) != len(self.column_names):
            raise ValueError(
                f"Metric {self.name!r} returned {len(values)} values but has the columns "
                f"{choices(self.column_names)}; return one value for each."
            )
        return dict(zip(self.column_names, map(float, values), strict=True))

    def text(self, values: Mapping[str, float]) -> str:
        """Return the formatted values; a dash where one is missing."""
        numbers = [values.get(name, np.nan) for name in self.column_names]
        return _DASH if any(map(math.isnan, numbers)) else self.format(*numbers)


def compute_metrics(outcome: Outcome) -> dict[str, float]:
    """Return the value of every column of the table."""
    values: dict[str, float] = {}
    for metric in METRICS:
        try:
            values |= metric.compute(outcome)
        except Exception as error:  # one figure that fails loses neither the model nor the others
            said = f"{type(error).__name__}: {error}"
            warnings.warn(f"Metric {metric.name!r} failed: {said}", UserWarning, stacklevel=5)
            values |= dict.fromkeys(metric.column_names, np.nan)
    return values


def metric_columns() -> list[str]:
    """Return the columns of all metrics, in the order of the table."""
    return [name for metric in METRICS for name in metric.column_names]


def describe_columns() -> str:
    """Return the columns and descriptions of all metrics, as numpydoc lists them."""
    entries = []
    for metric in METRICS:
        text = textwrap.indent(textwrap.fill(metric.description, 74), "    ")
        entries.append(f"{', '.join(metric.column_names)} : float\n{text}")
    return "\n".join(entries)


def _accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return int(np.sum(y_pred == y_true)) / len(y_true)


def _accuracy_interval(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[float, float]:
    return wilson_interval(int(np.sum(y_pred == y_true)), len(y_true))


def _log_loss(y_true: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> float:
    return log_loss(y_true, probabilities, labels=classes)


def _macro_f1(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    labels = unique_labels(y_true)
    return f1_score(y_true, y_pred, labels=labels, average="macro", zero_division=0.0)


def _format_interval(low: float, high: float) -> str:
    return f"{100 * low:.1f}{_DASH}{100 * high:.1f}"


METRICS: tuple[Metric, ...] = (
    Metric(
        name="accuracy",
        label="accuracy",
        function=_accuracy,
        needs="labels",
        format="{:.2%}".format,
        higher_is_better=True,
        description="Fraction of the test images classified correctly.",
    ),
    Metric(
        name="accuracy_interval",
        columns=("accuracy_low", "accuracy_high"),
        label="95% interval",
        function=_accuracy_interval,
        needs="labels",
        format=_format_interval,
        higher_is_better=None,
        description="Wilson's 95 % score interval of the accuracy.",
    ),
    Metric(
        name="log_loss",
        label="log loss",
        function=_log_loss,
        needs="probabilities",
        format="{:.4f}".format,
        higher_is_better=False,
        description="Mean cross-entropy of the predicted probabilities in nats; "
        "NaN for models without ``predict_proba``.",
    ),
    Metric(
        name="macro_f1",
        label="macro F1",
        function=_macro_f1,
        needs="labels",
        format="{:.2%}".format,
        higher_is_better=True,
        description="Mean F1 score of the classes that occur in the test images.",
    ),
    Metric(
        name="fit_seconds",
        label="fit",
        function=lambda fit_seconds, predict_seconds, n: fit_seconds,
        needs="times",
        format="{:.1f} s".format,
        higher_is_better=False,
        description="Wall time of ``fit`` in seconds.",
    ),
    Metric(
        name="predict_ms_per_image",
        label="predict",
        function=lambda fit_seconds, predict_seconds, n: 1000.0 * predict_seconds / n,
        needs="times",
        format="{:.3f} ms/image".format,
        higher_is_better=False,
        description="Wall time of ``predict`` in milliseconds per test image.",
    ),
)
