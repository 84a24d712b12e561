"""Fit one model, predict images, and record both by the clock."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from fashionkit._times import Times, saved_times
from fashionkit.comparison._answers import (
    Answers,
    check_classes,
    check_predictions,
    compute_scores,
    in_order,
    predict_proba,
)
from fashionkit.comparison._fits import fit
from fashionkit.comparison._forms import flat_rows, takes_images
from fashionkit.comparison._metric import Costs, Outcome
from fashionkit.comparison._metrics import compute_metrics
from fashionkit.comparison._models import forget_memory
from fashionkit.comparison._splits import TEST, Data, ImageSet
from fashionkit.plotting._history import training_history

_N_WARM_UP = 8

# Predictions of one image: their maximum number, and seconds after which no new one begins.
_N_SINGLE = 10
_SINGLE_SECONDS = 1.0


@dataclass(frozen=True)
class Result:
    """Evaluation of one model on one part, or the error that ended it.

    Parameters
    ----------
    model : str
        Name of the model.

    part : str
        "test", or the name of a fold.

    error : str, default=""
        Type and message of the exception; the fields below are empty then.

    estimator : estimator, default=None
        The fitted model; of the test set only.

    y_pred : ndarray of shape (n_evaluated,), default=None
        Predicted labels.

    probabilities : ndarray of shape (n_evaluated, n_classes), default=None
        Predicted probabilities in the order of all labels.

    history : dict of str to list of float, default=None
        Training history of a model that is trained in epochs.

    metrics : dict of str to float
        The value of each column of the table of metrics.

    traceback : str, default=""
        Where the exception was raised, as text.

    exception : Exception, default=None
        The exception itself. It stays in its process: not every exception can be pickled.
    """

    model: str
    part: str
    error: str = ""
    estimator: Any = None
    y_pred: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    history: Mapping[str, Any] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    traceback: str = ""
    exception: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "exception": None}


def evaluate(
    model: str,
    estimator: Any,
    part: str,
    data: Data,
    *,
    scorers: Mapping[str, Callable] | None = None,
    memory: Any = None,
    checkpoint_dir: Path | None = None,
) -> Result:
    """Fit an estimator and evaluate it on the images of one part; an exception is a result, too.

    Parameters
    ----------
    model : str
        Name of the model.

    estimator : estimator
        A clone that nobody else uses.

    part : str
        "test", or the name of a fold.

    data : Data
        All images.

    scorers : dict of str to callable, default=None
        The user's scores, functions of ``(estimator, X, y)``.

    memory : path, default=None
        Cache of features that is deleted after the comparison.

    checkpoint_dir : path, default=None
        Folder for the state of a training, from which a killed comparison goes on.

    Returns
    -------
    result : Result
        The evaluation.
    """
    try:
        return _evaluate(model, estimator, part, data, scorers or {}, memory, checkpoint_dir)
    except Exception as error:  # whatever a model raises, the others are evaluated
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Result(model, part, error=said, traceback=traceback.format_exc(), exception=error)


def _evaluate(
    model: str,
    estimator: Any,
    part: str,
    data: Data,
    scorers: Mapping[str, Callable],
    memory: Any,
    checkpoint_dir: Path | None,
) -> Result:
    train, test = (_in_form(images, estimator) for images in data.part(part))
    with saved_times() as saved:
        fit_times = _measure(lambda: fit(estimator, train, checkpoint_dir))[1]
    for times in saved:
        fit_times = fit_times.plus(times)
    classes = check_classes(estimator, data.labels)
    estimator.predict(_safe_indexing(test.X, slice(0, _N_WARM_UP)))
    predicted, predict_times = _measure(lambda: estimator.predict(test.X))
    y_pred = check_predictions(predicted, data.labels, len(test))
    single_seconds = _time_single(estimator, test.X)
    answers = {"predict": y_pred}
    probabilities = predict_proba(model, estimator, test.X, classes)
    if probabilities is not None:
        answers["predict_proba"] = probabilities
        probabilities = in_order(probabilities, classes, data.labels)
    scores = compute_scores(model, scorers, Answers(estimator, test.X, answers), test)
    if memory is not None:
        forget_memory(estimator, memory)
    costs = Costs(
        *fit_times,
        *predict_times,
        single_seconds,
        len(test),
        _n_parameters(estimator),
        _n_bytes(estimator),
    )
    outcome = Outcome(test.y, y_pred, probabilities, data.labels, costs, scores)
    return Result(
        model=model,
        part=part,
        estimator=estimator if part == TEST else None,
        y_pred=y_pred,
        probabilities=probabilities,
        history=training_history(estimator),
        metrics=compute_metrics(outcome),
    )


def _in_form(images: ImageSet, estimator: Any) -> ImageSet:
    return images if takes_images(estimator) else ImageSet(flat_rows(images.X), images.y)


def _measure(work: Callable[[], Any]) -> tuple[Any, Times]:
    start = Times.now()
    result = work()
    return result, Times.now().since(start)


def _time_single(estimator: Any, X: Any) -> float:
    """Return the median time of a prediction of one image, after one to warm up."""
    seconds: list[float] = []
    end = time.perf_counter() + _SINGLE_SECONDS
    for i in range(_N_SINGLE + 1):
        image = _safe_indexing(X, [i % len(X)])
        start = time.perf_counter()
        estimator.predict(image)
        seconds.append(time.perf_counter() - start)
        if time.perf_counter() > end:
            break
    return float(np.median(seconds[1:] or seconds))


def _n_parameters(estimator: Any) -> float:
    """Return the number of weights of a network, or of the one at the end of a pipeline."""
    for name in ("best_estimator_", "estimator"):
        if hasattr(estimator, name):
            return _n_parameters(getattr(estimator, name))
    if hasattr(estimator, "steps"):
        return _n_parameters(estimator.steps[-1][1])
    network = getattr(estimator, "_network", None)
    return np.nan if network is None else float(network.n_parameters)


def _n_bytes(estimator: Any) -> float:
    """Return the size of the pickled model, which is not kept."""
    counter = _Counter()
    try:
        pickle.dump(estimator, counter, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:  # whatever a model holds: functions, locks, open files
        return np.nan
    return float(counter.n_bytes)


class _Counter:
    """A file that counts what is written to it."""

    n_bytes = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.n_bytes += size
        return size
