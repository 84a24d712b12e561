"""The cache that computes each result once, whoever asks for it at the same time."""

from __future__ import annotations

import copy
import importlib
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from fashionkit.baselines._memory import once

# A module of its own, which other processes can import too.
HELPERS = """
import time
from sklearn.base import BaseEstimator, TransformerMixin


def note(log):
    with open(log, "a") as file:
        file.write("called\\n")


class SlowTransformer(TransformerMixin, BaseEstimator):
    def __init__(self, log=None):
        self.log = log

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X

    def fit_transform(self, X, y=None):
        note(self.log)
        time.sleep(0.2)
        return X


def hang_the_first_time(log):
    note(log)
    with open(log) as file:
        if len(file.readlines()) == 1:
            time.sleep(600)
    return "done"
"""

SEARCH = """
import numpy as np
from once_helpers import SlowTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from fashionkit.baselines._memory import once

X, y = np.random.default_rng(0).random((40, 5)), np.arange(40) % 2
steps = [("slow", SlowTransformer("log")), ("tree", DecisionTreeClassifier())]
GridSearchCV(
    Pipeline(steps, memory=once("cache")),
    {"tree__max_depth": [1, 2, 3, 4]},
    cv=[(np.arange(20), np.arange(20, 40))],
    n_jobs=2,
).fit(X, y)
"""


@pytest.fixture
def helpers(tmp_path, monkeypatch):
    """Return the module of helpers, imported from ``tmp_path``."""
    (tmp_path / "once_helpers.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "once_helpers", raising=False)
    yield importlib.import_module("once_helpers")
    del sys.modules["once_helpers"]


def start(script, folder):
    """Run a script in another process, which finds the helpers in its folder."""
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-W", "error::UserWarning", "-c", script]
    return subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)


def counted(memory, seconds=0.2):
    """Return a cached function that takes a while, and the list of what it has computed."""
    computed = []

    @memory.cache
    def square(number):
        computed.append(number)
        time.sleep(seconds)
        return number**2

    return square, computed


def results(folder):
    return list(folder.rglob("output.pkl"))


@pytest.mark.slow  # as real features do in test_make.py
@pytest.mark.usefixtures("helpers")
def test_a_grid_search_in_two_processes_computes_each_feature_set_once(tmp_path):
    search = start(SEARCH, tmp_path)
    assert search.wait(100) == 0, search.stderr.read()
    search.stderr.close()
    # On the one training set for all four depths, and on all images for the best.
    assert (tmp_path / "log").read_text() == 2 * "called\n"


def test_threads_compute_a_result_once_and_all_get_it(tmp_path):
    square, computed = counted(once(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(square, [3] * 4)) == [9] * 4
        shelved = list(pool.map(square.call_and_shelve, [4] * 4))
    assert [result.get() for result in shelved] == [16] * 4
    assert computed == [3, 4]


def test_different_results_are_computed_at_the_same_time(tmp_path):
    both_are_here = threading.Barrier(2, timeout=30)

    @once(tmp_path).cache
    def meet(number):
        both_are_here.wait()
        return number

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(meet, [1, 2])) == [1, 2]


def test_a_process_that_dies_leaves_the_result_to_others(helpers, tmp_path):
    log = tmp_path / "log"
    script = (
        "from fashionkit.baselines._memory import once\n"
        "from once_helpers import hang_the_first_time\n"
        f"once('cache').cache(hang_the_first_time)({str(log)!r})"
    )
    dying = start(script, tmp_path)
    while not log.exists():
        assert dying.poll() is None, dying.stderr.read()
        time.sleep(0.02)
    with ThreadPoolExecutor(1) as pool:
        cached = once(tmp_path / "cache").cache(helpers.hang_the_first_time)
        waiting = pool.submit(cached, str(log))
        time.sleep(0.3)
        assert not waiting.done()
        dying.kill()
        dying.communicate()
        assert waiting.result(timeout=30) == "done"
    assert log.read_text() == 2 * "called\n"


def test_an_exception_is_raised_and_not_stored(tmp_path):
    calls = []

    @once(tmp_path).cache
    def fail_the_first_time(number):
        calls.append(number)
        if len(calls) == 1:
            raise ValueError("no luck")
        return number

    with pytest.raises(ValueError, match="no luck"):
        fail_the_first_time(1)
    assert not results(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fail_the_first_time, 1).result(timeout=30) == 1
    assert calls == [1, 1]


def test_cached_functions_may_call_each_other_and_themselves(tmp_path):
    memory = once(tmp_path)

    @memory.cache
    def double(number):
        return 2 * number

    @memory.cache
    def power_of_two(exponent):
        return double(power_of_two(exponent - 1)) if exponent else 1

    assert power_of_two(5) == 32


@pytest.mark.filterwarnings("ignore:.*collisions:UserWarning")
def test_a_cached_function_may_call_another_of_the_same_name(tmp_path):
    memory = once(tmp_path)
    inner = memory.cache(lambda number: number + 1)
    outer = memory.cache(lambda number: 10 * inner(number))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(outer, 1).result(timeout=30) == 20


def test_code_that_has_changed_clears_old_results_and_no_new_ones(tmp_path):
    memory = once(tmp_path)
    square, computed = counted(memory)
    memory.store_backend.store_cached_func_code([square.func_id], "# first line: 1\nold code")
    read = memory.store_backend.get_cached_func_code
    delays = iter([0.5])

    def read_slowly_the_first_time(call_id):
        code = read(call_id)
        time.sleep(next(delays, 0))
        return code

    memory.store_backend.get_cached_func_code = read_slowly_the_first_time
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(square, 1)
        time.sleep(0.1)
        assert pool.submit(square, 2).result() == 4
        assert first.result() == 1
    assert (square(1), square(2)) == (1, 4)
    assert sorted(computed) == [1, 2]


