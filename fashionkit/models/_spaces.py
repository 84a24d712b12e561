"""Which values of a model's parameters searches draw from."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator

from fashionkit.baselines._registry import CLASSIFIERS, FEATURES
from fashionkit.models._registry import Model
from fashionkit.neural import CNNClassifier

# The learning rate of Adam, where an estimator leaves it to the optimizer.
_DEFAULT_RATE = 0.001


def search_space(model: Model, estimator: BaseEstimator) -> dict[str, Any]:
    """Return what to draw from for a model.

    Parameters
    ----------
    model : Model
        Its record.

    estimator : estimator
        What the record has made. Distributions lie around its parameters.

    Returns
    -------
    space : dict of str to distribution or list
        As RandomizedSearchCV takes it.
    """
    return {**_OF_KIND[model.kind](estimator), **model.space}


def _of_network(estimator: Any) -> dict[str, Any]:
    size = estimator.batch_size
    space = {
        "learning_rate": _rates(estimator.learning_rate),
        "batch_size": [max(1, size // 2), size, 2 * size],
        "epochs": _epochs(estimator.epochs),
    }
    if estimator.augmentation is not None:
        space["augmentation__translation"] = uniform(0, 0.1)
    return space


def _of_transfer(estimator: Any) -> dict[str, Any]:
    # Each value of these is compiled once, so that they are few.
    space = {**_of_network(estimator), "dropout": [0.0, 0.25, 0.5]}
    if estimator.head_units is not None:
        space["head_units"] = [64, 128, 256]
    if estimator.fine_tune:
        space["fine_tune_learning_rate"] = _rates(estimator.fine_tune_learning_rate)
        space["fine_tune_epochs"] = _epochs(estimator.fine_tune_epochs)
    return space


def _of_features(estimator: BaseEstimator) -> dict[str, Any]:
    """Join the spaces of the features and of the classifier, wherever their steps are."""
    params = estimator.get_params()
    parts = {**FEATURES, **CLASSIFIERS}
    space = {}
    for path in params:
        prefix, _, step = path.rpartition("__")
        for name, values in parts[step].space.items() if step in parts else ():
            space[f"{prefix}__{name}" if prefix else name] = values
    return {name: values for name, values in space.items() if name in params}


def _rates(rate: float | None) -> Any:
    """Draw from a tenth of a learning rate to three times as much: above, few networks learn."""
    rate = rate or _DEFAULT_RATE
    return loguniform(rate / 10, 3 * rate)


def _epochs(epochs: int) -> list[int]:
    """Return about half as many epochs, as many, and half as many again."""
    return sorted({max(1, epochs // 2), epochs, epochs + (epochs + 1) // 2})


def _of_ensemble(estimator: Any) -> dict[str, Any]:
    """Join the spaces of the members, and how much the first of them weighs."""
    first = np.linspace(0.2, 0.8, 7).round(1).tolist()
    space: dict[str, Any] = {"weights": [[weight, round(1 - weight, 1)] for weight in first]}
    for name, member in estimator.estimators:
        of_member = _of_network if isinstance(member, CNNClassifier) else _of_features
        space |= {f"{name}__{key}": values for key, values in of_member(member).items()}
    return space


_OF_KIND = {
    "network": _of_network,
    "transfer": _of_transfer,
    "features": _of_features,
    "ensemble": _of_ensemble,
}
