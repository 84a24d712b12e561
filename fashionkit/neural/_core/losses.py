"""What a network is trained for, and the accuracy that is told meanwhile."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fashionkit._tensorflow import keras


def make_loss(n_last: int | None, *, soft: bool) -> str | Callable:
    """Return the loss of targets that are indices, rows of probabilities, or rows for heads."""
    if not soft:
        return "sparse_categorical_crossentropy"
    return "categorical_crossentropy" if n_last is None else cross_entropy_of_heads()


def make_accuracy(n_last: int | None, *, soft: bool) -> Any:
    """Return a metric with variables: else Keras makes them in tracing, and has to trace again."""
    metrics = keras().metrics
    if not soft:
        return metrics.SparseCategoricalAccuracy(name="accuracy")
    if n_last is None:
        return metrics.CategoricalAccuracy(name="accuracy")
    return accuracy_of_last()(n_last)


@functools.cache
def cross_entropy_of_heads() -> Callable:
    """Return the sum of several heads' cross-entropies, weighted by what their targets sum to."""
    ops = keras().ops
    smallest = float(np.finfo(np.float32).eps)

    @keras().saving.register_keras_serializable("fashionkit")
    def cross_entropy(targets, probabilities):
        return -ops.sum(targets * ops.log(ops.maximum(probabilities, smallest)), axis=-1)

    return cross_entropy


@functools.cache
def accuracy_of_last() -> type:
    """Return the class of accuracies of the last outputs alone."""
    ops = keras().ops

    @keras().saving.register_keras_serializable("fashionkit")
    class AccuracyOfLast(keras().metrics.MeanMetricWrapper):  # type: ignore[misc]
        def __init__(self, n_last, name="accuracy", dtype=None):
            def are_equal(targets, probabilities):
                aims = ops.argmax(targets[:, -n_last:], axis=-1)
                chosen = ops.argmax(probabilities[:, -n_last:], axis=-1)
                return ops.cast(ops.equal(aims, chosen), "float32")

            super().__init__(are_equal, name=name, dtype=dtype)
            self.n_last = n_last

        def get_config(self):
            return {"n_last": self.n_last, "name": self.name, "dtype": self.dtype}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    return AccuracyOfLast
