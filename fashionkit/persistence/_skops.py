"""Private APIs of skops that fashionkit relies on, with canary tests in tests/persistence.

The public functions of skops hold a whole file in memory twice. With these, arrays are written
directly to the file, and read into memory or mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import skops
from skops.io import _persist  # noqa: F401  (registers what can be saved)
from skops.io._audit import Node, audit_tree, get_tree
from skops.io._protocol import PROTOCOL
from skops.io._sklearn import TreeNode
from skops.io._utils import LoadContext, SaveContext, get_state


class ArrayWriter(Protocol):
    """Interface of the archive to which skops writes arrays."""

    names: dict[str, str]

    def namelist(self) -> Any: ...

    def writestr(self, name: str, data: Any) -> None: ...


class ArrayReader(Protocol):
    """Interface of the archive from which arrays are read."""

    def read_array(self, name: str) -> np.ndarray: ...


def save_tree(obj: Any, writer: ArrayWriter) -> dict[str, Any]:
    """Write the arrays of an object, and return its tree.

    Objects in the tree are numbered from 1 instead of by their memory addresses, as skops does, so
    that the same object gives the same tree.
    """
    context = SaveContext(zip_file=writer)
    tree = get_state(obj, context)
    context.clear_memo()
    _renumber(tree, writer.names, {})
    return {**tree, "protocol": PROTOCOL, "_skops_version": skops.__version__}


def _renumber(node: Any, files: dict[str, str], numbers: dict[int, int]) -> None:
    if isinstance(node, dict):
        if "__loader__" in node:
            if "__id__" in node:
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
            if "file" in node:
                node["file"] = files[node["file"]]
        for child in node.values():
            _renumber(child, files, numbers)
    elif isinstance(node, list | tuple):
        for child in node:
            _renumber(child, files, numbers)


def load_tree(tree: dict[str, Any], reader: ArrayReader, trusted: Sequence[str]) -> Loaded:
    """Read the arrays of an object, without constructing the object.

    Parameters
    ----------
    tree : dict
        Audited tree of the object.

    reader : ArrayReader
        Archive with the arrays.

    trusted : sequence of str
        Names of the types that skops may load.

    Returns
    -------
    loaded : Loaded
        Tree of nodes with the arrays.
    """
    context = LoadContext(src=_NamesOnly(), protocol=tree["protocol"])
    root = get_tree(tree, context, trusted=list(trusted))
    audit_tree(root, list(trusted))
    loaded = Loaded(root)
    arrays: dict[str, np.ndarray] = {}
    for node in loaded.nodes():
        if getattr(node, "type", None) == "numpy":
            name = node.buffer.getvalue().decode()
            if name not in arrays:
                arrays[name] = reader.read_array(name)
            # skops does not read nodes that are already constructed.
            node._constructed = _as_its_class(arrays[name], node.class_name)
    return loaded


class Loaded:
    """Object that is not constructed yet, as a tree of nodes."""

    def __init__(self, root: Node):
        self._root = root

    def nodes(self) -> Iterator[Any]:
        """Yield all nodes, each once."""
        seen: set[int] = set()
        waiting = [self._root]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            for child in node.children.values():
                if isinstance(child, Node):
                    waiting.append(child)
                elif isinstance(child, dict | list):
                    several = child.values() if isinstance(child, dict) else child
                    waiting += [one for one in several if isinstance(one, Node)]

    def trees(self) -> Iterator[tuple[tuple, dict]]:
        """Yield the constructor arguments and the state of each decision tree."""
        for node in self.nodes():
            if isinstance(node, TreeNode):
                yield node.args.construct(), node.attrs.construct()

    def construct(self) -> Any:
        """Construct the object."""
        return self._root.construct()


class _NamesOnly:
    """Archive whose members contain their own names, so that arrays are read later."""

    def read(self, name: str) -> bytes:
        return name.encode()


def _as_its_class(array: np.ndarray, name: str) -> Any:
    return array if name == "ndarray" else getattr(np, name)(array)
