"""Making a model by its name, and telling which names there are."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from fashionkit.datasets._names import choices
from fashionkit.models._measured import FIGURES, MEASURED
from fashionkit.models._registry import Model, all_models


def make_model(
    name: str, *, memory: Any = None, random_state: Any = None, **params: Any
) -> BaseEstimator:
    """Make a model by its name.

    Read more in the :ref:`User Guide <models>`.

    Parameters
    ----------
    name : str
        Name from :func:`list_models`, such as "cnn-fast", "hog-svm" or "best".

    memory : str, path or joblib.Memory, default=None
        Cache for the features of models that have such a step, as for
        :class:`~sklearn.pipeline.Pipeline`. Other models, such as networks, ignore it, so that
        models of all kinds can be made in one loop.

    random_state : int, RandomState instance or None, default=None
        Seed of the model, and of every step that has a ``random_state``.

    **params
        Parameters of the model, named as for its ``set_params``: ``epochs=5`` of "cnn",
        ``svm__C=10`` of "hog-svm".

    Returns
    -------
    model : estimator
        Classifier, not fitted.

    Raises
    ------
    ValueError
        If the model or a parameter is unknown.

    See Also
    --------
    list_models : Lists the names.
    describe_models : Describes each model with its requirements, accuracy and cost.
    make_search : Makes a search over the parameters of the same model.
    fashionkit.make_baseline : Makes a pipeline of any features and classifier.
    fashionkit.compare_models : Compares models on the same images.

    Notes
    -----
    "invariant-svm" is an :class:`~fashionkit.InvariantSVC` on a pipeline. "best" and "best-fast"
    are a :class:`~sklearn.ensemble.VotingClassifier` of it, named "svm", and of a network, named
    "network". With ``pip install "fashionkit[intelex]"`` they are several times faster, with the
    same results up to rounding.

    The path of a file with the ImageNet weights of MobileNetV2 is the parameter ``weights`` of
    "mobilenetv2", "mobilenetv2-head" and "mobilenetv2-tuned"; ``mobilenetv2__weights`` of
    "mobilenetv2-svm" and the other models on these features alone;
    ``union__mobilenetv2__features__weights`` of "mobilenetv2+hog-svm" and other unions;
    ``estimator__union__mobilenetv2__features__weights`` of "invariant-svm"; and the same with the
    prefix ``svm__`` of "best" and "best-fast".

    Examples
    --------
    >>> from fashionkit import make_model
    >>> make_model("cnn", epochs=3, random_state=0)
    CNNClassifier(epochs=3, random_state=0)
    >>> make_model("hog-svm", svm__C=10)["svm"].C
    10
    """
    return _seed(find_model(name).make(memory), random_state).set_params(**params)


def find_model(name: Any) -> Model:
    """Return the record of a model, or raise an error that names the nearest ones."""
    models = all_models()
    if not isinstance(name, str) or name not in models:
        raise ValueError(
            f"name={name!r} is not a known model; the nearest names are "
            f"{choices(nearest_models(str(name)))}, and list_models() returns all."
        )
    return models[name]


def list_models(pattern: str | None = None) -> list[str]:
    """List the names of models that :func:`make_model` knows.

    Parameters
    ----------
    pattern : str, default=None
        Pattern of the names, in which ``*`` matches any characters and ``?`` a single one, as in
        the module ``fnmatch``; None for all names.

    Returns
    -------
    names : list of str
        Matching names, which may be empty.

    See Also
    --------
    describe_models : Describes each model with its requirements, accuracy and cost.

    Examples
    --------
    >>> from fashionkit import list_models
    >>> list_models("hog-*")
    ['hog-nystroem', 'hog-fast', 'hog-quick', 'hog-svm', 'hog-knn', 'hog-tree', 'hog-forest']
    >>> list_models("cnn*")
    ['cnn', 'cnn-quick', 'cnn-fast', 'cnn-strong']
    """
    if pattern is not None and not isinstance(pattern, str):
        raise TypeError(f"pattern={pattern!r}, expected a string such as 'hog-*', or None for all.")
    return [name for name in all_models() if pattern is None or fnmatchcase(name, pattern)]


def nearest_models(name: str, n: int = 3) -> list[str]:
    """Return the names of models that are most similar to a name."""
    return get_close_matches(name.lower(), all_models(), n=n, cutoff=0)


def describe_models() -> pd.DataFrame:
    """Describe each named model: its kind, requirements, accuracy and cost.

    Returns
    -------
    models : DataFrame of shape (n_models, 7)
        One row for each name of :func:`list_models`, which is the index, with the columns

        - "kind": "network", trained from scratch; "transfer", a network trained on ImageNet
          with a new head; "features", followed by a classifier; or "ensemble", of models;
        - "description": description in one sentence;
        - "needs": requirements besides the package's dependencies;
        - "accuracy": measured on Fashion-MNIST's 10,000 test images, after training on its
          60,000 training images;
        - "cpu_minutes": CPU time of that training;
        - "predict_cpu_ms": CPU milliseconds for each of the test images, predicted together;
        - "megabytes": size of the fitted model.

        Figures that have not been measured are NaN.

    See Also
    --------
    list_models : Lists the names alone.

    Notes
    -----
    The figures are those of the page "Benchmarks" of the documentation, which describes how they
    were measured. They were measured without the extra ``intelex``.

    Examples
    --------
    >>> from fashionkit import describe_models
    >>> models = describe_models()
    >>> models.loc["hog-svm", "description"]
    'A support vector machine with an RBF kernel on histograms of oriented gradients.'
    >>> models.loc["best", "description"]
    'The weighted mean of "cnn-strong" and "invariant-svm": the most accurate.'
    """
    rows = {}
    for name, model in all_models().items():
        accuracy, seconds, *costs = MEASURED.get(name, [float("nan")] * 4)
        figures = accuracy / 100, round(seconds / 60, 2), *costs
        rows[name] = model.kind, model.text, model.needs, *figures
    columns = ["kind", "description", "needs", *FIGURES]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("name")


def _seed(estimator: BaseEstimator, random_state: Any) -> BaseEstimator:
    """Seed an estimator: itself if it can be, or else each of its parts."""
    names = list(estimator.get_params())
    # The seed of a network is that of its augmentation, too.
    parts = [
        name
        for name in names
        if name.endswith("__random_state") and not name.endswith("augmentation__random_state")
    ]
    seeds = ["random_state"] if "random_state" in names else parts
    return estimator.set_params(**dict.fromkeys(seeds, random_state))
