"""The SVC that both classifiers fit, of scikit-learn or of its extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.svm import SVC

_PARAMETERS = ("C", "kernel", "gamma", "class_weight", "cache_size")


def make_svc(params: Mapping[str, Any]) -> SVC:
    """Return an SVC that is not fitted.

    Parameters
    ----------
    params : dict
        Parameters of a CalibratedSVC, whose ``backend`` says which implementation to use.

    Returns
    -------
    svc : SVC
        Its ``decision_function`` scores the pairs of classes.

    Raises
    ------
    ImportError
        If ``backend`` is not installed.
    """
    own = {name: params[name] for name in _PARAMETERS}
    return _implementation(params["backend"])(**own, decision_function_shape="ovo")


def _implementation(backend: str) -> type:
    if backend == "sklearn":
        return SVC
    try:
        from sklearnex.svm import SVC as FasterSVC
    except ImportError as error:
        if backend == "auto":
            return SVC
        raise ImportError(
            "backend='sklearnex' needs the Extension for Scikit-learn: pip install "
            "'fashionkit[intelex]'; or pass backend='sklearn'."
        ) from error
    return FasterSVC
