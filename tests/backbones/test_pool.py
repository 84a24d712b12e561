"""The pool of compiled networks: bounded by bytes, safe in threads, without hold on functions."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fashionkit._backbones.networks import Backbone
from fashionkit._backbones.pool import Pool, freeze


class Item:
    def __init__(self, n_bytes=1):
        self.n_bytes = n_bytes


def test_what_is_taken_is_the_callers_alone():
    pool, item = Pool(10), Item()
    pool.give_back("kind", item)
    assert pool.take("kind") is item
    assert pool.take("kind") is None


def test_what_was_used_longest_ago_goes_first():
    pool = Pool(10)
    for name in "abc":
        pool.give_back(name, Item(3))
    assert pool.share("a", Item) is pool.share("a", Item)
    pool.give_back("d", Item(4))
    assert pool.n_bytes == 10
    assert [pool.take(name) is None for name in "abcd"] == [False, True, False, False]


def test_something_larger_than_the_pool_is_kept_until_the_next_comes():
    pool = Pool(10)
    pool.give_back("large", Item(11))
    assert len(pool) == 1
    pool.give_back("small", Item(1))
    assert pool.take("large") is None
    assert pool.take("small") is not None


def test_one_kind_is_bounded_too():
    pool = Pool(10)
    for _ in range(5):
        pool.give_back("kind", Item(8))
    assert len(pool) == 1


def test_what_cannot_be_found_again_is_not_kept():
    pool = Pool(10)
    pool.give_back(("engine", freeze({"x": {1, 2}})), Item())
    assert len(pool) == 0


def test_threads_that_share_make_one():
    pool, made, seen = Pool(10), [], []

    def make():
        time.sleep(0.05)
        made.append(Item())
        return made[-1]

    threads = [
        threading.Thread(target=lambda: seen.append(pool.share("kind", make))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert all(item is made[0] for item in seen)


def test_one_that_fails_to_make_leaves_it_to_the_next():
    pool = Pool(10)

    def fail():
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            pool.share("kind", fail)
    assert pool.share("kind", Item).n_bytes == 1


class Builder:
    def build(self, shape):
        return shape


def make_function(number):
    return lambda shape: number


def test_equal_parameters_have_equal_keys():
    function, builder = make_function(1), Builder()
    partial = functools.partial
    for first, second, other in (
        ({"a": [1, 2]}, {"a": [1, 2]}, {"a": [1, 3]}),
        (np.arange(3), np.arange(3), np.arange(3.0)),
        (function, function, make_function(1)),
        (partial(function, 1), partial(function, 1), partial(function, 2)),
        (builder.build, builder.build, Builder().build),
        (Backbone(function, (8, 8)), Backbone(function, (8, 8)), Backbone(function, (8, 9))),
        (1, 1, 1.0),
        ((1,), (1,), [1]),
        (int, int, float),
        (None, None, False),
        (Backbone("a", (8, 8)), Backbone("a", (8, 8)), Backbone("a", (8, 8), ("mid",))),
    ):
        assert freeze(first) == freeze(second)
        assert hash(freeze(first)) == hash(freeze(second))
        assert freeze(first) != freeze(other)


def test_what_cannot_be_compared_equals_nothing_else():
    class Unhashable:
        __hash__ = None

    value = Unhashable()
    assert freeze(value) != freeze(value)


def test_keys_do_not_keep_functions_alive(monkeypatch):
    pool = Pool(10)
    monkeypatch.setattr("fashionkit._backbones.pool.pool", pool)
    functions = [make_function(1), make_function(2)]
    for function in functions:
        pool.give_back(freeze({"backbone": Backbone(function, (8, 8))}), Item())
    assert len(pool) == 2
    del function
    functions.pop()
    gc.collect()
    assert len(pool) == 1


def test_keys_do_not_keep_the_objects_of_methods_alive(monkeypatch):
    pool = Pool(10)
    monkeypatch.setattr("fashionkit._backbones.pool.pool", pool)
    builder = Builder()
    pool.give_back(freeze(builder.build), Item())
    assert pool.share(freeze(builder.build), Item) is pool.share(freeze(builder.build), Item)
    del builder
    gc.collect()
    assert len(pool) == 0


def test_an_object_that_has_changed_has_another_key():
    builder = Builder()
    before = freeze(builder.build), freeze(builder)
    builder.filters = 9
    assert before[0] != freeze(builder.build)
    assert before[1] != freeze(builder)


def test_an_object_that_holds_itself_equals_nothing_else():
    builder = Builder()
    builder.itself = builder
    assert freeze(builder.build) != freeze(builder.build)


def test_arrays_of_objects_are_equal_by_what_they_hold():
    first, second, other = (np.array([n, "a"], dtype=object) for n in (1, 1, 2))
    assert freeze(first) == freeze(second) != freeze(other)


def test_a_function_that_dies_while_the_pool_is_locked_is_noticed_later(monkeypatch):
    pool = Pool(10)
    monkeypatch.setattr("fashionkit._backbones.pool.pool", pool)
    function = make_function(1)
    pool.give_back(freeze(function), Item())
    with pool._lock:
        del function
        gc.collect()
    assert len(pool) == 0


def test_a_function_that_dies_when_python_ends_is_no_error():
    code = (
        "import ctypes, types\n"
        "from fashionkit._backbones import pool\n"
        "pool.last = lambda: None\n"  # dies with the module, after its private names
        "pool.pool.give_back(pool.freeze(pool.last), types.SimpleNamespace(n_bytes=1))\n"
        "ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))\n"  # a reference that stays
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
