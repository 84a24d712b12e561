"""What SelectiveClassifier promises, and what it keeps: calibration, risk, coverage and sets.

    python benchmarks/decisions.py --output runs
    python benchmarks/decisions.py --output runs --models cnn-fast --figures docs/images

Networks are fitted on 54,000 training images of Fashion-MNIST and kept in the output folder;
6,000 other training images calibrate them. The test images evaluate; in halvings, one half of
them calibrates and the other evaluates.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _measure import print_setting, print_table
from _trained import split_training_images, trained
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from fashionkit import SelectiveClassifier, fetch_fashion_mnist
from fashionkit.inspection import (
    expected_calibration_error,
    risk_coverage_areas,
    risk_coverage_curve,
)
from fashionkit.plotting import ReliabilityDisplay, RiskCoverageDisplay, ThresholdDisplay

LEVEL = 0.02
CONFIDENCE = 0.95
SET_CONFIDENCES = (0.9, 0.95)
METHODS = ("lac", "aps", "raps")


class Predicted(ClassifierMixin, BaseEstimator):
    """Classifier of rows of probabilities that were predicted before: each network predicts once.

    Parameters
    ----------
    classes : array-like
        Labels of the columns.
    """

    def __init__(self, classes: Any):
        self.classes = classes

    def fit(self, X: Any, y: Any) -> Predicted:
        """Learn nothing but the classes."""
        self.classes_ = np.asarray(self.classes)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the rows."""
        return X

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row."""
        return self.classes_[X.argmax(axis=1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs"), help="folder of models")
    parser.add_argument("--models", nargs="+", default=["cnn-fast", "cnn-strong"])
    parser.add_argument("--halvings", type=int, default=100)
    parser.add_argument("--figures", type=Path, help="folder to write figures to")
    options = parser.parse_args()
    print_setting("tensorflow", "keras")
    _, X_held, _, y_held = split_training_images()
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    tables: dict[str, list[tuple]] = {"calibration": [], "risk": [], "sets": []}
    for name in options.models:
        model = trained(name, options.output)
        held, test = model.predict_proba(X_held), model.predict_proba(X_test)
        frozen = FrozenEstimator(Predicted(model.classes_).fit(None, None))
        tables["calibration"] += [
            calibrate(name, method, frozen, held, y_held, test, y_test)
            for method in (None, "temperature", "isotonic")
        ]
        tables["risk"] += keep_risk(name, frozen, held, y_held, test, y_test, options.halvings)
        tables["sets"] += cover(name, frozen, test, y_test, min(20, options.halvings))
        if options.figures:
            draw(name, frozen, held, y_held, test, y_test, options.figures)
    print("Calibrated on 6,000 training images, evaluated on 10,000 test images:")
    header = (
        "calibration",
        "temperature",
        "test accuracy (%)",
        "ECE (%)",
        "ECE, calibrated on half of the test images (%)",
        "log loss",
        "accuracy at 90 % coverage (%)",
        "AURC (%)",
        "AUGRC (%)",
    )
    print_table(("model", *header), tables["calibration"])
    print(f'criterion="risk", level={LEVEL}, confidence_level={CONFIDENCE}:')
    header = ("calibrated on", "runs", "exceed the level", "mean risk (%)", "mean coverage (%)")
    print_table(("model", *header), tables["risk"])
    print("Prediction sets, means of 20 halvings of the test images:")
    header = ("method", "conditional", "confidence (%)", "coverage (%)", "worst class (%)", "size")
    print_table(("model", *header), tables["sets"])


def calibrate(name, method, frozen, held, y_held, test, y_test) -> tuple:
    """Return a row of the table of calibrations."""
    classifier = SelectiveClassifier(
        frozen, calibration=method, criterion="coverage", level=0.9, random_state=0
    ).fit(held, y_held)
    probabilities = classifier.predict_proba(test)
    error = expected_calibration_error(y_test, probabilities, classifier.classes_)
    halved = []
    for one, other in halvings(20, y_test):
        classifier_of_half = clone(classifier).fit(test[one], y_test[one])
        values = classifier_of_half.predict_proba(test[other])
        halved.append(expected_calibration_error(y_test[other], values, classifier.classes_))
    is_right = classifier.predict(test) == y_test
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")[: int(0.9 * len(test))]
    areas = risk_coverage_areas(y_test, probabilities, classifier.classes_)
    columns = np.searchsorted(classifier.classes_, y_test)
    log_loss = -np.log(np.maximum(probabilities[np.arange(len(test)), columns], 1e-15)).mean()
    return (
        name,
        method or "none",
        f"{classifier.temperature_:.3f}",
        f"{100 * is_right.mean():.2f}",
        f"{100 * error:.2f}",
        f"{100 * np.mean(halved):.2f}",
        f"{log_loss:.4f}",
        f"{100 * is_right[surest].mean():.2f}",
        *(f"{100 * area:.3f}" for area in areas),
    )


def halvings(n_halvings: int, y: np.ndarray):
    """Yield rows of both halves, drawn at random."""
    for number in range(n_halvings):
        yield train_test_split(np.arange(len(y)), test_size=0.5, random_state=number)


def risk_and_coverage(classifier, rows: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the error rate of what ``decide`` accepts, and the share of that."""
    table = classifier.decide(rows)
    is_accepted = (table["status"] == "accepted").to_numpy()
    wrong = table["label"].to_numpy()[is_accepted] != y[is_accepted]
    return float(wrong.mean()) if len(wrong) else 0.0, float(is_accepted.mean())


