"""The metrics of a comparison: one table, from which every report follows.

To add a metric, add a row to :data:`METRICS`: the frame, the CSV file, the text, the HTML and
the documentation of the columns take it from there.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score, log_loss, recall_score
from sklearn.utils.multiclass import unique_labels

from fashionkit._images import users_level
from fashionkit.comparison._metric import DASH, Costs, Metric, Outcome
from fashionkit.comparison._statistics import wilson_interval
from fashionkit.datasets._names import percent
from fashionkit.inspection._calibration import expected_calibration_error


def compute_metrics(outcome: Outcome) -> dict[str, float]:
    """Return the value of every column of the table, and of the user's scores."""
    values: dict[str, float] = {}
    for metric in metric_table(list(outcome.scores)):
        try:
            values |= metric.compute(outcome)
        except Exception as error:  # one figure that fails loses neither the model nor the others
            said = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"Metric {metric.name!r} failed: {said}", UserWarning, stacklevel=users_level()
            )
            values |= dict.fromkeys(metric.column_names, np.nan)
    return values


def metric_table(scores: Sequence[str] = ()) -> list[Metric]:
    """Return all metrics in the order of the table, and after them the user's scores."""
    return [*METRICS, *map(_score, scores)]


def metric_columns(scores: Sequence[str] = ()) -> list[str]:
    """Return the columns of all metrics, in the order of the table."""
    return [name for metric in metric_table(scores) for name in metric.column_names]


def describe_columns() -> str:
    """Return the columns and descriptions of all metrics, as numpydoc lists them."""
    entries = []
    for metric in METRICS:
        text = textwrap.indent(textwrap.fill(metric.description, 74), "    ")
        entries.append(f"{', '.join(metric.column_names)} : float\n{text}")
    return "\n".join(entries)


def _score(name: str) -> Metric:
    return Metric(
        name=name,
        label=name,
        function=lambda scores: scores[name],
        needs="scores",
        format="{:.4f}".format,
        higher_is_better=True,  # scikit-learn's rule for scorers
        description=f"Score {name!r}, passed as ``scoring``.",
    )


def _accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return int(np.sum(y_pred == y_true)) / len(y_true)


def _accuracy_interval(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[float, float]:
    return wilson_interval(int(np.sum(y_pred == y_true)), len(y_true))


def _balanced_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return recall_score(y_true, y_pred, labels=unique_labels(y_true), average="macro")


def _macro_f1(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    labels = unique_labels(y_true)
    return f1_score(y_true, y_pred, labels=labels, average="macro", zero_division=0.0)


def _log_loss(y_true: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> float:
    return log_loss(y_true, probabilities, labels=classes)


def _top_2_accuracy(y_true: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> float:
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    return float(np.mean((classes[best] == y_true[:, None]).any(axis=1)))


def _format_interval(low: float, high: float) -> str:
    return f"{100 * low:.1f}{DASH}{100 * high:.1f}"


def _format_milliseconds(value: float) -> str:
    return f"{value:.3f} ms" if value < 10 else f"{value:.1f} ms"


def _format_bytes(value: float) -> str:
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def _per_image(seconds: float, costs: Costs) -> float:
    return 1000.0 * seconds / costs.n_images


METRICS: tuple[Metric, ...] = (
    Metric(
        name="accuracy",
        label="accuracy",
        function=_accuracy,
        needs="labels",
        format=percent,
        higher_is_better=True,
        description="Fraction of the evaluated images classified correctly.",
        is_brief=True,
    ),
    Metric(
        name="accuracy_interval",
        columns=("accuracy_low", "accuracy_high"),
        label="95 % interval",
        function=_accuracy_interval,
        needs="labels",
        format=_format_interval,
        higher_is_better=None,
        description="95 % interval of the accuracy: Wilson's score interval on a test set, and "
        "the corrected resampled t interval of the mean on folds.",
        is_brief=True,
    ),
    Metric(
        name="balanced_accuracy",
        label="balanced accuracy",
        function=_balanced_accuracy,
        needs="labels",
        format=percent,
        higher_is_better=True,
        description="Mean recall of the classes that occur in the evaluated images.",
    ),
    Metric(
        name="macro_f1",
        label="macro F1",
        function=_macro_f1,
        needs="labels",
        format=percent,
        higher_is_better=True,
        description="Mean F1 score of the classes that occur in the evaluated images.",
        is_brief=True,
    ),
    Metric(
        name="top_2_accuracy",
        label="top-2 accuracy",
        function=_top_2_accuracy,
        needs="probabilities",
        format=percent,
        higher_is_better=True,
        description="Fraction of the evaluated images whose class is one of the two most "
        "probable; NaN for models without ``predict_proba``.",
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
        is_brief=True,
    ),
    Metric(
        name="expected_calibration_error",
        label="calibration error",
        function=expected_calibration_error,
        needs="probabilities",
        format=percent,
        higher_is_better=False,
        description="Expected calibration error: mean difference between confidence and accuracy "
        "in 15 bins of equal width (Guo et al. 2017); NaN for models without ``predict_proba``.",
    ),
    Metric(
        name="fit_seconds",
        label="fit",
        function=lambda costs: costs.fit_seconds,
        needs="costs",
        format="{:.1f} s".format,
        higher_is_better=False,
        description="Wall time of ``fit`` in seconds.",
        is_brief=True,
    ),
    Metric(
        name="fit_cpu_seconds",
        label="fit, CPU",
        function=lambda costs: costs.fit_cpu_seconds,
        needs="costs",
        format="{:.1f} s".format,
        higher_is_better=False,
        description="CPU time of ``fit`` in seconds, of all threads of the process.",
    ),
    Metric(
        name="predict_ms_per_image",
        label="predict",
        function=lambda costs: _per_image(costs.predict_seconds, costs),
        needs="costs",
        format=_format_milliseconds,
        higher_is_better=False,
        description="Wall time of ``predict`` on all evaluated images, in milliseconds per image.",
        is_brief=True,
    ),
    Metric(
        name="predict_cpu_ms_per_image",
        label="predict, CPU",
        function=lambda costs: _per_image(costs.predict_cpu_seconds, costs),
        needs="costs",
        format=_format_milliseconds,
        higher_is_better=False,
        description="CPU time of the same, in milliseconds per image.",
    ),
    Metric(
        name="single_predict_ms",
        label="one image",
        function=lambda costs: 1000.0 * costs.single_predict_seconds,
        needs="costs",
        format=_format_milliseconds,
        higher_is_better=False,
        description="Median wall time of ``predict`` on one single image, in milliseconds.",
    ),
    Metric(
        name="n_parameters",
        label="parameters",
        function=lambda costs: costs.n_parameters,
        needs="costs",
        format="{:,.0f}".format,
        higher_is_better=False,
        description="Number of weights of a network; NaN for other models.",
    ),
    Metric(
        name="n_bytes",
        label="size",
        function=lambda costs: costs.n_bytes,
        needs="costs",
        format=_format_bytes,
        higher_is_better=False,
        description="Size of the pickled model in bytes; NaN if it cannot be pickled.",
    ),
)
