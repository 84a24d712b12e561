"""Label trees: which coarse class each class belongs to, level by level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from sklearn.utils import gen_batches

from fashionkit.datasets import CLASS_NAMES
from fashionkit.neural._core.samples import Samples

# Seo and Shin's tree of Fashion-MNIST, by the names of its classes.
FASHION_MNIST_TREE = {
    "clothes": {
        "tops": ["T-shirt/top", "Pullover", "Shirt"],
        "bottoms": ["Trouser"],
        "dresses": ["Dress"],
        "outers": ["Coat"],
    },
    "goods": {
        "accessories": ["Bag"],
        "shoes": ["Sandal", "Sneaker", "Ankle boot"],
    },
}


@dataclass(frozen=True)
class Hierarchy:
    """A coarse-to-fine tree over classes.

    Parameters
    ----------
    n_classes : int
        Number of classes.

    names : tuple of ndarray
        Names of the nodes of each coarse level, the coarsest first. The classes
        themselves are the level below the last.

    nodes : tuple of ndarray of shape (n_classes,), dtype=int64
        The node of each class, level by level.
    """

    n_classes: int
    names: tuple[np.ndarray, ...]
    nodes: tuple[np.ndarray, ...]

    @property
    def n_levels(self) -> int:
        """Number of levels, the classes themselves among them."""
        return len(self.names) + 1

    def membership(self, level: int) -> np.ndarray:
        """Return which classes each node of a level holds, of shape (n_classes, n_nodes)."""
        if level == len(self.names):
            return np.eye(self.n_classes, dtype=np.float32)
        one_hot = np.eye(len(self.names[level]), dtype=np.float32)
        return one_hot[self.nodes[level]]


def resolve_tree(tree: Any, classes: np.ndarray, samples: Samples) -> Hierarchy:
    """Return the hierarchy that a tree makes of some classes.

    Parameters
    ----------
    tree : dict, "cluster" or "fashion-mnist"
        Nested dictionaries whose leaves are lists of labels; clusters of mean images; or
        Fashion-MNIST's tree.

    classes : ndarray of shape (n_classes,)
        The labels.

    samples : Samples
        What is trained on.

    Returns
    -------
    hierarchy : Hierarchy
        The tree, without nodes that hold none of the classes.

    Raises
    ------
    ValueError
        If the tree misses a class, gives one two parents, or is of uneven depth.
    """
    if isinstance(tree, Mapping):
        return read_tree(tree, classes)
    if tree == "cluster":
        return cluster_classes(samples, classes)
    by_name = set(classes.tolist()) <= set(CLASS_NAMES)
    return read_tree(FASHION_MNIST_TREE if by_name else _by_number(FASHION_MNIST_TREE), classes)


def read_tree(tree: Mapping, classes: np.ndarray) -> Hierarchy:
    """Check a user's tree against the classes, and turn it into levels."""
    paths = list(_paths(tree, ()))
    depths = {len(path) for path, _ in paths}
    if len(depths) != 1:
        raise ValueError(
            f"tree is of uneven depth: some classes are {min(depths)} levels deep, others "
            f"{max(depths)}; repeat a name on the way down where a level has nothing to add."
        )
    parents: dict[Any, list[tuple]] = {}
    for path, label in paths:
        parents.setdefault(label, []).append(path)
    twice = {label: found for label, found in parents.items() if len(found) > 1}
    if twice:
        label, found = next(iter(twice.items()))
        places = " and ".join("/".join(map(str, path)) for path in found)
        raise ValueError(
            f"tree has the class {label!r} under {places}; every class needs exactly one parent."
        )
    missing = [label for label in classes.tolist() if label not in parents]
    if missing:
        raise ValueError(
            f"tree misses the classes {missing}; it has {list(parents)}. Every label of y must be "
            "in one of its lists, written as in y."
        )
    own = [parents[label][0] for label in classes.tolist()]
    names, nodes = [], []
    for level in range(depths.pop()):
        # A node is the whole path to it: equal names under different parents are two nodes.
        prefixes = [path[: level + 1] for path in own]
        order = list(dict.fromkeys(path[: level + 1] for path, _ in paths))
        order = [prefix for prefix in order if prefix in prefixes]
        names.append(_unique_names(order))
        nodes.append(np.array([order.index(prefix) for prefix in prefixes]))
    return Hierarchy(len(classes), tuple(names), tuple(nodes))


def cluster_classes(samples: Samples, classes: np.ndarray) -> Hierarchy:
    """Group classes by their mean images, with Ward's method: in two, and in about sqrt(2n).

    References
    ----------
    J. H. Ward, "Hierarchical Grouping to Optimize an Objective Function", Journal of the American
    Statistical Association 58(301), 1963.
    """
    images, n_classes = samples.images, len(classes)
    counts = np.bincount(samples.targets[samples.rows], minlength=n_classes)
    if not counts.all():
        raise ValueError(
            f"The classes {classes[counts == 0].tolist()} have no image to be grouped by; pass a "
            "tree, or images of all classes first."
        )
    sums = np.zeros((n_classes, math.prod(images.pixels.shape[1:])))
    chunks = [samples.rows[part] for part in gen_batches(len(samples.rows), images.chunk_size)]
    for rows, pixels in zip(chunks, images.scaled_parts(chunks), strict=True):
        np.add.at(sums, samples.targets[rows], pixels.reshape(len(rows), -1))
    tree = linkage(sums / counts[:, None], "ward")
    sizes = dict.fromkeys((2, round(np.sqrt(2 * n_classes))))
    names, nodes = [], []
    for size in sizes:
        if 2 <= size < n_classes:
            groups = cut_tree(tree, size)[:, 0]
            names.append(np.array([f"group {number + 1}" for number in range(size)]))
            nodes.append(groups)
    return Hierarchy(n_classes, tuple(names), tuple(nodes))


def _paths(tree: Any, path: tuple) -> Any:
    """Yield the path to each class, and the class."""
    if isinstance(tree, Mapping) and tree:
        for name, branch in tree.items():
            yield from _paths(branch, (*path, name))
    elif isinstance(tree, list | tuple | np.ndarray) and len(tree) and path:
        for label in tree:
            yield path, label.item() if isinstance(label, np.generic) else label
    else:
        where = f"at {'/'.join(map(str, path))}" if path else "itself"
        raise ValueError(
            f"tree {where} is {tree!r}, expected a dict of branches, or a list of at least one "
            "class under a name."
        )


def _by_number(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {name: _by_number(branch) for name, branch in tree.items()}
    return [CLASS_NAMES.index(name) for name in tree]


def _unique_names(prefixes: list[tuple]) -> np.ndarray:
    """Name nodes by their last part, or by their whole path where that is ambiguous."""
    last = [str(prefix[-1]) for prefix in prefixes]
    return np.array(
        [
            name if last.count(name) == 1 else "/".join(map(str, prefix))
            for name, prefix in zip(last, prefixes, strict=True)
        ]
    )
