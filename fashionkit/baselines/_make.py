"""Features, made by hand or by a frozen network, and a classical classifier, as a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Normalizer

from fashionkit.baselines._memory import once
from fashionkit.baselines._registry import CLASSIFIERS, FEATURES, PCA_SAMPLES, TUNED
from fashionkit.datasets._names import choices
from fashionkit.features._pca import BoundedPCA


def make_baseline(
    features: str | Sequence[str],
    classifier: str | None = None,  # without it, the error says which two names to pass
    *,
    memory: Any = None,
    random_state: Any = None,
    **params: Any,
) -> Pipeline:
    """Make a pipeline of image features and a classical classifier.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    features : str or list of str
        Name of the features, or several names for a union of them:

        - "hog": histograms of oriented gradients, :class:`~fashionkit.HOGFeatures`;
        - "sift": a bag of visual words, :class:`~fashionkit.SIFTFeatures`, which needs
          OpenCV: ``pip install "fashionkit[sift]"``;
        - "color": colour histograms, or intensity histograms of gray images,
          :class:`~fashionkit.ColorHistogram`;
        - "pixels": the pixels themselves, :class:`~fashionkit.PixelFeatures`;
        - "mobilenetv2": several layers of MobileNetV2 trained on ImageNet, averaged over each image
          and its mirror image, :class:`~fashionkit.BackboneFeatures`. Its weights are downloaded at
          the first fit, or read from the path ``mobilenetv2__weights``.

    classifier : str
        Name of the classifier:

        - "svm": a support vector machine with an RBF kernel and calibrated
          probabilities, :class:`~fashionkit.CalibratedSVC`, on principal components;
        - "knn": nearest neighbours, on principal components;
        - "tree": a decision tree;
        - "forest": a random forest.

    memory : str, path or joblib.Memory, default=None
        Cache for the features, as for :class:`~sklearn.pipeline.Pipeline`. A search over the
        classifier's parameters then computes them once, even in several processes.

    random_state : int, RandomState instance or None, default=None
        Seed of every step that has a ``random_state``.

    **params
        Parameters of the steps, named as for ``set_params`` of the pipeline:
        ``hog__orientations=9``, ``svm__C=10``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Pipeline that takes images in any form. Its steps are named after the features and the
        classifier; "svm" and "knn" are preceded by "pca". Several features form one step, "union",
        with a pipeline for each of them. The steps of these are "features", "pca" and "norm":
        ``union__hog__features__orientations=9``.

    Raises
    ------
    ValueError
        If the features, the classifier or a parameter are unknown.

    See Also
    --------
    fashionkit.make_model : Makes any model by one name, such as "hog-svm".
    InvariantSVC : Trains a baseline with a support vector machine on mirror images, too.
    HOGFeatures : Features for your own pipelines.
    compare_models : Compares baselines and networks.

    Notes
    -----
    Parameters that differ from the defaults of their steps were chosen on a validation split of
    Fashion-MNIST's training images. This also holds for the union ``["mobilenetv2", "hog"]``. In
    any other union, each of the features is reduced to at most 200 principal components, which are
    scaled to unit Euclidean norm for each image, so that all features weigh the same.

    Examples
    --------
    >>> from fashionkit import make_baseline, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> pipeline = make_baseline("hog", "svm", svm__C=10, random_state=0).fit(X[:500], y[:500])
    >>> list(pipeline.named_steps)
    ['hog', 'pca', 'svm']
    >>> pipeline.score(X[500:], y[500:]) > 0.8
    True
    >>> union = make_baseline(["hog", "color"], "forest")
    >>> list(union.named_steps), list(union["union"].named_transformers)
    (['union', 'forest'], ['hog', 'color'])
    """
    names = _check_features(features)
    classifier = _check_classifier(classifier, names)
    steps = [_feature_step(names), *CLASSIFIERS[classifier].make()]
    pipeline = Pipeline(steps, memory=once(memory))
    seeds = [name for name in pipeline.get_params() if name.endswith("__random_state")]
    pipeline.set_params(**dict.fromkeys(seeds, random_state))
    key = "+".join(sorted(names))
    tuned = TUNED.get((key, "*"), {}) | TUNED.get((key, classifier), {})
    # In two calls: a parameter may be one of a step that is replaced.
    return pipeline.set_params(**tuned).set_params(**params)


def _feature_step(names: list[str]) -> tuple[str, Any]:
    """Return the first step of a pipeline: features, or a union of them."""
    if len(names) == 1:
        return names[0], FEATURES[names[0]].make()
    parts = [(name, _union_part(name)) for name in names]
    return "union", FeatureUnion(parts)


def _union_part(name: str) -> Pipeline:
    """Return features with few columns, whose rows are as long as those of all others."""
    return Pipeline(
        [
            ("features", FEATURES[name].make()),
            ("pca", BoundedPCA(200, max_samples=PCA_SAMPLES)),
            ("norm", Normalizer()),
        ]
    )


def _check_features(features: Any) -> list[str]:
    """Return the names of known features, each once."""
    several = isinstance(features, Iterable) and not isinstance(features, str)
    if isinstance(features, set | frozenset):
        raise TypeError(f"features={features!r} is a set, which has no order; pass a list.")
    names = list(features) if several else [features]
    names = [str(name) if isinstance(name, str) else name for name in names]
    unknown = [name for name in names if not isinstance(name, str) or name not in FEATURES]
    if unknown:
        given = f"{features!r} has {unknown[0]!r}, which" if several else repr(features)
        remedy = _remedy(unknown[0]) or f"pass one of {choices(FEATURES)}, or a list of them."
        raise ValueError(f"features={given} is not known; {remedy}")
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"features={features!r}, expected at least one name and none of them twice; choose "
            f"from {choices(FEATURES)}."
        )
    return names


def _check_classifier(classifier: Any, names: list[str]) -> str:
    if not isinstance(classifier, str) or classifier not in CLASSIFIERS:
        raise ValueError(
            f"classifier={classifier!r} is not known; pass one of {choices(CLASSIFIERS)}: "
            f"{_call(names, next(iter(CLASSIFIERS)))}."
        )
    return classifier


def _remedy(name: Any) -> str:
    """Return the right call where the name of a model, or of a union, was given as features."""
    joined, hyphen, classifier = str(name).partition("-")
    names = joined.split("+")
    if not set(names) <= set(FEATURES):
        return ""
    if not hyphen:
        return f"for a union call {_call(names, next(iter(CLASSIFIERS)))}."
    if classifier not in CLASSIFIERS:
        return ""
    return f"call make_model({name!r}) or {_call(names, classifier)}."


def _call(names: list[str], classifier: str) -> str:
    features = repr(names[0]) if len(names) == 1 else f"[{choices(names)}]"
    return f"make_baseline({features}, {classifier!r})"
