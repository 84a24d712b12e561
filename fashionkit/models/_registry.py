"""What the models are: a record for each name.

To name a model, add a line to ``MODELS``. Pairs of features and classifiers need none: they are
named after what the registry of ``baselines`` holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit.baselines import make_baseline
from fashionkit.baselines._memory import once
from fashionkit.baselines._registry import CLASSIFIERS, FEATURES, GAMMAS
from fashionkit.features import BoundedPCA, ChunkedTransformer
from fashionkit.models._photos import photo_features
from fashionkit.neural import (
    CNNClassifier,
    HierarchicalCNNClassifier,
    TransferClassifier,
    recipes,
)
from fashionkit.svm import InvariantSVC, NystroemClassifier

_WEIGHTS = FEATURES["mobilenetv2"].needs
_OF_INVARIANT = f"{_WEIGHTS}; with the extra intelex several times faster"


@dataclass(frozen=True)
class Model:
    """A model by its name.

    Parameters
    ----------
    kind : str
        "network", "transfer", "features" or "ensemble".

    text : str
        What it is, in one sentence.

    make : callable
        Returns the estimator. Its argument is the cache for features, None for none.

    needs : str, default=""
        What it needs beside the package's dependencies.

    space : dict of str to distribution or list, default={}
        Distributions of parameters that searches draw from, beside those that ``_spaces.py`` has
        for estimators of its kind.
    """

    kind: str
    text: str
    make: Callable[[Any], BaseEstimator]
    needs: str = ""
    space: dict[str, Any] = field(default_factory=dict)


# Each is another network, which is compiled once.
_DROPOUT = {"architecture__dropout": [0.0, 0.25, 0.5]}

_NYSTROEM = {"nystroem__alpha": loguniform(1e-8, 1e-4), "nystroem__gamma": GAMMAS["hog"]}


def _network(recipe: str, text: str) -> Model:
    return Model("network", text, lambda memory: CNNClassifier.from_recipe(recipe), space=_DROPOUT)


def _transfer(recipe: str, text: str) -> Model:
    return Model("transfer", text, lambda memory: TransferClassifier.from_recipe(recipe), _WEIGHTS)


def _hierarchical(memory: Any) -> BaseEstimator:
    """Return the hierarchical network that was measured: the recipe "strong", ten epochs."""
    params = {**recipes.get("strong"), "epochs": 10}
    del params["architecture"]
    return HierarchicalCNNClassifier(**params)


def _hog_nystroem(
    memory: Any, features: dict[str, Any] | None = None, **params: Any
) -> BaseEstimator:
    """Return the features and the kernel of "hog-svm", in time that grows linearly."""
    svm = make_baseline("hog", "svm", **(features or {}))
    classifier = NystroemClassifier(gamma=svm["svm"].gamma, C=svm["svm"].C, **params)
    steps = [("features", ChunkedTransformer(svm[:-1])), ("nystroem", classifier)]
    return Pipeline(steps, memory=once(memory))


def _hog_fast(memory: Any) -> BaseEstimator:
    return _hog_nystroem(
        memory,
        {"pca__max_samples": 5_000},
        n_components=5_000,
        max_samples=12_000,
        calibration_size=2_000,
    )


def _hog_quick(memory: Any) -> BaseEstimator:
    # Of HOG, the principal components take most of the time: of fewer columns and images.
    return _hog_nystroem(
        memory,
        {"hog__orientations": 8, "pca__n_components": 150, "pca__max_samples": 2_000},
        n_components=2_000,
        max_samples=5_000,
        calibration_size=2_000,
    )


def _photos_lda(memory: Any) -> BaseEstimator:
    # Components of a part of the photos are as good as those of all, and cost a third. These and
    # the shrinkage were chosen on other senders within the training part of the first of five
    # folds of photos.
    steps = [
        ("photos", photo_features()),
        ("scale", StandardScaler()),
        ("pca", BoundedPCA(600, max_samples=1_000)),
        ("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2)),
    ]
    return Pipeline(steps, memory=once(memory))


def _ensemble(recipe: str, weight: float, text: str) -> Model:
    """Return a network and the support vector machine, whose mistakes are others."""

    def make(memory: Any) -> BaseEstimator:
        members = [
            ("network", CNNClassifier.from_recipe(recipe)),
            ("svm", _invariant_svm(memory)),
        ]
        return VotingClassifier(members, voting="soft", weights=[weight, 1 - weight])

    return Model("ensemble", text, make, _OF_INVARIANT)


def _invariant_svm(memory: Any) -> BaseEstimator:
    pipeline = make_baseline(
        ["mobilenetv2", "hog"],
        "svm",
        memory=memory,
        union__mobilenetv2__features__layers=["low", "mid", "block_10_expand_relu"],
        # Not of both views at once: they are learnt, and averaged, one by one.
        union__mobilenetv2__features__mirror=False,
        # Copies of more samples, of 11,520 columns each, would be the peak of memory.
        union__mobilenetv2__pca__max_samples=4_000,
        pca__n_components=600,
        svm__C=5,
        svm__calibration_size=2_000,
        svm__backend="auto",
    )
    return InvariantSVC(pipeline, views="flip+shift")


MODELS: dict[str, Model] = {
    "cnn": _network("basic", "The basic network: three convolutions and a dense layer."),
    "cnn-quick": _network("quick", "A network almost as accurate as the basic one, in less time."),
    "cnn-fast": _network("fast", "A network of five convolutions, trained in minutes."),
    "cnn-strong": _network("strong", "The most accurate network that is trained from scratch."),
    "hierarchical": Model(
        "network",
        'A network that learns classes from coarse to fine (measured with tree="fashion-mnist").',
        _hierarchical,
        space=_DROPOUT,
    ),
    "mobilenetv2": _transfer("basic", "A frozen MobileNetV2 between a convolution and a head."),
    "mobilenetv2-head": _transfer(
        "head", "A dense head on a frozen MobileNetV2, whose features are computed once."
    ),
    "mobilenetv2-tuned": _transfer("tuned", "A MobileNetV2, fine-tuned together with its head."),
    "hog-nystroem": Model(
        "features",
        "A kernel machine on histograms of oriented gradients, for any number of images.",
        _hog_nystroem,
        space={**_NYSTROEM, "nystroem__n_components": [2_500, 5_000, 10_000]},
    ),
    "hog-fast": Model(
        "features",
        'As "hog-nystroem", with fewer components: in less than a minute of CPU time.',
        _hog_fast,
        space=_NYSTROEM,
    ),
    "hog-quick": Model(
        "features",
        'As "hog-nystroem", with a fifth of the components: in less than 20 seconds of CPU time.',
        _hog_quick,
        space=_NYSTROEM,
    ),
    "photos-lda": Model(
        "features",
        "A linear discriminant analysis on frozen MobileNetV2 features of photos of 224 pixels.",
        _photos_lda,
        _WEIGHTS,
        space={"pca__n_components": [400, 600, 900], "lda__shrinkage": uniform(0.02, 0.5)},
    ),
    "invariant-svm": Model(
        "features",
        "A support vector machine that also learns from views of its support vectors, on frozen "
        "MobileNetV2 features and histograms of oriented gradients.",
        _invariant_svm,
        _OF_INVARIANT,
        space={"estimator__svm__gamma": GAMMAS["hog+mobilenetv2"]},
    ),
    "best": _ensemble(
        "strong", 0.6, 'The weighted mean of "cnn-strong" and "invariant-svm": the most accurate.'
    ),
    "best-fast": _ensemble(
        "fast", 0.5, 'The mean of "cnn-fast" and "invariant-svm", in half the time of "best".'
    ),
}

# Unions of features that have names of their own.
_UNIONS = (("mobilenetv2", "hog"),)


def all_models() -> dict[str, Model]:
    """Return the models of ``MODELS``, and each pair of features and classifier."""
    features = [(name,) for name in FEATURES] + list(_UNIONS)
    pairs = {
        f"{'+'.join(names)}-{classifier}": _pair(names, classifier)
        for names, classifier in product(features, CLASSIFIERS)
    }
    return {**MODELS, **pairs}


def _pair(names: tuple[str, ...], classifier: str) -> Model:
    part = CLASSIFIERS[classifier]
    text = f"{part.text} on {' and '.join(FEATURES[name].text for name in names)}."
    needs = [one.needs for one in (*(FEATURES[name] for name in names), part) if one.needs]
    features = names[0] if len(names) == 1 else list(names)
    gamma = GAMMAS.get("+".join(sorted(names))) if classifier == "svm" else None
    return Model(
        "features",
        text[0].upper() + text[1:],
        lambda memory: make_baseline(features, classifier, memory=memory),
        "; ".join(needs),
        {} if gamma is None else {"svm__gamma": gamma},
    )
