"""Compatibility with files that were saved with other versions of libraries."""

from __future__ import annotations

from importlib.metadata import version
from inspect import Parameter, signature
from typing import Any

from sklearn.base import BaseEstimator

from fashionkit.persistence._meaning import iterate_parts

# Libraries whose releases may change the attributes of estimators.
_LIBRARIES = ("fashionkit", "scikit-learn")


def add_missing_params(estimator: Any) -> None:
    """Set parameters that the installed classes have, but the saved estimators lack.

    A parameter may have been added, or removed, in another version. Without it, even ``repr`` would
    fail. Its default is the value with which the other version computed.
    """
    for part in iterate_parts(estimator):
        if not isinstance(part, BaseEstimator):
            continue
        for name, parameter in signature(type(part)).parameters.items():
            if name not in vars(part) and parameter.default is not Parameter.empty:
                setattr(part, name, parameter.default)


def other_versions(header: dict[str, Any]) -> str:
    """Return a sentence on libraries that were saved in other versions; "" if there are none."""
    saved = header.get("versions")
    if not isinstance(saved, dict):
        return ""
    others = [
        f"{name} {str(saved[name])[:20]}, but {version(name)} is installed"
        for name in _LIBRARIES
        if name in saved and saved[name] != version(name)
    ]
    return f" It was saved with {'; '.join(others)}." if others else ""
