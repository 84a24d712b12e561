"""Every model by its name.

To name a model, add a line to ``_MODELS``. Pairs of features and classifiers need none: they are
named after what the registry of ``baselines`` holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from fashionkit.baselines import make_baseline
from fashionkit.baselines._registry import CLASSIFIERS, FEATURES
from fashionkit.datasets._names import choices
from fashionkit.neural import (
    CNNClassifier,
    HierarchicalCNNClassifier,
    TransferClassifier,
    recipes,
)
from fashionkit.svm import InvariantSVC

__all__ = ["describe_models", "list_models", "make_model"]

_WEIGHTS = FEATURES["mobilenetv2"].needs


@dataclass(frozen=True)
class Model:
    """A model by its name.

    Parameters
    ----------
    kind : str
        "network", "transfer" or "features".

    text : str
        What it is, in one sentence.

    make : callable
        Returns the estimator. Its argument is the cache for features, None for none.

    needs : str, default=""
        What it needs beside the package's dependencies.
    """

    kind: str
    text: str
    make: Callable[[Any], BaseEstimator]
    needs: str = ""


def make_model(
    name: str, *, memory: Any = None, random_state: Any = None, **params: Any
) -> BaseEstimator:
    """Make a model by its name.

    Read more in the :ref:`User Guide <models>`.

    Parameters
    ----------
    name : str
        A name from :func:`list_models`, such as "cnn-fast", "hog-svm" or "best".

    memory : str, path or joblib.Memory, default=None
        Where models that compute features before they classify cache these. Other models, such
        as networks, ignore it, so that models of all kinds can be made in one loop.

    random_state : int, RandomState instance or None, default=None
        Seed of the model, and of every step that has one.

    **params
        Parameters of the model, as for its ``set_params``: ``epochs=5`` of "cnn",
        ``svm__C=10`` of "hog-svm".

    Returns
    -------
    model : estimator
        A classifier, not fitted.

    Raises
    ------
    ValueError
        If there is no such model, or the model has no such parameter.

    See Also
    --------
    list_models : The names.
    describe_models : What each model is, what it needs and what it reaches.
    fashionkit.make_baseline : Makes any pair of features and classifier.
    fashionkit.compare_models : Compares models on the same images.

    Notes
    -----
    "best" is an :class:`~fashionkit.InvariantSVC` on a pipeline. It needs no extra; with
    ``pip install "fashionkit[intelex]"`` and the parameter
    ``estimator__svm__backend="sklearnex"`` it is several times faster and gives the same up to
    rounding.

    A file with the ImageNet weights of MobileNetV2 is ``weights`` of "mobilenetv2" and
    "mobilenetv2-tuned", ``mobilenetv2__weights`` of "mobilenetv2-svm" and the others on these
    features, ``union__mobilenetv2__features__weights`` of "mobilenetv2+hog-svm" and its like, and
    ``estimator__union__mobilenetv2__features__weights`` of "best".

    Examples
    --------
    >>> from fashionkit import make_model
    >>> make_model("cnn", epochs=3, random_state=0)
    CNNClassifier(epochs=3, random_state=0)
    >>> make_model("hog-svm", svm__C=10)["svm"].C
    10
    """
    models = _all_models()
    if not isinstance(name, str) or name not in models:
        raise ValueError(
            f"name={name!r} is not a known model; the nearest names are "
            f"{choices(nearest_models(str(name)))}, and list_models() returns all."
        )
    return _seed(models[name].make(memory), random_state).set_params(**params)


def list_models(pattern: str | None = None) -> list[str]:
    """Return the names that :func:`make_model` knows.

    Parameters
    ----------
    pattern : str, default=None
        Pattern of the names, in which ``*`` stands for any characters and ``?`` for one, as in
        :mod:`fnmatch`; None for all names.

    Returns
    -------
    names : list of str
        The names, empty where none matches.

    See Also
    --------
    describe_models : The same with what each model is, needs and reaches.

    Examples
    --------
    >>> from fashionkit import list_models
    >>> list_models("hog-*")
    ['hog-svm', 'hog-knn', 'hog-tree', 'hog-forest']
    >>> list_models("cnn*")
    ['cnn', 'cnn-quick', 'cnn-fast', 'cnn-strong']
    """
    if pattern is not None and not isinstance(pattern, str):
        raise TypeError(f"pattern={pattern!r}, expected a string such as 'hog-*', or None for all.")
    return [name for name in _all_models() if pattern is None or fnmatchcase(name, pattern)]


def nearest_models(name: str, n: int = 3) -> list[str]:
    """Return the names of models that are most similar to a name."""
    return get_close_matches(name.lower(), _all_models(), n=n, cutoff=0)


def describe_models() -> pd.DataFrame:
    """Return what each model is, what it needs and what it reaches.

    Returns
    -------
    models : DataFrame of shape (n_models, 5)
        A row for each name of :func:`list_models`, which is the index, with the columns

        - "kind": "network", trained from scratch; "transfer", a network trained on ImageNet
          with a new head; or "features", followed by a classifier;
        - "description": what it is, in one sentence;
        - "needs": what it needs beside the package's dependencies;
        - "accuracy": measured on Fashion-MNIST's 10,000 test images, after training on its
          60,000 training images;
        - "cpu_minutes": CPU time of that training; for hand-made features, that of predicting
          the test images is included.

        Both figures are NaN where the documentation has none.

    See Also
    --------
    list_models : The names alone.

    Notes
    -----
    The figures are those of the page "Benchmarks" of the documentation, which says how they were
    measured. The time of "best" was measured with
    ``estimator__svm__backend="sklearnex"``.

    Examples
    --------
    >>> from fashionkit import describe_models
    >>> models = describe_models()
    >>> models.loc["hog-svm", "description"]
    'A support vector machine with an RBF kernel on histograms of oriented gradients.'
    >>> models["accuracy"].idxmax()
    'best'
    """
    rows = {}
    for name, model in _all_models().items():
        accuracy, seconds = _MEASURED.get(name, (float("nan"), float("nan")))
        rows[name] = (model.kind, model.text, model.needs, accuracy / 100, round(seconds / 60, 2))
    columns = ["kind", "description", "needs", "accuracy", "cpu_minutes"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("name")


def _network(recipe: str, text: str) -> Model:
    return Model("network", text, lambda memory: CNNClassifier.from_recipe(recipe))


def _transfer(recipe: str, text: str) -> Model:
    return Model("transfer", text, lambda memory: TransferClassifier.from_recipe(recipe), _WEIGHTS)


def _hierarchical(memory: Any) -> BaseEstimator:
    """Return the hierarchical network that was measured: the recipe "strong", ten epochs."""
    params = {**recipes.get("strong"), "epochs": 10}
    del params["architecture"]
    return HierarchicalCNNClassifier(**params)


def _best(memory: Any) -> BaseEstimator:
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
    )
    return InvariantSVC(pipeline, views="flip+shift")


_MODELS: dict[str, Model] = {
    "cnn": _network("basic", "The basic network: three convolutions and a dense layer."),
    "cnn-quick": _network("quick", "A network almost as accurate as the basic one, in less time."),
    "cnn-fast": _network("fast", "A network of five convolutions, trained in minutes."),
    "cnn-strong": _network("strong", "The most accurate network that is trained from scratch."),
    "hierarchical": Model(
        "network",
        'A network that learns classes from coarse to fine (measured with tree="fashion-mnist").',
        _hierarchical,
    ),
    "mobilenetv2": _transfer("basic", "A frozen MobileNetV2 between a convolution and a head."),
    "mobilenetv2-tuned": _transfer("tuned", "A MobileNetV2, fine-tuned together with its head."),
    "best": Model(
        "features",
        "A support vector machine that also learns from views of its support vectors, on frozen "
        "MobileNetV2 features and histograms of oriented gradients.",
        _best,
        f"{_WEIGHTS}; with the extra intelex several times faster",
    ),
}

# Unions of features that have names of their own.
_UNIONS = (("mobilenetv2", "hog"),)

# Test accuracy in per cent and CPU seconds of training, from docs/benchmarks.rst.
_MEASURED: dict[str, tuple[float, float]] = {
    "cnn": (90.86, 132),
    "cnn-quick": (90.56, 31.6),
    "cnn-fast": (93.85, 8.7 * 60),
    "cnn-strong": (94.69, 43.5 * 60),
    "hierarchical": (94.40, 24.7 * 60),
    "mobilenetv2": (86.53, 2983),
    "mobilenetv2-tuned": (94.62, 2136),
    "best": (95.05, 411),
    "hog-svm": (93.70, 177),
    "hog-knn": (90.54, 37),
    "hog-tree": (82.31, 207),
    "hog-forest": (89.94, 701),
    "sift-svm": (92.75, 155),
    "sift-knn": (89.17, 51),
    "sift-tree": (82.81, 267),
    "sift-forest": (89.73, 972),
    "color-svm": (48.97, 142),
    "color-knn": (46.29, 4),
    "color-tree": (41.56, 1),
    "color-forest": (50.16, 30),
    "pixels-svm": (90.40, 182),
    "pixels-knn": (86.32, 14),
    "pixels-tree": (80.50, 20),
    "pixels-forest": (87.94, 144),
    "mobilenetv2-svm": (94.24, 411),
    "mobilenetv2+hog-svm": (94.62, 464),
}


def _all_models() -> dict[str, Model]:
    """Return the models of ``_MODELS``, and each pair of features and classifier."""
    features = [(name,) for name in FEATURES] + list(_UNIONS)
    pairs = {
        f"{'+'.join(names)}-{classifier}": _pair(names, classifier)
        for names, classifier in product(features, CLASSIFIERS)
    }
    return {**_MODELS, **pairs}


def _pair(names: tuple[str, ...], classifier: str) -> Model:
    part = CLASSIFIERS[classifier]
    text = f"{part.text} on {' and '.join(FEATURES[name].text for name in names)}."
    needs = [one.needs for one in (*(FEATURES[name] for name in names), part) if one.needs]
    features = names[0] if len(names) == 1 else list(names)
    return Model(
        "features",
        text[0].upper() + text[1:],
        lambda memory: make_baseline(features, classifier, memory=memory),
        "; ".join(needs),
    )


def _seed(estimator: BaseEstimator, random_state: Any) -> BaseEstimator:
    """Seed an estimator: itself if it can be, or else each of its parts."""
    names = list(estimator.get_params())
    parts = [name for name in names if name.endswith("__random_state")]
    seeds = ["random_state"] if "random_state" in names else parts
    return estimator.set_params(**dict.fromkeys(seeds, random_state))
