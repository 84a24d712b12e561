"""Features, made by hand or by a frozen network, and a classical classifier.

Each baseline is an ordinary scikit-learn pipeline, named "features-classifier".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.tree import DecisionTreeClassifier

from fashionkit.baselines._memory import once
from fashionkit.features import (
    BackboneFeatures,
    ColorHistogram,
    HOGFeatures,
    PixelFeatures,
    SIFTFeatures,
)
from fashionkit.features._pca import BoundedPCA
from fashionkit.svm import CalibratedSVC

Steps = list[tuple[str, Any]]

# What is not a default was chosen on a validation split of Fashion-MNIST's training images;
# docs/benchmarks.rst has the figures.
_FEATURES: dict[str, Callable[[], Any]] = {
    "hog": lambda: _hog(),
    "sift": lambda: SIFTFeatures(),
    "color": lambda: ColorHistogram(16),
    "pixels": lambda: PixelFeatures(),
    "mobilenetv2": lambda: _mobilenetv2(),
    # Components of a part of the images are as good as those of all, and cost less.
    "mobilenetv2+hog": lambda: FeatureUnion(
        [
            (
                "mobilenetv2",
                make_pipeline(_mobilenetv2(), BoundedPCA(600, max_samples=_PCA_SAMPLES)),
            ),
            ("hog", make_pipeline(_hog(), BoundedPCA(200, max_samples=_PCA_SAMPLES))),
        ],
        # The histograms then have a quarter of the variance.
        transformer_weights={"hog": 3.6},
    ),
}
_PCA_SAMPLES = 10_000
_HAND_MADE = ("hog", "sift", "color", "pixels")
# What a kernel or a distance costs grows with the number of columns, and most of what tells
# classes apart is in a few components.
_CLASSIFIERS: dict[str, Callable[[], Steps]] = {
    "svm": lambda: [("pca", BoundedPCA(200)), ("svm", CalibratedSVC(C=10))],
    "knn": lambda: [("pca", BoundedPCA(200)), ("knn", KNeighborsClassifier(weights="distance"))],
    "tree": lambda: [("tree", DecisionTreeClassifier(max_depth=12, min_samples_leaf=5))],
    "forest": lambda: [("forest", RandomForestClassifier(200))],
}
# Where one pair wants something else.
_PAIRS: dict[str, dict[str, Any]] = {
    "hog-svm": {"svm__C": 3, "svm__gamma": 0.06},
    "color-knn": {"knn__n_neighbors": 30},
    "mobilenetv2-svm": {"pca__n_components": 600, "pca__max_samples": _PCA_SAMPLES},
    "mobilenetv2-knn": {"pca__max_samples": _PCA_SAMPLES},
    "mobilenetv2+hog-svm": {"pca__n_components": 800, "pca__max_samples": _PCA_SAMPLES},
}


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


def baselines(
    *,
    features: str | Iterable[str] | None = None,
    classifiers: str | Iterable[str] | None = None,
    memory: Any = None,
    random_state: Any = None,
) -> dict[str, Pipeline]:
    """Make every pair of hand-made features and classifier, or those that are asked for.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    features : str or iterable of str, default=None
        Of "hog", "sift", "color", "pixels", "mobilenetv2" and "mobilenetv2+hog"; None for
        the first four, which are made by hand.

    classifiers : str or iterable of str, default=None
        Of "svm", "knn", "tree" and "forest"; None for all.

    memory : str, path or joblib.Memory, default=None
        Where the pipelines cache their features, which all classifiers then share.

    random_state : int, RandomState instance or None, default=None
        Seed of every step that has one.

    Returns
    -------
    pipelines : dict of str to Pipeline
        By name, such as "hog-svm": what :func:`make_baseline` makes for it.

    Raises
    ------
    ValueError
        If there are no such features, or no such classifier.

    See Also
    --------
    make_baseline : Makes one of them.
    fashionkit.compare_models : Compares all that are in a dict.

    Examples
    --------
    >>> from fashionkit.baselines import baselines
    >>> list(baselines(features="hog"))
    ['hog-svm', 'hog-knn', 'hog-tree', 'hog-forest']
    >>> len(baselines())
    16
    """
    names = [
        f"{feature}-{classifier}"
        for feature, classifier in product(
            _choice("features", _HAND_MADE if features is None else features, _FEATURES),
            _choice("classifiers", classifiers, _CLASSIFIERS),
        )
    ]
    return {name: make_baseline(name, memory=memory, random_state=random_state) for name in names}


def make_baseline(
    name: str,
    *,
    memory: Any = None,
    random_state: Any = None,
    **params: Any,
) -> Pipeline:
    """Make a pipeline of features and a classical classifier.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    name : str
        Features, a hyphen, and a classifier, such as "hog-svm". The features are

        - "hog": histograms of oriented gradients, :class:`~fashionkit.HOGFeatures`;
        - "sift": a bag of visual words, :class:`~fashionkit.SIFTFeatures`, which needs
          OpenCV: ``pip install "fashionkit[sift]"``;
        - "color": histograms of colours, of gray images those of their grays,
          :class:`~fashionkit.ColorHistogram`;
        - "pixels": the pixels themselves, :class:`~fashionkit.PixelFeatures`;
        - "mobilenetv2": what several layers of a network trained on ImageNet make of small
          images and their mirror images, :class:`~fashionkit.BackboneFeatures`. Its weights
          are downloaded at the first fit, or ``mobilenetv2__weights`` is their path;
        - "mobilenetv2+hog": components of both, side by side; the path is
          ``mobilenetv2_hog__mobilenetv2__backbonefeatures__weights``;

        and the classifiers

        - "svm": a support vector machine with an RBF kernel and calibrated
          probabilities, :class:`~fashionkit.CalibratedSVC`, on principal components;
        - "knn": the nearest neighbours, on principal components;
        - "tree": a decision tree;
        - "forest": a random forest.

    memory : str, path or joblib.Memory, default=None
        Where the pipeline caches its features. A search over the classifier's
        parameters computes them once, in however many processes it runs.

    random_state : int, RandomState instance or None, default=None
        Seed of every step that has one.

    **params
        Parameters of the steps, as for ``set_params`` of the pipeline:
        ``hog__orientations=9``, ``svm__C=10``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Takes images in any form that the features take. The steps are named like the
        parts of ``name``; before "svm" and "knn" there is "pca".

    Raises
    ------
    ValueError
        If there is no such baseline, or no such parameter.

    See Also
    --------
    fashionkit.baselines.baselines : All of them.
    InvariantSVC : Makes those with a support vector machine learn from mirror images, too.
    HOGFeatures : The features, for pipelines of your own.
    compare_models : Compares baselines and networks.

    Notes
    -----
    The parameters that are not the defaults of their steps were chosen on a validation
    split of Fashion-MNIST's training images.

    Examples
    --------
    >>> from fashionkit import make_baseline, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> pipeline = make_baseline("hog-svm", svm__C=10, random_state=0).fit(X[:500], y[:500])
    >>> list(pipeline.named_steps)
    ['hog', 'pca', 'svm']
    >>> pipeline.score(X[500:], y[500:]) > 0.8
    True
    """
    features, _, classifier = str(name).partition("-")
    if features not in _FEATURES or classifier not in _CLASSIFIERS:
        known = ", ".join(repr(f"{f}-{c}") for f in _FEATURES for c in _CLASSIFIERS)
        raise ValueError(f"name={name!r} is no baseline; there are {known}.")
    steps = [(features.replace("+", "_"), _FEATURES[features]()), *_CLASSIFIERS[classifier]()]
    pipeline = Pipeline(steps, memory=once(memory))
    seeds = [key for key in pipeline.get_params() if key.endswith("__random_state")]
    pipeline.set_params(**dict.fromkeys(seeds, random_state))
    return pipeline.set_params(**{**_PAIRS.get(name, {}), **params})


def _choice(argument: str, given: str | Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """Return the names that were asked for, once they are known to exist."""
    if given is None:
        return list(known)
    names = [given] if isinstance(given, str) else list(given)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"{argument}={given!r} has {unknown[0]!r}, which is none; there are "
            f"{', '.join(map(repr, known))}."
        )
    return names
