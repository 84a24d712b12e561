"""Canaries: what is expected of the private API of skops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from fashionkit.persistence import _skops


class Memory:
    """An archive in memory."""

    def __init__(self):
        self.names, self.arrays, self.reads = {}, {}, []

    def namelist(self):
        return set(self.names)

    def writestr(self, name, data):
        self.names[name] = f"{len(self.names)}.npy"
        self.arrays[self.names[name]] = np.load(memory_file(data))

    def read_array(self, name):
        self.reads.append(name)
        return self.arrays[name]


def memory_file(data):
    import io

    return io.BytesIO(bytes(data))


def test_arrays_are_handed_over_and_not_copied():
    archive = Memory()
    array = np.arange(5.0)
    tree = _skops.save_tree({"a": array, "b": [array, np.float32(2)], "c": "text"}, archive)
    assert list(archive.arrays) == ["0.npy", "1.npy"]
    loaded = _skops.load_tree(tree, archive, []).construct()
    assert loaded["a"] is archive.arrays["0.npy"]
    assert loaded["b"][0] is loaded["a"]
    assert loaded["b"][1] == np.float32(2)
    assert loaded["c"] == "text"
    assert sorted(archive.reads) == ["0.npy", "1.npy"]


def test_numbers_of_objects_do_not_depend_on_addresses():
    trees = [_skops.save_tree({"a": [1.5, "x"], "b": {}}, Memory()) for _ in range(2)]
    assert trees[0] == trees[1]


def test_decision_trees_are_seen_before_they_are_made():
    archive = Memory()
    model = DecisionTreeClassifier(max_depth=2).fit([[0], [1], [2]], [0, 1, 0])
    tree = _skops.save_tree(model, archive)
    loaded = _skops.load_tree(tree, archive, ["sklearn.tree._tree.Tree"])
    ((args, state),) = loaded.trees()
    assert args[0] == 1
    assert state["node_count"] == len(state["nodes"]) == 5
    assert loaded.construct().predict([[2.0]]) == [0]


def test_a_type_that_is_not_trusted_is_not_made():
    archive = Memory()
    tree = _skops.save_tree(Memory(), archive)
    with pytest.raises(TypeError, match="Untrusted"):
        _skops.load_tree(tree, archive, [])
