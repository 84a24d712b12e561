"""Fixtures of the tests of figures: no windows, and a comparison of models made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from fashionkit.inspection import expected_calibration_error


@pytest.fixture(autouse=True)
def closed_figures(monkeypatch):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


class HandmadeComparison(SimpleNamespace):
    """What displays read of a comparison."""

    def to_frame(self):
        return self.frame.copy()

    def confusion_matrix(self, name):
        return confusion_matrix(self.y_true_, self.predictions_[name], labels=self.classes_)

    def pairwise(self, margin=0.005):
        self.margin = margin
        return self.pairs.copy()


@pytest.fixture
def make_comparison():
    """Return a function that makes a comparison of models, the last without probabilities."""
    return _make_comparison


def _make_comparison(names, n_classes=3, n_images=60):
    random = np.random.RandomState(0)
    n = len(names)
    classes = np.array([f"label {i}" for i in range(n_classes)])
    y_true = np.resize(classes, n_images)
    images = random.randint(0, 256, (2 * n_images, 8, 8)).astype(np.uint8)
    predictions, probabilities = {}, {}
    for i, name in enumerate(names):
        scores = random.dirichlet(np.ones(n_classes), n_images)
        scores += (0.9 - 0.02 * i) * (y_true[:, None] == classes)
        probabilities[name] = scores / scores.sum(axis=1, keepdims=True)
        predictions[name] = classes[scores.argmax(axis=1)]
    if n > 1:
        probabilities[names[-1]] = None
    accuracy = np.array([np.mean(predicted == y_true) for predicted in predictions.values()])
    order = [list(names)[i] for i in np.argsort(-accuracy, kind="stable")]
    accuracy = np.sort(accuracy)[::-1]
    frame = pd.DataFrame(
        {
            "model": order,
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.03,
            "accuracy_high": accuracy + 0.02,
            "expected_calibration_error": [
                np.nan
                if probabilities[name] is None
                else expected_calibration_error(y_true, probabilities[name], classes)
                for name in order
            ],
            "fit_seconds": np.linspace(10, 1, n),
            "single_predict_ms": np.geomspace(20, 0.1, n),
            "n_bytes": 1000 * np.arange(1, n + 1),
        }
    )
    rows = [
        (order[i], order[j], accuracy[i] - accuracy[j], 0.02, 0.04, 0.7, 0.2, 0.1)
        for i in range(n)
        for j in range(i + 1, n)
    ]
    columns = [
        "first",
        "second",
        "difference",
        "p_value",
        "p_holm",
        "p_better",
        "p_equal",
        "p_worse",
    ]
    return HandmadeComparison(
        frame=frame,
        pairs=pd.DataFrame(rows, columns=columns),
        predictions_={name: predictions[name] for name in order},
        probabilities_={name: probabilities[name] for name in order},
        y_true_=y_true,
        indices_=np.arange(n_images)[::-1] * 2,
        images_=images,
        classes_=classes,
        class_names_=[f"Class {i}" for i in range(n_classes)],
        histories_={},
        errors_={},
    )
