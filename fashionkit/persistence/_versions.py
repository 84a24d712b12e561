"""Files that were saved with another version of a library: what they lack here, and what to say."""

from __future__ import annotations

from importlib.metadata import version
from inspect import Parameter, signature
from typing import Any

from sklearn.base import BaseEstimator

from fashionkit.persistence._meaning import iterate_parts

# Whose releases may change what an estimator is made of.
_LIBRARIES = ("fashionkit", "scikit-learn")


def add_missing_params(estimator: Any) -> None:
    """Give everything in a loaded estimator the parameters that its class has here alone.

    A version that has removed a parameter saves none, and one that has yet to get it neither; both
    then fail where it is looked at, which is as early as in ``repr``. The default is what they
    would compute with.
    """
    for part in iterate_parts(estimator):
        if not isinstance(part, BaseEstimator):
            continue
        for name, parameter in signature(type(part)).parameters.items():
            if name not in vars(part) and parameter.default is not Parameter.empty:
                setattr(part, name, parameter.default)


def other_versions(header: dict[str, Any]) -> str:
    """Say which libraries a file was saved with, where others are installed."""
    saved = header.get("versions")
    if not isinstance(saved, dict):
        return ""
    others = [
        f"{name} {str(saved[name])[:20]}, and {version(name)} is installed"
        for name in _LIBRARIES
        if name in saved and saved[name] != version(name)
    ]
    return f" It was saved with {'; '.join(others)}." if others else ""
