"""Routing of fit parameters and sample weights through a meta-estimator."""

from __future__ import annotations

import warnings
from inspect import signature
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import _routing_enabled, process_routing

from fashionkit._images import users_level


def route(router: Any, sample_weight: Any, fit_params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the ``fit`` of the inner classifier.

    Parameters
    ----------
    router : meta-estimator
        Meta-estimator whose parameter ``estimator`` is the inner classifier.

    sample_weight : array-like of shape (n_samples,) or None
        Weight of each image.

    fit_params : dict
        Further parameters.

    Returns
    -------
    params : dict
        Parameters of the inner ``fit``, including the weights by their name there.

    Warns
    -----
    UserWarning
        If weights are given, but the classifier does not support them.
    """
    if _routing_enabled():
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return dict(process_routing(router, "fit", **given, **fit_params).estimator.fit)
    params = dict(fit_params)
    if sample_weight is not None:
        name = _weight_name(router.estimator)
        if name is None:
            warnings.warn(
                f"{type(router.estimator).__name__} does not support sample_weight, which is only "
                "used in the calibration; pass a classifier that supports it to use it in both.",
                UserWarning,
                stacklevel=users_level(),
            )
        else:
            params[name] = sample_weight
    return params


def _weight_name(estimator: Any) -> str | None:
    """Return the name of the weights in the ``fit`` of a classifier; None without support."""
    if "sample_weight" in signature(estimator.fit).parameters:
        return "sample_weight"
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = _weight_name(last) if hasattr(last, "fit") else None
        return None if inner is None else f"{name}__{inner}"
    return None
