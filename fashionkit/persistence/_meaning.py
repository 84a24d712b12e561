"""Consistency checks of loaded estimators, whose compiled code does not check indices.

Trees, forests, support vector machines and nearest neighbours of scikit-learn use numbers of their
state as indices of arrays. In a crafted file, these could point anywhere in memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import BallTree, KDTree, KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import SVC
from sklearn.tree import BaseDecisionTree

from fashionkit.features import BackboneFeatures
from fashionkit.neural import architectures
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.persistence._distributions import NAMES, Distribution
from fashionkit.persistence._skops import Loaded

_LEAF = -1
_MAX_FEATURES = 10_000_000
_TREES = {"kd_tree": KDTree, "ball_tree": BallTree}
_KERNELS = ("linear", "poly", "rbf", "sigmoid")


def check_trees(loaded: Loaded) -> None:
    """Check the states of decision trees before the trees are constructed.

    Raises
    ------
    ValueError
        If the nodes are not those of a tree, or indices are outside of the arrays.
    """
    for args, state in loaded.trees():
        _require(
            isinstance(args, tuple) and len(args) == 3, "a tree has invalid constructor arguments"
        )
        n_features, n_classes, n_outputs = args
        _require(
            isinstance(n_classes, np.ndarray)
            and n_classes.dtype == np.intp
            and n_classes.ndim == 1
            and len(n_classes) == n_outputs
            and _is_int(n_outputs)
            and n_outputs >= 1
            and n_classes.min() >= 1,
            "a tree has an invalid number of classes or outputs",
        )
        _require(_is_int(n_features) and n_features >= 1, "a tree has no features")
        _require(isinstance(state, dict), "a tree has no state")
        nodes: Any = state.get("nodes")
        values: Any = state.get("values")
        _require(
            isinstance(nodes, np.ndarray)
            and nodes.ndim == 1
            and len(nodes) >= 1
            and {"left_child", "right_child", "feature"} <= set(nodes.dtype.names or ()),
            "a tree has no nodes",
        )
        _require(
            state.get("node_count") == len(nodes) and _is_int(state.get("max_depth")),
            "a tree has another node_count than nodes",
        )
        expected = len(nodes), n_outputs, n_classes.max()
        _require(
            isinstance(values, np.ndarray)
            and values.shape == expected
            and values.dtype == np.float64,
            "a tree has values of another shape",
        )
        _check_nodes(nodes, n_features)


def _check_nodes(nodes: np.ndarray, n_features: int) -> None:
    """Check that nodes are a tree, and that their features exist."""
    numbers = np.arange(len(nodes))
    left, right, feature = (nodes[name] for name in ("left_child", "right_child", "feature"))
    is_leaf = left == _LEAF
    _require(np.array_equal(is_leaf, right == _LEAF), "a tree has a node with one child")
    inner = ~is_leaf
    # Children come after their parents, which excludes cycles.
    for child in (left, right):
        inside = (child[inner] > numbers[inner]) & (child[inner] < len(nodes))
        _require(inside.all(), "a tree has a child before its parent, or outside of the nodes")
    children = np.concatenate([left[inner], right[inner]])
    _require(len(np.unique(children)) == len(children), "a tree has a node with two parents")
    _require(
        ((feature[inner] >= 0) & (feature[inner] < n_features)).all(),
        "a tree splits on a feature that does not exist",
    )


def check_object(obj: Any) -> None:
    """Check a loaded object and all of its parts.

    Raises
    ------
    ValueError
        If a part would read outside of its arrays, or has a parameter that files may not have.
    """
    for part in iterate_parts(obj):
        if isinstance(part, ClassifierMixin):
            _check_classes(part)
        for kind, check in _CHECKS:
            if isinstance(part, kind):
                check(part)


def try_out(estimator: Any) -> None:
    """Let a fitted model without networks predict one image, to find inconsistent shapes.

    Models with networks are left out, as their prediction starts TensorFlow. They check their
    shapes themselves.

    Raises
    ------
    Exception
        Error of the prediction, of any type.
    """
    n_features: Any = getattr(estimator, "n_features_in_", None)
    if not _is_int(n_features) or not 1 <= n_features <= _MAX_FEATURES:
        return
    if any(
        isinstance(part, TrainedNetwork | BackboneFeatures) for part in iterate_parts(estimator)
    ):
        return
    row = np.arange(n_features, dtype=np.float64)[np.newaxis] % 256
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("predict_proba", "predict", "transform"):
            if hasattr(estimator, name):
                getattr(estimator, name)(row)
                return


def iterate_parts(obj: Any) -> Iterator[Any]:
    """Yield an object and all of its parts, each once."""
    seen: dict[int, Any] = {}
    waiting = [obj]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str | bytes | int | float | type | None) or id(part) in seen:
            continue
        seen[id(part)] = part
        if isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else []
            continue
        yield part
        if isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set):
            waiting += list(part)
        waiting += list(getattr(part, "__dict__", {}).values())


def _check_classes(classifier: Any) -> None:
    """Check that classes are unique, and as many as the outputs of a network."""
    classes = vars(classifier).get("classes_")
    for labels in classes if isinstance(classes, list) else [classes]:
        if isinstance(labels, np.ndarray):
            _require(
                labels.ndim == 1 and len(np.unique(labels)) == len(labels),
                "a classifier has duplicate classes",
            )
    network = vars(classifier).get("_network")
    if isinstance(network, TrainedNetwork) and isinstance(classes, np.ndarray):
        n_outputs, is_one = network.spec.n_outputs, network.spec.n_heads == 1
        _require(
            len(classes) == n_outputs if is_one else len(classes) < n_outputs,
            "a network has another number of outputs than classes",
        )


def _check_tree_estimator(estimator: Any) -> None:
    tree = getattr(estimator, "tree_", None)
    if tree is None:
        return
    _require(
        tree.n_features == getattr(estimator, "n_features_in_", None),
        "a tree has another number of features than its estimator",
    )
    _require(
        tree.n_outputs == getattr(estimator, "n_outputs_", None),
        "a tree has another number of outputs than its estimator",
    )


def _check_forest(forest: Any) -> None:
    members = getattr(forest, "estimators_", None)
    if members is None:
        return
    _require(
        isinstance(members, list)
        and len(members) >= 1
        and all(isinstance(one, BaseDecisionTree) and hasattr(one, "tree_") for one in members),
        "a forest has estimators that are not fitted trees",
    )
    features = {one.n_features_in_ for one in members}
    _require(
        features == {getattr(forest, "n_features_in_", None)},
        "a forest has trees with other numbers of features",
    )
    n_classes: Any = getattr(forest, "n_classes_", 0)
    _require(
        {tuple(np.atleast_1d(one.n_classes_)) for one in members}
        == {tuple(np.atleast_1d(n_classes))},
        "a forest has trees with other numbers of classes",
    )


def _check_svc(svc: Any) -> None:
    _require(
        isinstance(svc.kernel, str) and svc.kernel in _KERNELS,
        "a support vector machine has an unsupported kernel",
    )
    if not hasattr(svc, "support_"):
        return
    names = ("support_", "support_vectors_", "_n_support", "_dual_coef_", "_intercept_")
    arrays: list[Any] = [
        getattr(svc, name, None) for name in (*names, "_probA", "_probB", "classes_")
    ]
    _require(
        all(isinstance(array, np.ndarray) for array in arrays) and not svc._sparse,
        "a support vector machine lacks arrays, or is sparse",
    )
    support, vectors, counts, dual, intercept, slopes, offsets, classes = arrays
    n_pairs = len(classes) * (len(classes) - 1) // 2
    _require(
        vectors.ndim == 2
        and vectors.dtype == dual.dtype == intercept.dtype == np.float64
        and vectors.shape[1] == svc.n_features_in_ == svc.shape_fit_[1]
        and support.dtype == counts.dtype == np.int32
        and support.shape == (len(vectors),)
        and ((support >= 0) & (support < svc.shape_fit_[0])).all()
        and len(classes) >= 2
        and counts.shape == (len(classes),)
        and (counts >= 0).all()
        and counts.sum() == len(vectors)
        and dual.shape == (len(classes) - 1, len(vectors))
        and intercept.shape == (n_pairs,)
        and slopes.dtype == offsets.dtype == np.float64
        and slopes.shape == offsets.shape
        and slopes.shape in ((0,), (n_pairs,)),
        "a support vector machine has arrays of inconsistent shapes or values",
    )
    _require(
        all(np.isfinite(array).all() for array in (vectors, dual, intercept)),
        "a support vector machine has NaN or infinite values",
    )


def _check_neighbors(neighbors: Any) -> None:
    _require(
        isinstance(neighbors.metric, str) and neighbors.weights in ("uniform", "distance", None),
        "a nearest-neighbours classifier has an unsupported metric or weights",
    )
    fitted = getattr(neighbors, "_fit_X", None)
    if fitted is None:
        return
    labels: Any = getattr(neighbors, "_y", None)
    classes: Any = getattr(neighbors, "classes_", None)
    _require(
        isinstance(fitted, np.ndarray)
        and fitted.ndim == 2
        and fitted.dtype.kind == "f"
        and fitted.shape[1] == neighbors.n_features_in_
        and getattr(neighbors, "n_samples_fit_", len(fitted)) == len(fitted),
        "a nearest-neighbours classifier has training data of an invalid shape",
    )
    several = classes if isinstance(classes, list) else [classes]
    _require(
        isinstance(labels, np.ndarray)
        and labels.dtype.kind == "i"
        and labels.shape in ((len(fitted),), (len(fitted), len(several)))
        and all(isinstance(one, np.ndarray) for one in several)
        and (labels >= 0).all()
        and (labels.reshape(len(fitted), -1) < [len(one) for one in several]).all(),
        "a nearest-neighbours classifier has labels outside of its classes",
    )
    _require(
        neighbors._fit_method in ("brute", *_TREES),
        "a nearest-neighbours classifier has an unsupported algorithm",
    )


def build_trees(obj: Any) -> None:
    """Build the search trees of nearest-neighbours classifiers, which are not saved."""
    for part in iterate_parts(obj):
        if not isinstance(part, KNeighborsClassifier):
            continue
        kind = _TREES.get(vars(part).get("_fit_method"))
        if kind is not None and part._tree is None:
            params = {"metric": part.effective_metric_, **part.effective_metric_params_}
            part._tree = kind(part._fit_X, part.leaf_size, **params)


def _check_pipeline(pipeline: Any) -> None:
    # A cache is a folder of pickles, which a later fit would load.
    _require(getattr(pipeline, "memory", None) is None, "a pipeline has a cache (memory)")


def _check_spec(spec: Any) -> None:
    shape = spec.image_shape
    _require(
        isinstance(shape, tuple)
        and len(shape) == 3
        and all(_is_int(side) and 1 <= side < 2**16 for side in shape),
        "a network has an invalid image shape",
    )
    _require(
        _is_int(spec.n_outputs) and _is_int(spec.n_heads) and spec.n_outputs >= spec.n_heads >= 1,
        "a network has an invalid number of outputs",
    )
    _require(isinstance(spec.params, dict), "a network has no parameters")
    if isinstance(spec.architecture, str):
        _require(
            spec.architecture in architectures.list_architectures(),
            f"a network has the unknown architecture {spec.architecture[:40]!r}",
        )
    else:
        _require(callable(spec.architecture), "a network has no architecture")


def _check_network(network: Any) -> None:
    _require(isinstance(network.spec, NetworkSpec), "a network has no architecture")
    for arrays in (network.trainable, network.non_trainable):
        _require(
            isinstance(arrays, list)
            and all(isinstance(one, np.ndarray) and one.dtype.kind in "fiu" for one in arrays),
            "a network has weights that are not numeric arrays",
        )


def _check_distribution(distribution: Any) -> None:
    _require(
        distribution.name in NAMES
        and isinstance(distribution.args, tuple)
        and isinstance(distribution.kwds, dict),
        "a distribution is not supported",
    )


_CHECKS: tuple[tuple[Any, Callable[[Any], None]], ...] = (
    (BaseDecisionTree, _check_tree_estimator),
    ((RandomForestClassifier, ExtraTreesClassifier), _check_forest),
    (SVC, _check_svc),
    (KNeighborsClassifier, _check_neighbors),
    ((Pipeline, FeatureUnion), _check_pipeline),
    (NetworkSpec, _check_spec),
    (TrainedNetwork, _check_network),
    (Distribution, _check_distribution),
)


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _require(holds: Any, reason: str) -> None:
    if not holds:
        raise ValueError(reason)
