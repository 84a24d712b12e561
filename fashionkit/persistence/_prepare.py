"""Preparation of an estimator for saving: replaces or refuses what files do not hold."""

from __future__ import annotations

import copy
import functools
import importlib
import types
from pathlib import PurePath
from typing import Any

import joblib
import numpy as np
from scipy import stats
from sklearn.neighbors import BallTree, KDTree
from skops.io._utils import get_module

from fashionkit.persistence._distributions import as_distribution
from fashionkit.persistence._precision import narrowed
from fashionkit.persistence._types import FUNCTIONS, OBJECTS, TYPES

_FROZEN = (type(stats.uniform()), type(stats.randint(0, 2)))
_PLAIN = (type(None), bool, int, float, str, slice, np.generic, np.dtype, np.random.RandomState)


class Preparation:
    """Converter of an object, and all of its parts, to what files can hold.

    Parameters
    ----------
    dtype : {"float32", "float16"}, default="float32"
        Precision of kernels of networks.

    Attributes
    ----------
    needs : set of str
        Names of classes and functions that must be trusted to load the file.
    """

    def __init__(self, dtype: str = "float32") -> None:
        self.needs: set[str] = set()
        self._dtype = dtype
        self._done: dict[int, tuple[Any, Any]] = {}

    def prepare(self, value: Any, path: str) -> Any:
        """Return a value as it is saved.

        Parameters
        ----------
        value : object
            Value to save.

        path : str
            Expression of the value in errors, such as "estimator.steps[0]".

        Returns
        -------
        prepared : object
            The value itself, if no part of it is replaced; otherwise a copy.

        Raises
        ------
        TypeError
            If the value cannot be saved.
        """
        if isinstance(value, _PLAIN):
            return value
        if id(value) in self._done:
            return self._done[id(value)][1]
        self._done[id(value)] = value, value  # for objects that contain themselves
        prepared = self._prepare(value, path)
        self._done[id(value)] = value, prepared
        return prepared

    def _prepare(self, value: Any, path: str) -> Any:
        kind = type(value)
        if isinstance(value, np.ndarray):
            if value.dtype == object:
                self._each(value.tolist(), path)
            return value
        if kind in (list, tuple, set) or (isinstance(value, tuple) and hasattr(kind, "_fields")):
            return self._sequence(value, path)
        if isinstance(value, dict):
            return self._mapping(value, path)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            self._need(value, path, TYPES | FUNCTIONS)
            return value
        if isinstance(value, np.ufunc):
            self.needs.add(f"{get_module(value)}.{value.__name__}")
            return value
        if isinstance(value, functools.partial):
            for name in ("func", "args", "keywords"):
                self.prepare(getattr(value, name), f"{path}.{name}")
            return value
        if isinstance(value, PurePath):
            return str(value)
        if isinstance(value, joblib.Memory):
            return None  # a folder of this computer
        if isinstance(value, KDTree | BallTree):
            return None  # built again by load
        if isinstance(value, _FROZEN):
            return self._distribution(value, path)
        return self._object(value, path)

    def _sequence(self, value: Any, path: str) -> Any:
        items = self._each(value, path)
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(type(value), "_fields") else type(value)(items)

    def _each(self, values: Any, path: str) -> list[Any]:
        return [self.prepare(one, f"{path}[{index}]") for index, one in enumerate(values)]

    def _mapping(self, value: Any, path: str) -> Any:
        for key in value:
            if not isinstance(key, str | int | float | bool | np.generic):
                raise TypeError(
                    f"{path} has the key {key!r}, expected only str, int, float or bool as keys."
                )
        items = {key: self.prepare(one, f"{path}[{key!r}]") for key, one in value.items()}
        if all(items[key] is value[key] for key in value):
            return value
        replaced = copy.copy(value)
        replaced.update(items)
        return replaced

    def _distribution(self, value: Any, path: str) -> Any:
        distribution = as_distribution(value)
        if distribution is None:
            raise TypeError(
                f"{path} is the distribution {value.dist.name!r} of SciPy, which cannot be "
                "saved; save the best_estimator_ of the search instead."
            )
        return distribution

    def _object(self, value: Any, path: str) -> Any:
        kind = type(value)
        module = kind.__module__.partition(".")[0]
        if module in ("keras", "tensorflow", "torch", "sklearnex", "daal4py"):
            raise TypeError(_hint(module, value, path))
        self._need(kind, path, OBJECTS)
        refusal = TypeError(
            f"{path} is a {kind.__name__}, which cannot be saved; remove it, or replace it by "
            "numbers, str, arrays or estimators."
        )
        if _reduces_to_itself(value):
            raise refusal
        state = value.__getstate__()
        if state is None or _is_tree(kind):
            return value
        if not isinstance(state, dict):
            raise refusal
        held = narrowed(kind, state) if self._dtype == "float16" else state
        new = {name: self.prepare(one, f"{path}.{name}") for name, one in held.items()}
        if all(new[name] is one for name, one in state.items()):
            return value
        replaced = object.__new__(kind)
        replaced.__dict__.update({name: new.get(name, one) for name, one in vars(value).items()})
        return replaced

    def _need(self, value: Any, path: str, known: frozenset[str]) -> None:
        """Register a class or function, which must be importable by its name."""
        name = f"{value.__module__}.{value.__name__}"
        if name in known or _is_tree(value):
            return
        try:
            found = getattr(importlib.import_module(value.__module__), value.__name__, None)
        except (ImportError, AttributeError, TypeError, ValueError):
            found = None
        if found is not value or value.__module__ == "__main__":
            what = "the class" if isinstance(value, type) else "the function"
            raise TypeError(
                f"{path} is {what} {value.__qualname__!r} of {value.__module__!r}, which cannot be "
                "imported by its name; move it to the top level of a module that can be imported."
            )
        self.needs.add(name)


def _is_tree(kind: Any) -> bool:
    return f"{kind.__module__}.{kind.__name__}" == "sklearn.tree._tree.Tree"


def _reduces_to_itself(value: Any) -> bool:
    """Tell whether skops would save the call of a constructor, or nothing; neither is allowed."""
    try:
        reduced = value.__reduce__()
    except TypeError:  # not picklable
        return True
    return len(reduced) >= 2 and reduced[0] is type(value) and not any(reduced[2:])


def _hint(module: str, value: Any, path: str) -> str:
    """Return the error for an object of another library, with a remedy."""
    what = f"{path} is a {type(value).__name__} of {module}, which cannot be saved"
    if path.endswith(("callbacks", "]")) and "callbacks" in path:
        return f"{what}; set callbacks=None, as they are not needed for predictions."
    if path.endswith("optimizer"):
        return f"{what}; pass its name as optimizer and its parameters as optimizer_params."
    if module in ("sklearnex", "daal4py"):
        return (
            f"{what}; fit the estimator of scikit-learn, or a CalibratedSVC with "
            "backend='sklearnex', which is saved as an estimator of scikit-learn."
        )
    return f"{what}."
