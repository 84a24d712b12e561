"""Parameters of a classifier's fit that go through a meta-estimator, and the weights of images."""

from __future__ import annotations

import warnings
from inspect import signature
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import _routing_enabled, process_routing

from fashionkit._images import users_level


def route(router: Any, sample_weight: Any, fit_params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the inner classifier's fit.

    Parameters
    ----------
    router : meta-estimator
        Its parameter ``estimator`` is the inner classifier.

    sample_weight : array-like or None
        Weights of the images.

    fit_params : dict
        Further parameters.

    Warns
    -----
    UserWarning
        If there are weights, and the classifier takes none.
    """
    if _routing_enabled():
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return dict(process_routing(router, "fit", **given, **fit_params).estimator.fit)
    params = dict(fit_params)
    if sample_weight is not None:
        name = _weight_name(router.estimator)
        if name is None:
            warnings.warn(
                f"{type(router.estimator).__name__} takes no sample_weight, so that the weights "
                "count in the calibration only.",
                UserWarning,
                stacklevel=users_level(),
            )
        else:
            params[name] = sample_weight
    return params


def _weight_name(estimator: Any) -> str | None:
    """Return what the weights are called in the fit of a classifier; None if it takes none."""
    if "sample_weight" in signature(estimator.fit).parameters:
        return "sample_weight"
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = _weight_name(last) if hasattr(last, "fit") else None
        return None if inner is None else f"{name}__{inner}"
    return None
