"""One protocol for all models: the same training images and the same test images."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from tqdm.auto import tqdm

from fashionkit.comparison._comparison import Comparison
from fashionkit.comparison._evaluation import Result, evaluate
from fashionkit.datasets._names import choices, name_labels, unknown_labels
from fashionkit.models import make_model

logger = logging.getLogger(__name__)


@validate_params(
    {
        "models": [dict, list, tuple],
        "X": "no_validation",
        "y": ["array-like"],
        "X_test": "no_validation",
        "y_test": ["array-like"],
        "class_names": ["array-like", dict, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,
)
def compare_models(
    models: Mapping[str, Any] | Sequence[str | tuple[str, Any]],
    X: Any,
    y: Any,
    *,
    X_test: Any,
    y_test: Any,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Comparison:
    """Train models on the same images and compare them on the same test images.

    Each model is cloned, fitted once on ``(X, y)`` and evaluated once on
    ``(X_test, y_test)``, one after the other. Selecting a model or a parameter by the
    result makes the result optimistic: search on the training data instead.

    Parameters
    ----------
    models : dict of str to estimator, or list of str or of (str, estimator)
        Classifiers by name; they are cloned, and not changed. A string is the name of a model
        that :func:`~fashionkit.make_model` makes.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels)
        Training images, passed to each model as they are. scikit-learn's own
        classifiers take flat rows only, ``X.reshape(len(X), -1)``; the estimators of
        fashionkit take every form.

    y : array-like of shape (n_samples,)
        Class labels of any type.

    X_test : array-like
        Test images, in the same form as ``X``.

    y_test : array-like of shape (n_test_samples,)
        Labels of the test images, all of which must occur in ``y``.

    class_names : sequence or dict of str, default=None
        Name of each label: a dict from label to name, or names of the labels 0, 1, ... or of
        the sorted labels; by default the labels themselves.

    random_state : int, RandomState instance or None, default=None
        Seed of the models that are given by name.

    verbose : int, default=0
        Whether to show a progress bar over the models: 1 shows it.

    Returns
    -------
    comparison : Comparison
        Table, predictions and fitted models.

    Raises
    ------
    ValueError
        If the arguments are invalid, or every model failed.

    KeyboardInterrupt
        After Ctrl-C before any model has a result.

    Warns
    -----
    UserWarning
        If a model failed, or after Ctrl-C. The results of the others are kept.

    See Also
    --------
    make_baseline : Hand-made features with classical classifiers.
    CNNClassifier : A convolutional network.
    sklearn.model_selection.cross_validate : Several fits of one model.

    Notes
    -----
    Times are wall times, so other load on the machine increases them. The fit time is
    that of one call of ``fit``; for the first neural network of a process it includes
    loading TensorFlow. The prediction time is that of one call of ``predict`` on all
    test images, divided by their number. A call on 8 images precedes it, so that
    compiling and loading are not included.

    Examples
    --------
    >>> from fashionkit import compare_models, make_garments
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = make_garments(600, random_state=0)
    >>> X = X.reshape(len(X), -1)
    >>> comparison = compare_models(
    ...     {"knn": KNeighborsClassifier(), "guess": DummyClassifier()},
    ...     X[:400], y[:400], X_test=X[400:], y_test=y[400:],
    ... )
    >>> comparison.to_frame()["model"].tolist()
    ['knn', 'guess']
    >>> comparison.confusion_matrix("knn").shape
    (10, 10)
    """
    clones = _clone_all(models, random_state)
    y, y_test = column_or_1d(y, warn=True), column_or_1d(y_test, warn=True)
    labels, names = _check_labels(X, y, X_test, y_test, class_names)
    results: list[Result] = []
    first_error = None
    with tqdm(clones.items(), unit="model", disable=not verbose) as bar:
        for name, estimator in bar:
            bar.set_description(name)
            try:
                result = evaluate(name, estimator, X, y, X_test, y_test)
            except KeyboardInterrupt:
                if all(result.error for result in results):
                    raise
                left = list(clones)[len(results) :]
                results += [Result(one, error="KeyboardInterrupt: not finished") for one in left]
                message = f"The comparison was interrupted; it has no results of {choices(left)}."
                warnings.warn(message, UserWarning, stacklevel=3)
                break
            except Exception as error:  # whatever a model raises, the others are evaluated
                first_error = first_error or error
                said = " ".join(str(error).split())
                result = Result(name, error=f"{type(error).__name__}: {said}")
                logger.info("Model %r failed.", name, exc_info=True)
                message = f"Model {name!r} failed: {result.error}"
                warnings.warn(message, UserWarning, stacklevel=3)
            results.append(result)
    if all(result.error for result in results):
        reasons = "; ".join(f"{result.name!r}: {result.error}" for result in results)
        raise ValueError(f"Every model failed. {reasons}") from first_error
    return Comparison(results, y_test, labels, names)


def _clone_all(models: Any, random_state: Any) -> dict[str, Any]:
    """Return clones by name, after checking all entries before any is fitted."""
    pairs = list(models.items() if isinstance(models, Mapping) else models)
    if not pairs:
        raise ValueError("models is empty; pass at least one classifier by its name.")
    clones: dict[str, Any] = {}
    for pair in pairs:
        if isinstance(pair, str):
            pair = pair, make_model(pair, random_state=random_state)
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(
                f"models has the entry {pair!r}; expected a name of "
                "list_models(), or (name, estimator)."
            )
        name, estimator = pair
        if name in clones:
            raise ValueError(f"models has two entries of the name {name!r}; rename one.")
        if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
            raise ValueError(
                f"models[{name!r}] is {estimator!r}; expected a classifier with fit and predict."
            )
        clones[name] = clone(estimator)
    return clones


def _check_labels(
    X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray, class_names: Any
) -> tuple[np.ndarray, list[str]]:
    """Return the labels and their names, after checking that the data is consistent."""
    check_consistent_length(X, y)
    check_consistent_length(X_test, y_test)
    check_classification_targets(y)
    if not len(y_test):
        raise ValueError("X_test has no images; at least one is needed.")
    labels = unique_labels(y)
    if unseen := unknown_labels(y_test.tolist(), labels.tolist()):
        raise ValueError(
            f"y_test has the labels {choices(unseen, most=5)} that do not occur in y; "
            "remove these images from the test set, or add such images to the training set."
        )
    try:
        return labels, name_labels(labels, class_names)
    except ValueError as error:
        # Labels that are not 0, 1, ... can be named in their sorted order, too.
        if isinstance(class_names, Mapping) or len(class_names) != len(labels):
            raise ValueError(
                f"class_names has {len(class_names)} names, but y has {len(labels)} classes: "
                f"{choices(labels.tolist(), most=12)}; pass one name for each."
            ) from error
        return labels, [str(name) for name in class_names]
