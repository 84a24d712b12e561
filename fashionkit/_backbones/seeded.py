"""Keras models that can be drawn anew from any seed, without touching any global state."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fashionkit._tensorflow import keras, tensorflow

Arrays = list[np.ndarray]

_seeding = threading.RLock()


class SeededModel:
    """A Keras model, and how to draw its first weights from any seed.

    Parameters
    ----------
    build : callable
        Returns a new ``keras.Model``. Weights that it loads are kept.

    dtype : str, default="float32"
        What its layers compute in.
    """

    def __init__(self, build: Callable[[], Any], dtype: str = "float32"):
        # In a stateless scope variables keep their initializers, so that they can be drawn again
        # for every seed, and values that a builder loads arrive as updates of the scope.
        with seeded(0), dtype_policy(dtype), keras().StatelessScope() as scope:
            self.model = build()
            self._recipes = [
                (variable, scope.get_current_value(variable), variable._initializer)
                for variable in self.model.variables
            ]
        self._recipes = [
            (variable, None if value is None else np.array(value), initializer)
            for variable, value, initializer in self._recipes
        ]

    def first_weights(self, seed: int) -> Arrays:
        """Return the weights that a fresh model has for ``seed``, as ``model.variables`` are."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self._recipes)).tolist()
        with seeded(seed):
            return [
                np.array(_initial_value(variable, initializer, own) if value is None else value)
                for (variable, value, initializer), own in zip(self._recipes, seeds, strict=True)
            ]

    def draw(self, seed: int) -> None:
        """Set the weights to those that a fresh model has for ``seed``."""
        for (variable, _, _), value in zip(self._recipes, self.first_weights(seed), strict=True):
            variable.assign(value)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's global generators inside, and restore them afterwards.

    One thread at a time: two that overlap would restore each other's states.
    """
    with _seeding:
        python_state, numpy_state = random.getstate(), np.random.get_state()
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


@contextmanager
def dtype_policy(dtype: str) -> Iterator[None]:
    """Build layers inside that compute in ``dtype``, whatever Keras's policy is outside."""
    policy = keras().config.dtype_policy()
    keras().config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras().config.set_dtype_policy(policy)


def _initial_value(variable: Any, initializer: Any, seed: int) -> Any:
    if variable.name.endswith("seed_generator_state"):
        return np.array([seed, 0], dtype=variable.dtype)
    if getattr(initializer, "_init_seed", 0) is None:  # random, and not fixed by the builder
        initializer = type(initializer).from_config({**initializer.get_config(), "seed": seed})
    return initializer(variable.shape, dtype=variable.dtype)


def compile_stateless(model: Any, around: Callable | None = None) -> Callable:
    """Compile a model as ``(trainable, non_trainable, images) -> outputs``, for inference.

    Parameters
    ----------
    model : keras.Model
        The model, whose own weights are not used.

    around : callable, default=None
        ``(call, images)``, which calls the model as often as it likes; None calls it once.

    Returns
    -------
    function : callable
        For any number of float32 images, and any number of threads.
    """
    tf = tensorflow()

    @tf.function(autograph=False, jit_compile=False)
    def infer(trainable, non_trainable, images):
        def call(view):
            return model.stateless_call(trainable, non_trainable, view, training=False)[0]

        return call(images) if around is None else around(call, images)

    def specs(variables):
        return [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]

    # Any number of images, one trace: nothing is compiled again for another batch size.
    return infer.get_concrete_function(
        specs(model.trainable_variables),
        specs(model.non_trainable_variables),
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
    )


def copy_values(variables: list) -> Arrays:
    """Copy variables into arrays."""
    # A copy: on the CPU the array that TensorFlow hands out may be the variable's own memory.
    to_numpy = keras().ops.convert_to_numpy
    return [np.array(to_numpy(variable)) for variable in variables]


def fit_together(variables: list, values: Arrays) -> bool:
    """Tell whether arrays have the shapes of variables."""
    return [tuple(variable.shape) for variable in variables] == [value.shape for value in values]


def assign_values(variables: list, values: Arrays) -> None:
    """Set variables to arrays."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
