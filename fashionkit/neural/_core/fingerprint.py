"""What decides the result of a fit, described such that another process describes it alike."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np

# Parameters that do not change what is trained, or are described otherwise.
_WITHOUT_INFLUENCE = {
    "callbacks",
    "checkpoint_dir",
    "class_weight",  # part of the samples' weights
    "dtype",
    "image_shape",
    "random_state",
    "test_time_augmentation",
    "verbose",
    "warm_start",
}

# Packages whose names say enough of what is in them.
_INSTALLED = ("builtins", "keras", "numpy", "scipy", "sklearn", "tensorflow")


def describe_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Describe the parameters of an estimator that decide the result of a fit.

    Parameters
    ----------
    params : dict of str to object
        All parameters of its constructor.

    Returns
    -------
    settings : dict of str to str
        Readable where a user has set it, hashes of arrays and of what functions do.
    """
    return {
        name: describe(value) for name, value in params.items() if name not in _WITHOUT_INFLUENCE
    }


def describe(value: Any) -> str:
    """Describe a parameter such that equal ones are described alike, also in another process."""
    return _describe(value, ())


def hash_samples(samples: Any) -> str:
    """Return a hash of images, targets and weights; "none" for None."""
    if samples is None:
        return "none"
    images = samples.images
    parts = (images.identity, images.pixel_range, samples.targets, samples.rows, samples.weights)
    soft = () if samples.probabilities is None else (samples.probabilities,)
    return joblib.hash((*parts, *soft))


def _describe(value: Any, outer: tuple[int, ...]) -> str:
    """Describe a value inside of others, given by their ids."""
    if id(value) in outer:
        return "itself"
    inner = functools.partial(_describe, outer=(*outer, id(value)))
    if isinstance(value, Mapping):
        return f"({', '.join(sorted(f'{name}={inner(item)}' for name, item in value.items()))})"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(inner, value))})"
    if isinstance(value, set | frozenset):
        return f"({', '.join(sorted(map(inner, value)))})"
    if isinstance(value, np.ndarray):
        return f"array {joblib.hash(value)}"
    if isinstance(value, np.random.RandomState):
        return f"RandomState {joblib.hash(value.get_state())}"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, functools.partial):
        return inner([value.func, value.args, value.keywords])
    if isinstance(value, MethodType):
        return inner([value.__func__, value.__self__])
    if isinstance(value, type | FunctionType):
        parts = () if _is_installed(value) else _parts(value)
        content = [inner(part) for part in parts]
        return f"{_name_of(value)} {joblib.hash(content)}" if content else _name_of(value)
    if isinstance(value, CodeType):
        return inner([value.co_code.hex(), value.co_consts, value.co_names])
    if isinstance(value, BuiltinFunctionType):
        return _name_of(value)
    if isinstance(value, ModuleType):
        return value.__name__
    if hasattr(value, "dist") and hasattr(value, "kwds"):  # a distribution of SciPy
        return f"{value.dist.name}{inner([value.args, value.kwds])}"
    if hasattr(value, "get_config"):  # Keras's objects
        config = value.get_config()
        config.pop("name", None)  # numbered by Keras: adam, adam_1, ...
        return f"{type(value).__name__}{inner(config)}"
    if hasattr(value, "get_params"):  # an augmentation
        return f"{type(value).__name__}{inner(value.get_params())}"
    if type(value).__repr__ is object.__repr__:  # an object of the user's: what it is and holds
        return f"{inner(type(value))}{inner(getattr(value, '__dict__', {}))}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _name_of(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _is_installed(value: type | FunctionType) -> bool:
    """Tell whether a class or function is of a package whose name says enough."""
    return (value.__module__ or "").partition(".")[0] in _INSTALLED


def _parts(value: type | FunctionType) -> Iterator[Any]:
    """Yield all that decides what a function or class does: two may share a name, or have none."""
    if isinstance(value, type):
        yield from (part for part in vars(value).values() if isinstance(part, FunctionType))
    else:
        yield from _parts_of_function(value)


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    yield function.__code__
    yield function.__defaults__
    yield function.__kwdefaults__
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it is empty yet
            yield "empty"
    for name in sorted(set(_names(function.__code__))):
        # What is written in its own module may be changed there; what is imported has a name.
        value = function.__globals__.get(name)
        is_defined = isinstance(value, type | FunctionType)
        if is_defined and value.__module__ != function.__module__:
            yield _name_of(value)
        elif value is not None:
            yield value


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that code, and what is defined in it, looks up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
