"""Comparisons of models that nobody has to fit."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkit import Comparison
from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._metric import Costs, Outcome
from fashionkit.comparison._metrics import compute_metrics
from fashionkit.comparison._splits import make_data

HISTORY = {"accuracy": [0.5, 0.7], "loss": [1.0, 0.5]}


@pytest.fixture(scope="session")
def made_up():
    """Return a function that makes comparisons of models which predict by drawing lots."""
    return make_up


def make_up(
    skills,
    *,
    X=None,
    labels=(0, 1, 2),
    class_names=None,
    with_test=True,
    cv=None,
    failed=(),
    without_probabilities=(),
    milliseconds=1.0,
):
    """Return a comparison of models, by name, that are right as often as their skills say.

    The second half of the images is the test set.
    """
    rng = np.random.RandomState(0)
    X = rng.randint(0, 256, (400, 28, 28), dtype=np.uint8) if X is None else X
    half = len(X) // 2
    y = np.array(labels)[np.arange(len(X)) % len(labels)]
    test = (X[half:], y[half:]) if with_test else (None, None)
    data = make_data(X[:half], y[:half], *test, cv=cv, groups=None, class_names=class_names)
    results = []
    for name, skill in skills.items():
        for part in data.parts:
            y_true = data.part(part)[1].y
            probabilities = _draw(rng, np.searchsorted(data.labels, y_true), skill, len(labels))
            y_pred = data.labels[probabilities.argmax(axis=1)]
            known = None if name in without_probabilities else probabilities
            costs = Costs(1.5, 2.5, 0.5, 0.5, milliseconds / 1000, len(y_true), n_bytes=12_345.0)
            metrics = compute_metrics(Outcome(y_true, y_pred, known, data.labels, costs))
            history = None if name in without_probabilities else HISTORY
            results.append(
                Result(name, part, "", None, y_pred, known, history=history, metrics=metrics)
            )
    errors = [
        Result(name, part, "MemoryError: no <room>") for name in failed for part in data.parts
    ]
    return Comparison([*results, *errors], data, 0)


def _draw(rng, targets, skill, n_classes):
    """Draw probabilities, the largest of which is that of the target as often as wanted."""
    probabilities = np.sort(rng.dirichlet(np.ones(n_classes), len(targets)), axis=1)
    missed = rng.uniform(size=len(targets)) >= skill
    missed_by = np.where(missed, rng.randint(1, n_classes, len(targets)), 0)
    largest = (targets + missed_by) % n_classes
    columns = (np.arange(n_classes) + largest[:, None] + 1) % n_classes
    drawn = np.empty_like(probabilities)
    np.put_along_axis(drawn, columns, probabilities, axis=1)
    return drawn
