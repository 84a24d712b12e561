"""Keras models that can be drawn anew from any seed, without touching any global state."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fashionkit._backbones.pool import BYTES_PER_FUNCTION
from fashionkit._files import ModelFileError
from fashionkit._keras_compat import direct_call, forget_new_variables, initializer_of, is_free
from fashionkit._tensorflow import keras, refuse_fork, tensorflow

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
        with seeded(0), keras_settings(dtype), keras().StatelessScope() as scope:
            try:
                self.model = build()
            except BaseException:
                forget_new_variables()
                raise
            self._recipes = [
                (variable, scope.get_current_value(variable), initializer_of(variable))
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


class _KerasSettings:
    """Keras's settings of the process as they are by default, while anybody needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._before: tuple[str, str, float] = "channels_last", "float32", 1e-7

    def __enter__(self) -> None:
        config = keras().config
        with self._lock:
            self._n_users += 1
            if self._n_users == 1:
                self._before = config.image_data_format(), config.floatx(), config.epsilon()
                self._set("channels_last", "float32", 1e-7)

    def __exit__(self, *_: Any) -> None:
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                self._set(*self._before)

    @staticmethod
    def _set(data_format: str, floatx: str, epsilon: float) -> None:
        config = keras().config
        config.set_image_data_format(data_format)
        config.set_floatx(floatx)
        config.set_epsilon(epsilon)


_settings = _KerasSettings()


@contextmanager
def keras_settings(dtype: str = "float32") -> Iterator[None]:
    """Build, train and trace networks inside to the same bits, however the user has set Keras.

    Parameters
    ----------
    dtype : str, default="float32"
        What new layers compute in.
    """
    with _settings:
        policy = keras().config.dtype_policy()
        keras().config.set_dtype_policy(dtype)
        try:
            yield
        finally:
            keras().config.set_dtype_policy(policy)


def _initial_value(variable: Any, initializer: Any, seed: int) -> Any:
    if variable.name.endswith("seed_generator_state"):
        return np.array([seed, 0], dtype=variable.dtype)
    if is_free(initializer):
        initializer = type(initializer).from_config({**initializer.get_config(), "seed": seed})
    return initializer(variable.shape, dtype=variable.dtype)


class CompiledModel:
    """A model compiled for inference, which takes the weights that it uses.

    Parameters
    ----------
    model : keras.Model
        The model, whose own weights are not used.

    run : callable, default=None
        Computes the result of images, and of what else is taken, by calling the model as often as
        it likes. None calls it once.

    more : sequence of tensorflow.TensorSpec, default=()
        What is taken beside images.
    """

    def __init__(self, model: Any, run: Callable | None = None, more: Sequence[Any] = ()):
        tf = tensorflow()
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        run = run or (lambda images: model(images, training=False))

        @tf.function(autograph=False, jit_compile=False)
        def infer(values, images, *others):
            # Layers see these values in place of their variables.
            with keras().StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return run(images, *others)

        # Any number of images, one trace: nothing is compiled again for another batch size.
        with keras_settings():
            self._function = infer.get_concrete_function(
                [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables],
                tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
                *more,
            )
        self.n_bytes = BYTES_PER_FUNCTION + count_bytes(variables)
        self._shapes = [tuple(variable.shape) for variable in variables]

    def bind(self, weights: Sequence[Any]) -> Callable[..., np.ndarray]:
        """Return the function from arrays to an array with these weights, for any thread.

        Parameters
        ----------
        weights : sequence of ndarray or tensor
            Trainable variables, and then the others.

        Returns
        -------
        call : callable
            From images, and what else is taken, to an array.

        Raises
        ------
        ModelFileError
            If these are not the weights of this model, as they may be in a file.
        """
        if [tuple(weight.shape) for weight in weights] != self._shapes:
            raise ModelFileError(
                "The weights of this model have other shapes than its network. Its file was "
                "changed, or was written by another version of the code."
            )
        constant = tensorflow().constant
        weights = list(map(tensorflow().convert_to_tensor, weights))
        call = direct_call(self._function)

        def run(*arrays: np.ndarray) -> np.ndarray:
            refuse_fork()
            return call([*weights, *map(constant, arrays)]).numpy()

        return run


def count_bytes(variables: list) -> int:
    """Return the size of variables, as if all had numbers of four bytes, as nearly all have."""
    return 4 * sum(math.prod(variable.shape) for variable in variables)


def copy_values(variables: list) -> Arrays:
    """Copy variables into arrays."""
    # A copy: on the CPU the array that TensorFlow hands out may be the variable's own memory.
    # By way of a tensor: NumPy warns of how Keras hands out a variable's memory.
    to_tensor = keras().ops.convert_to_tensor
    return [np.array(to_tensor(variable).numpy()) for variable in variables]


def fit_together(variables: list, values: Arrays) -> bool:
    """Tell whether arrays have the shapes of variables."""
    return [tuple(variable.shape) for variable in variables] == [value.shape for value in values]


def assign_values(variables: list, values: Arrays) -> None:
    """Set variables to arrays."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
