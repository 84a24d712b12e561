"""The fitted model inside of meta-estimators, whose network can be looked into."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator


def unwrapped(model: Any) -> Any:
    """Return the model inside of searches and other meta-estimators of one fitted model.

    Parameters
    ----------
    model : estimator
        A classifier or transformer, such as a SelectiveClassifier, a search, a FrozenEstimator, or
        one of these in another.

    Returns
    -------
    inner : estimator
        The first that is no such estimator, or ``model`` itself. Clones have lost what was fitted:
        of them, it is what a FrozenEstimator in them has kept.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from fashionkit import CNNClassifier, SelectiveClassifier
    >>> unwrapped(SelectiveClassifier(FrozenEstimator(CNNClassifier(epochs=3))))
    CNNClassifier(epochs=3)
    """
    while True:
        found = _inside(model)
        if found is None:
            return model
        model = found


def _inside(model: Any) -> Any:
    """Return what a meta-estimator has fitted and passes all of its input to, if it is one."""
    fitted = vars(model)
    if "best_estimator_" in fitted:
        return fitted["best_estimator_"]
    # Ensembles have many, of which this is the pattern; selectors pass on some of the features.
    is_one = "estimators_" not in fitted and not hasattr(model, "transform")
    if "estimator_" in fitted and is_one:
        return fitted["estimator_"]
    if isinstance(model, FrozenEstimator):
        return model.estimator
    inner = fitted.get("estimator")
    return inner.estimator if isinstance(inner, FrozenEstimator) and is_one else None
