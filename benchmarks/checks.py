"""How many of scikit-learn's estimator checks our estimators and SciKeras pass.

python benchmarks/checks.py
"""

from __future__ import annotations

import warnings
from collections import Counter

import keras
from _measure import print_setting, print_table
from scikeras.wrappers import KerasClassifier
from sklearn.base import is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from fashionkit import (
    Augmentation,
    BackboneFeatures,
    CalibratedSVC,
    CNNClassifier,
    ColorHistogram,
    HierarchicalCNNClassifier,
    HOGFeatures,
    InvariantSVC,
    PixelFeatures,
    SIFTFeatures,
    TransferClassifier,
)
from fashionkit.features import BoundedPCA


def backbone(input_shape: tuple[int, int, int]) -> keras.Model:
    """Build a network that works from one pixel up, for the checks' small tables."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    return keras.Model(inputs, x)


BACKBONE = {"backbone": backbone, "weights": None, "pooling": "flatten"}


def dense(meta: dict) -> keras.Model:
    """Build a network for whatever table a check comes with."""
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def main() -> None:
    print_setting("tensorflow", "keras", "scikeras")
    scikeras = KerasClassifier(
        dense, loss="sparse_categorical_crossentropy", epochs=10, verbose=0, random_state=0
    )
    rows, failures = [], []
    for name, estimator in {
        "CNNClassifier": CNNClassifier(),
        "HierarchicalCNNClassifier": HierarchicalCNNClassifier(),
        "Augmentation": Augmentation(),
        "TransferClassifier": TransferClassifier(**BACKBONE, epochs=20, learning_rate=0.01),
        "BackboneFeatures": BackboneFeatures(**BACKBONE),
        "CalibratedSVC": CalibratedSVC(),
        "InvariantSVC": InvariantSVC(make_pipeline(PixelFeatures(), CalibratedSVC(random_state=0))),
        "BoundedPCA": BoundedPCA(),
        "HOGFeatures": HOGFeatures(),
        "SIFTFeatures": SIFTFeatures(),
        "ColorHistogram": ColorHistogram(),
        "PixelFeatures": PixelFeatures(),
        "scikeras KerasClassifier": scikeras,
    }.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = check_estimator(estimator, on_fail=None, on_skip=None)
        status = Counter(result["status"] for result in results)
        rows.append(
            (name, status["passed"], status["failed"], status["skipped"], is_classifier(estimator))
        )
        failures += [(name, r["check_name"]) for r in results if r["status"] == "failed"]
    print_table(("", "passed", "failed", "skipped", "is_classifier"), rows)
    print_table(("", "failed check"), failures)


if __name__ == "__main__":
    main()
