"""Audit of the types that a file names, before anything is imported."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from fashionkit.persistence._container import Reader
from fashionkit.persistence._skops import PROTOCOL
from fashionkit.persistence._types import LOADERS

# Loaders of skops for which the caller may trust names in addition to the lists.
_TRUSTABLE = ("FunctionNode", "ObjectNode", "TypeNode")


def audit(tree: dict[str, Any], trusted: Collection[str], reader: Reader) -> list[str]:
    """Check the names of all types and functions in a tree of objects.

    Parameters
    ----------
    tree : dict
        Tree of objects, as skops writes it.

    trusted : collection of str
        Names that the caller trusts.

    reader : Reader
        Reader of the file, which makes the errors.

    Returns
    -------
    names : list of str
        Names of all types and functions in the tree, sorted.

    Raises
    ------
    ModelFileError
        If the tree names a type that is neither known to be safe nor trusted.
    """
    protocol = tree.get("protocol")
    if type(protocol) is not int or not 2 <= protocol <= PROTOCOL:
        raise reader.refuse(
            f"its tree has the skops protocol {protocol!r}, but the installed skops reads the "
            f"protocols 2 to {PROTOCOL}; update skops."
        )
    names, unsafe = set(), set()
    for node in iterate_nodes(tree):
        loader, name = node.get("__loader__"), _name_of(node)
        if not isinstance(loader, str) or loader not in LOADERS or name is None:
            raise reader.refuse(f"its tree has the unknown kind of node {loader!r}.")
        if name not in LOADERS[loader] and not (loader in _TRUSTABLE and name in trusted):
            unsafe.add((loader, name))
        names.add(name)
    for loader, name in sorted(unsafe):
        if loader not in _TRUSTABLE:
            raise reader.refuse(f"its tree has a {loader} of {name!r}, which is not allowed.")
    if unsafe:
        listed = sorted(name for _, name in unsafe)
        raise reader.refuse(
            f"it needs {', '.join(listed)}, which fashionkit does not know to be safe. If you "
            f"trust the file and this code, pass trusted={listed!r}."
        )
    return sorted(names)


def iterate_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all nodes of a tree of JSON."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value or "__class__" in value:
                yield value
            waiting += [child for child in value.values() if isinstance(child, dict | list)]
        elif isinstance(value, list):
            waiting += [child for child in value if isinstance(child, dict | list)]


def _name_of(node: dict[str, Any]) -> str | None:
    """Return the full name of the type of a node; None if the node is malformed."""
    module, name = node.get("__module__"), node.get("__class__")
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    return f"{module}.{name}"
