"""What decides a fit is described alike in every process, and otherwise where it differs."""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import sys

import numpy as np
import pytest

from fashionkit.neural._core.fingerprint import describe


@pytest.mark.parametrize(
    ("left", "right", "are_equal"),
    [
        (0.1, np.float64(0.1), True),
        ({"a": [1, 2]}, {"a": [1, np.int64(2)]}, True),
        (functools.partial(sorted, key=len), functools.partial(sorted, key=len), True),
        (functools.partial(sorted, key=len), functools.partial(sorted, key=abs), False),
        (lambda shape: shape, lambda n: n + 1, False),
        (np.arange(3), np.arange(3), True),
        (np.arange(2000), np.arange(2000)[::-1], False),
        (object(), object(), True),
    ],
)
def test_equal_parameters_are_described_alike(left, right, are_equal):
    assert (describe(left) == describe(right)) == are_equal


def test_schedules_of_keras_are_described_by_what_they_are():
    import keras

    decay = keras.optimizers.schedules.ExponentialDecay
    assert describe(decay(0.1, 10, 0.5)) == describe(decay(0.1, 10, 0.5))
    assert describe(decay(0.1, 10, 0.5)) != describe(decay(0.1, 20, 0.5))


def test_optimizers_are_described_without_the_number_in_their_names():
    import keras

    adam = keras.optimizers.Adam
    assert describe(adam(0.1)) == describe(adam(0.1, name="adam_7"))
    assert describe(adam(0.1)) != describe(adam(0.2))


def make(rate):
    """Return functions that look alike, but for a value that each holds in its own way."""

    class Holder:
        def __init__(self):
            self.rate = rate

        def build(self, shape):
            return shape

        def __call__(self, shape):
            return shape

    def closure(shape):
        return rate

    def default(shape, rate=rate):
        return rate

    def keyword(shape, *, rate=rate):
        return rate

    def nested(shape):
        return (lambda: rate)()

    return {
        "closure": closure,
        "default": default,
        "keyword": keyword,
        "nested": nested,
        "bound method": Holder().build,
        "callable": Holder(),
        "partial": functools.partial(sorted, key=closure),
        "constant of nested code": eval(f"lambda shape: (lambda: {rate})()"),
        "dict of sets": {"a": {rate, "b"}},
    }


@pytest.mark.parametrize("kind", list(make(0.1)))
def test_what_a_function_holds_counts(kind):
    assert describe(make(0.1)[kind]) == describe(make(0.1)[kind])
    assert describe(make(0.1)[kind]) != describe(make(0.9)[kind])


RATE = 0.1


def helper():
    return RATE


class Layer:
    def call(self):
        return helper()


def calls_itself_and_others(n):
    return Layer().call() if n == 0 else calls_itself_and_others(n - 1)


def test_what_a_function_calls_in_its_own_module_counts(monkeypatch):
    before = describe(calls_itself_and_others)
    assert describe(calls_itself_and_others) == before
    monkeypatch.setitem(globals(), "RATE", 0.9)
    assert describe(calls_itself_and_others) != before


PROGRAM = """
from fashionkit.neural._core.fingerprint import describe

NAMES = {"c", "a", "b"}

def build(shape, options=frozenset({"x", "y", "z"})):
    return (lambda n: n in {"p", "q", "r"} and NAMES and print)(shape)

print(describe([build, {"s", "t"}, object()]))
"""


def test_another_process_describes_a_function_alike():
    other = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    ).stdout
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(PROGRAM, {"__name__": "__main__"})
    assert here.getvalue() == other != ""
