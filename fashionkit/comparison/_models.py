"""The models of a comparison: by name or as they are, checked, cloned and seeded."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import joblib
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from fashionkit.models import make_model
from fashionkit.neural._core.fingerprint import describe

# Parameters that do not change what a model answers.
_WITHOUT_INFLUENCE = ("checkpoint_dir", "memory", "n_jobs", "pre_dispatch", "verbose")


def read_models(
    models: Mapping[str, Any] | Sequence[Any], *, seed: int | None, memory: str | os.PathLike[str]
) -> dict[str, Any]:
    """Return clones by name, after checking all entries before any is fitted.

    Parameters
    ----------
    models : dict of str to estimator, or list of str or of (str, estimator)
        The argument of ``compare_models``.

    seed : int or None
        Value of every ``random_state`` that is None.

    memory : path
        Folder for the features that several named models share.

    Returns
    -------
    clones : dict of str to estimator
        The models, not fitted unless they are frozen.
    """
    entries = list(models.items() if isinstance(models, Mapping) else models)
    if not entries:
        raise ValueError("models is empty; pass at least one classifier by its name.")
    shared = _shared_features(entries)
    clones: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, str):
            cache = memory if _features_of(entry) in shared else None
            entry = entry, make_model(entry, memory=cache, random_state=seed)
        if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[0], str):
            raise ValueError(
                f"models has the entry {entry!r}; expected a name of "
                "list_models(), or (name, estimator)."
            )
        name, estimator = entry
        if name in clones:
            raise ValueError(f"models has two entries of the name {name!r}; rename one.")
        clones[name] = _seeded(_clone(name, estimator), seed)
    return clones


def describe_model(name: str, estimator: Any) -> str:
    """Return a hash of all that decides what a model answers: its class, parameters and seed."""
    params = {
        key: value
        for key, value in estimator.get_params().items()
        if key.rpartition("__")[2] not in _WITHOUT_INFLUENCE and not _has_parts(value)
    }
    kinds = [_kind(part) for part in _parts(estimator)]
    fitted = [joblib.hash(part.estimator) for part in _parts(estimator) if _is_frozen(part)]
    content = (name, kinds, describe(params), fitted)
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def forget_memory(estimator: Any, location: str | os.PathLike[str]) -> None:
    """Take a cache that is about to be deleted out of a fitted model."""
    for part in _parts(estimator):
        for one in (part, getattr(part, "best_estimator_", None)):
            memory = getattr(one, "memory", None)
            if str(getattr(memory, "location", memory)) == str(location):
                one.memory = None  # type: ignore[union-attr]


def _clone(name: str, estimator: Any) -> Any:
    said = f"models[{name!r}] is {estimator!r}"
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ValueError(f"{said}; expected a classifier with fit and predict.")
    if not (hasattr(estimator, "get_params") and hasattr(estimator, "__sklearn_tags__")):
        raise ValueError(
            f"{said}, which scikit-learn cannot clone; derive its class from ClassifierMixin and "
            "BaseEstimator of sklearn.base."
        )
    if getattr(estimator, "refit", True) is False:
        raise ValueError(f"{said}, which cannot predict after its search; pass refit=True to it.")
    kind = get_tags(estimator).estimator_type
    if kind not in ("classifier", None):
        raise ValueError(f"{said}, of the type {kind!r}; expected a classifier.")
    # Some classifiers, such as StackingClassifier, have predict only after fit.
    if not (is_classifier(estimator) or hasattr(estimator, "predict")):
        raise ValueError(f"{said}; expected a classifier with fit and predict.")
    if _is_frozen(estimator):
        try:
            check_is_fitted(estimator.estimator)
        except NotFittedError as error:
            raise ValueError(
                f"models[{name!r}] is a FrozenEstimator of a model that is not fitted; fit "
                f"{type(estimator.estimator).__name__} before, or pass it without FrozenEstimator."
            ) from error
    return clone(estimator)


def _seeded(estimator: Any, seed: int | None) -> Any:
    """Give one seed to all that would draw at random; a model's own seeds are kept."""
    if seed is None:
        return estimator
    names = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    # A FrozenEstimator returns nothing.
    if names:
        estimator.set_params(**dict.fromkeys(names, seed))
    return estimator


def _shared_features(entries: list[Any]) -> set[str]:
    """Return the features of two or more of the named models."""
    counts = Counter(_features_of(name) for name in entries if isinstance(name, str))
    return {features for features, n in counts.items() if features and n > 1}


def _features_of(name: str) -> str:
    return name.rpartition("-")[0]


def _is_frozen(estimator: Any) -> bool:
    return isinstance(estimator, FrozenEstimator)


def _has_parts(value: Any) -> bool:
    """Tell whether a parameter is an estimator, or a list of them: its parts have their own."""
    if isinstance(value, list | tuple):
        return any(_has_parts(item) for item in value)
    return hasattr(value, "get_params") and not isinstance(value, type)


def _kind(estimator: Any) -> str:
    """Describe a class by its name, or by its code where that is being written."""
    kind = type(estimator)
    is_being_written = kind.__module__ == "__main__"
    return describe(kind) if is_being_written else f"{kind.__module__}.{kind.__qualname__}"


def _parts(estimator: Any) -> list[Any]:
    """Return an estimator and all estimators inside it."""
    inner = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return [estimator, *(part for part in inner if hasattr(part, "get_params"))]