def keep_risk(name, frozen, held, y_held, test, y_test, n_halvings: int) -> list[tuple]:
    """Return rows of the table of risks: of halvings of the test images, and of the split."""

    def fitted(rows, y):
        return SelectiveClassifier(
            frozen, criterion="risk", level=LEVEL, confidence_level=CONFIDENCE, random_state=0
        ).fit(rows, y)

    found = []
    for one, other in halvings(n_halvings, y_test):
        classifier = fitted(test[one], y_test[one])
        found.append(risk_and_coverage(classifier, test[other], y_test[other]))
    split = fitted(held, y_held)
    rows = [("half of the test images", found)]
    rows.append(("6,000 training images", [risk_and_coverage(split, test, y_test)]))
    halves = [risk_and_coverage(split, test[one], y_test[one]) for _, one in halvings(100, y_test)]
    rows.append(("6,000 training images, halves", halves))
    return [
        (
            name,
            how,
            len(runs),
            sum(risk > LEVEL for risk, _ in runs),
            *(f"{100 * np.mean(values):.2f}" for values in zip(*runs, strict=True)),
        )
        for how, runs in rows
    ]


def cover(name, frozen, test, y_test, n_halvings: int) -> list[tuple]:
    """Return rows of the table of prediction sets."""
    columns = np.searchsorted(frozen.classes_, y_test)
    rows = []
    for method in METHODS:
        for conditional in (None, "class"):
            for confidence in SET_CONFIDENCES:
                covered, sizes = np.zeros(len(frozen.classes_)), []
                overall = []
                for one, other in halvings(n_halvings, y_test):
                    classifier = SelectiveClassifier(frozen, random_state=0)
                    classifier.fit(test[one], y_test[one])
                    sets = classifier.predict_set(
                        test[other], confidence, method=method, conditional=conditional
                    )
                    inside = sets[np.arange(len(other)), columns[other]]
                    overall.append(inside.mean())
                    sizes.append(sets.sum(axis=1).mean())
                    covered += [inside[columns[other] == one].mean() for one in range(len(covered))]
                worst = (covered / n_halvings)[np.abs(covered / n_halvings - confidence).argmax()]
                rows.append(
                    (
                        name,
                        method,
                        conditional or "none",
                        f"{100 * confidence:.0f}",
                        f"{100 * np.mean(overall):.2f}",
                        f"{100 * worst:.2f}",
                        f"{np.mean(sizes):.3f}",
                    )
                )
    return rows


def draw(name, frozen, held, y_held, test, y_test, folder: Path) -> None:
    """Write reliability before and after, risk against coverage, and the threshold."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    folder.mkdir(parents=True, exist_ok=True)
    classifier = SelectiveClassifier(
        frozen, criterion="risk", level=LEVEL, confidence_level=CONFIDENCE, random_state=0
    ).fit(held, y_held)
    probabilities = classifier.predict_proba(test)
    bins = {}
    for label, values in (("before", test), ("after", probabilities)):
        display = ReliabilityDisplay.from_predictions(
            y_test, values, classes=classifier.classes_, name=label
        )
        bins |= display.bins
        plt.close(display.figure_)
    curve = risk_coverage_curve(y_test, probabilities, classifier.classes_)
    displays = {
        "reliability": ReliabilityDisplay(bins).plot(),
        "risk_coverage": RiskCoverageDisplay({name: curve}, n_images=len(test)).plot(),
        "threshold": ThresholdDisplay.from_estimator(classifier, test, y_test),
    }
    for what, display in displays.items():
        display.figure_.savefig(folder / f"decisions_{what}_{name}.png", dpi=100)
        plt.close(display.figure_)


if __name__ == "__main__":
    main()
