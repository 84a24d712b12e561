"""The public classes and functions of the package, as their documentation and tests list them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any

import fashionkit

MODULES = (
    *(f"fashionkit.{name}" for name in fashionkit._SUBMODULES),
    "fashionkit.neural.architectures",
    "fashionkit.neural.recipes",
)


def full_names() -> dict[str, Any]:
    """Return each public class and function by its shortest full name."""
    found = {f"fashionkit.{name}": getattr(fashionkit, name) for name in fashionkit._HOMES}
    known = list(map(id, found.values()))
    for module in map(import_module, MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            if id(value) not in known:
                found[f"{module.__name__}.{name}"] = value
    return {name: value for name, value in found.items() if is_documented(value)}


def is_documented(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def methods(cls: type) -> Iterator[str]:
    """Yield the public methods and properties that a class of ours has, inherited ones too."""
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        elif isinstance(value, cached_property):
            value = value.func
        if name.startswith("_") or not inspect.isfunction(value):
            continue
        if inspect.unwrap(value).__module__.partition(".")[0] == "fashionkit":
            yield name