def test_joblib_reads_what_is_stored_and_the_other_way_round(helpers, tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    log = tmp_path / "log"
    log.write_text("called\n")
    assert once(memory).cache(helpers.hang_the_first_time)(str(log)) == "done"
    assert memory.cache(helpers.hang_the_first_time).check_call_in_cache(str(log))
    memory.clear(warn=False)
    memory.cache(helpers.hang_the_first_time)(str(log))
    assert once(memory).cache(helpers.hang_the_first_time).check_call_in_cache(str(log))


def test_joblib_clears_and_reduces_the_cache(tmp_path):
    memory = once(tmp_path)
    square, computed = counted(memory, seconds=0)
    for number in (1, 2, 3):
        square(number)
    memory.reduce_size(items_limit=1)
    assert len(results(tmp_path)) == 1
    memory.clear(warn=False)
    assert not results(tmp_path)
    assert square(1) == 1
    square.clear(warn=False)
    assert not results(tmp_path)
    assert computed == [1, 2, 3, 1]


def test_clearing_the_cache_does_not_unlock_what_is_being_computed(tmp_path):
    for memory in (joblib.Memory(tmp_path, verbose=0), joblib.Memory(str(tmp_path), verbose=0)):
        memory = once(memory)
        square, computed = counted(memory)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(square, 1)
            while not computed:
                time.sleep(0.01)
            memory.clear(warn=False)
            assert pool.submit(square, 1).result() == first.result() == 1
        assert computed == [1]


def test_a_deleted_folder_is_made_again(tmp_path):
    folder = tmp_path / "cache"
    square, _ = counted(once(folder), seconds=0)
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    folder.rmdir()
    assert square(2) == 4
    assert len(results(folder)) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"compress": 3},
        {"mmap_mode": "r"},
        {"verbose": 7, "backend_options": {"anything": 1}},
    ],
    ids=str,
)
def test_the_settings_of_a_memory_are_kept(tmp_path, settings):
    memory = joblib.Memory(tmp_path, **{"verbose": 0, **settings})
    locked = once(memory)
    assert isinstance(locked, joblib.Memory)
    assert vars(locked) == vars(memory)
    function, expected = (cache(np.ones) for cache in (locked.cache, memory.cache))
    for name in ("compress", "mmap_mode", "store_backend", "func_id", "timestamp"):
        assert getattr(function, name) == getattr(expected, name)


def test_results_can_be_memory_maps(tmp_path):
    ones = once(joblib.Memory(tmp_path, mmap_mode="r", verbose=0)).cache(np.ones)
    for _ in range(2):
        result = ones((3, 4))
        assert isinstance(result, np.memmap)
        assert_array_equal(result, np.ones((3, 4)))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_becomes_the_cache_that_a_pipeline_would_make_of_it(tmp_path, kind, capsys):
    memory = once(kind(tmp_path))
    assert memory.location == str(tmp_path)
    square, _ = counted(memory, seconds=0)
    square(2)
    assert results(tmp_path / "joblib")
    assert capsys.readouterr().out == ""


class CustomCache:
    def cache(self, func):
        return func


class CustomMemory(joblib.Memory):
    pass


@pytest.mark.parametrize(
    "memory",
    [None, joblib.Memory(None), CustomCache(), CustomMemory(None)],
    ids=["None", "no location", "custom cache", "custom memory"],
)
def test_what_has_nothing_to_lock_is_returned_as_it_is(memory):
    assert once(memory) is memory


def test_a_cache_with_locks_is_returned_as_it_is(tmp_path):
    memory = once(tmp_path)
    assert once(memory) is memory
    function = memory.cache(np.ones)
    assert memory.cache(function).func is np.ones


@pytest.mark.parametrize("memory", [5, ["cache"], object()])
def test_anything_else_is_refused(memory):
    with pytest.raises(ValueError, match=r"memory=.* is not a cache; pass None, the path of"):
        once(memory)


def test_coroutines_are_cached_without_locks(tmp_path):
    async def nothing():
        """Do nothing."""

    cached = once(tmp_path).cache(nothing)
    assert type(cached) is type(joblib.Memory(tmp_path, verbose=0).cache(nothing))


def test_decorators_with_options(tmp_path):
    memory = once(tmp_path)
    calls = []

    @memory.cache(ignore=["ignored"])
    def add_one(number, ignored):
        calls.append(ignored)
        return number + 1

    assert [add_one(1, ignored) for ignored in "abc"] == [2, 2, 2]
    assert calls == ["a"]
    assert memory.eval(add_one, 2, "d") == 3


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_share_the_cache_and_its_locks(tmp_path, helpers, again):
    log = tmp_path / "log"
    log.write_text("called\n")
    memory = once(tmp_path / "cache")
    functions = [m.cache(helpers.hang_the_first_time) for m in (memory, again(memory))]
    functions.append(again(functions[0]))
    with ThreadPoolExecutor(3) as pool:
        assert [f.result() for f in [pool.submit(f, str(log)) for f in functions]] == ["done"] * 3
    assert log.read_text() == 2 * "called\n"


def test_a_pipeline_with_the_cache_can_be_cloned_and_pickled(tmp_path):
    X, y = np.random.default_rng(0).random((20, 3)), np.arange(20) % 2
    steps = [("scaler", StandardScaler()), ("tree", DecisionTreeClassifier(random_state=0))]
    pipeline = clone(Pipeline(steps, memory=once(tmp_path))).fit(X, y)
    again = pickle.loads(pickle.dumps(pipeline))
    assert_array_equal(again.fit(X, y).predict(X), y)
    assert len(results(tmp_path)) == 1


def test_a_cache_may_be_in_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert once("~/cache").location == str(tmp_path / "cache")
