"""What baselines are made of: features, classifiers, and settings tuned for pairs of them.

To add a feature, add a line to ``FEATURES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scipy.stats import loguniform, randint
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from fashionkit.baselines._neighbors import BoundedKNeighborsClassifier
from fashionkit.features import (
    BackboneFeatures,
    ColorHistogram,
    HOGFeatures,
    PixelFeatures,
    SIFTFeatures,
)
from fashionkit.features._pca import BoundedPCA
from fashionkit.svm import CalibratedSVC


@dataclass(frozen=True)
class Part:
    """A kind of features, or a classifier, of baselines.

    Parameters
    ----------
    make : callable
        Returns the transformer of features; of a classifier, the list of steps, the last of
        which has the classifier's name.

    text : str
        What it is, in a few words, for the middle of a sentence.

    needs : str, default=""
        What it needs beside the package's dependencies.

    space : dict of str to distribution or list, default={}
        What searches draw parameters of its steps from. Of features only what is cheap to
        compute anew, as a search computes all others once.
    """

    make: Callable[[], Any]
    text: str
    needs: str = ""
    space: dict[str, Any] = field(default_factory=dict)


def _hog() -> HOGFeatures:
    return HOGFeatures(12, signed=True, interpolate=True, block_norm="L1-sqrt")


def _mobilenetv2() -> BackboneFeatures:
    return BackboneFeatures(
        layers=["low", "mid", "high"],
        image_size=56,
        pooling="grid",
        power=0.5,
        mirror=True,
        dtype="float16",
    )


def _svm() -> list[tuple[str, Any]]:
    return [("pca", BoundedPCA(200)), ("svm", CalibratedSVC(C=10))]


def _knn() -> list[tuple[str, Any]]:
    return [("pca", BoundedPCA(200)), ("knn", BoundedKNeighborsClassifier(weights="distance"))]


def _tree() -> list[tuple[str, Any]]:
    return [("tree", DecisionTreeClassifier(max_depth=12, min_samples_leaf=5))]


def _forest() -> list[tuple[str, Any]]:
    return [("forest", RandomForestClassifier(200))]


# Parameters that are not defaults were chosen on a validation split of Fashion-MNIST's training
# images; docs/benchmarks.rst has the figures.
FEATURES: dict[str, Part] = {
    "hog": Part(_hog, "histograms of oriented gradients"),
    "sift": Part(SIFTFeatures, "a bag of visual words of SIFT descriptors", "extra sift"),
    "color": Part(
        lambda: ColorHistogram(16), "colour histograms", space={"color__bins": [8, 16, 32, 64]}
    ),
    "pixels": Part(PixelFeatures, "raw pixels"),
    "mobilenetv2": Part(
        _mobilenetv2, "features of a frozen MobileNetV2", "ImageNet weights, downloaded once (9 MB)"
    ),
}

# The cost of a kernel or a distance grows with the number of columns, and a few components hold
# most of what tells classes apart.
CLASSIFIERS: dict[str, Part] = {
    "svm": Part(
        _svm,
        "a support vector machine with an RBF kernel",
        space={
            "pca__n_components": [100, 200, 400, 800],
            "svm__C": loguniform(0.1, 100),
        },
    ),
    "knn": Part(
        _knn,
        "a nearest neighbours classifier",
        space={
            "pca__n_components": [25, 50, 100, 200],
            "knn__n_neighbors": randint(1, 31),
            "knn__weights": ["uniform", "distance"],
        },
    ),
    "tree": Part(
        _tree,
        "a decision tree",
        space={"tree__max_depth": randint(5, 26), "tree__min_samples_leaf": randint(1, 21)},
    ),
    "forest": Part(
        _forest,
        "a random forest of 200 trees",
        space={
            "forest__n_estimators": [100, 200, 400],
            "forest__max_features": ["sqrt", "log2"],
            "forest__min_samples_leaf": randint(1, 6),
        },
    ),
}

# Components of a part of the images are as good as those of all, and cost less.
PCA_SAMPLES = 10_000

# Settings of features, their names sorted, with a classifier; "*" stands for every classifier.
TUNED: dict[tuple[str, str], dict[str, Any]] = {
    ("hog", "svm"): {"svm__C": 3, "svm__gamma": 0.06},
    ("color", "knn"): {"knn__n_neighbors": 30},
    ("mobilenetv2", "svm"): {"pca__n_components": 600, "pca__max_samples": PCA_SAMPLES},
    ("mobilenetv2", "knn"): {"pca__max_samples": PCA_SAMPLES},
    ("hog+mobilenetv2", "*"): {
        "union__mobilenetv2__pca__n_components": 600,
        "union__mobilenetv2__norm": "passthrough",
        "union__hog__norm": "passthrough",
        # The histograms then have a quarter of the variance.
        "union__transformer_weights": {"hog": 3.6},
    },
    ("hog+mobilenetv2", "svm"): {"pca__n_components": 800, "pca__max_samples": PCA_SAMPLES},
}

# What searches draw the ``gamma`` of an RBF kernel from: from a tenth of gamma="scale", as it is on
# Fashion-MNIST, to ten times as much. Other features keep the default.
GAMMAS: dict[str, Any] = {
    "hog": loguniform(0.0035, 0.35),
    "sift": loguniform(0.2, 20),
    "color": loguniform(2, 200),
    "pixels": loguniform(0.0015, 0.15),
    "mobilenetv2": loguniform(0.0001, 0.01),
    "hog+mobilenetv2": loguniform(0.0001, 0.01),
}
