"""Networks: how they are built, checked, and given the first weights that a seed decides."""

from __future__ import annotations

import functools
import random
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fashionkit._tensorflow import keras
from fashionkit.neural import architectures

Arrays = list[np.ndarray]

_seeding = threading.RLock()


@dataclass(frozen=True)
class NetworkSpec:
    """What a network is built from; two equal specs build equal networks.

    Its outputs are ``n_heads`` rows of probabilities side by side, of ``n_outputs`` numbers in all.
    """

    architecture: str | Callable
    image_shape: tuple[int, int, int]
    n_outputs: int
    params: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    n_heads: int = 1

    @property
    def key(self) -> Hashable:
        """Hashable form, to look networks up by."""
        return (
            freeze(self.architecture),
            self.image_shape,
            self.n_outputs,
            freeze(self.params),
            self.dtype,
            self.n_heads,
        )


class Network:
    """A Keras model, and how to draw its first weights from any seed.

    Parameters
    ----------
    spec : NetworkSpec
        What to build.
    """

    def __init__(self, spec: NetworkSpec):
        build = architectures.get(spec.architecture)
        # In a stateless scope variables keep their initializers, so that they can be drawn again
        # for every seed, and values that a builder loads arrive as updates of the scope.
        with _seeded(0), _dtype_policy(spec.dtype), keras().StatelessScope() as scope:
            self.model = _call_builder(build, spec)
            _check_network(self.model, spec)
            _keep_probabilities_exact(self.model)
            self._recipes = [
                (variable, scope.get_current_value(variable), variable._initializer)
                for variable in self.model.variables
            ]
        self._recipes = [
            (variable, None if value is None else np.array(value), initializer)
            for variable, value, initializer in self._recipes
        ]
        # In the order of now, whatever a callback later does to the model.
        self._trainable = list(self.model.trainable_variables)
        self._non_trainable = list(self.model.non_trainable_variables)
        _check_probabilities(self.model, spec)

    def draw(self, seed: int) -> None:
        """Set the weights to those that a fresh network has for ``seed``."""
        seeds = np.random.SeedSequence(seed).generate_state(len(self._recipes)).tolist()
        with _seeded(seed):
            for (variable, value, initializer), own_seed in zip(self._recipes, seeds, strict=True):
                if value is None:
                    value = _initial_value(variable, initializer, own_seed)
                variable.assign(value)

    def get_weights(self) -> tuple[Arrays, Arrays]:
        """Copy the trainable and the other variables, in the model's order."""
        return copy_values(self._trainable), copy_values(self._non_trainable)

    def set_weights(self, trainable: Arrays, non_trainable: Arrays) -> None:
        """Set all variables, as :meth:`get_weights` returned them."""
        if not fit_together([*self._trainable, *self._non_trainable], [*trainable, *non_trainable]):
            raise ValueError(
                "The weights of the last fit do not fit the network that architecture and "
                "architecture_params now name; set them back, or fit with warm_start=False."
            )
        assign_values(self._trainable, trainable)
        assign_values(self._non_trainable, non_trainable)

    def is_as_built(self) -> bool:
        """Tell whether the same variables are trained as when the network was built."""
        now = self.model.trainable_variables
        return list(map(id, now)) == list(map(id, self._trainable))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
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
def _dtype_policy(dtype: str) -> Iterator[None]:
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


def _call_builder(build: Callable, spec: NetworkSpec) -> Any:
    try:
        return build(spec.image_shape, spec.n_outputs, **spec.params)
    except ValueError as error:
        if "stateless scope" not in str(error):
            raise
        raise ValueError(
            f"architecture={spec.architecture!r} creates variables beside its layers, as "
            "compiling a model or making an optimizer does; leave that to the classifier."
        ) from error


def _check_network(model: Any, spec: NetworkSpec) -> None:
    name = f"architecture={spec.architecture!r}"
    if not isinstance(model, keras().Model):
        raise TypeError(f"{name} returned {type(model).__name__}, expected a keras.Model.")
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"{name} returned a model without a known input; "
            "begin it with keras.Input(input_shape)."
        )
    foreign = [v.path for v in model.variables if getattr(v, "_initializer", None) is None]
    if foreign:
        raise ValueError(
            f"{name} returned a model with layers made outside of it, {foreign[:3]}; make all "
            "layers inside, so that each fit starts afresh."
        )
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    expected = [(None, *spec.image_shape), (None, spec.n_outputs)]
    if shapes != expected:
        raise ValueError(
            f"{name} returned a model with input and output shapes {shapes}, expected {expected}: "
            "one input of the images' shape, and the probability of each class as output."
        )


def _keep_probabilities_exact(model: Any) -> None:
    """Make the layer that puts out the probabilities compute in float32, as its loss needs."""
    layer = model.outputs[0]._keras_history.operation
    if getattr(layer, "compute_dtype", "float32") != "float32":
        layer.dtype_policy = "float32"


def _check_probabilities(model: Any, spec: NetworkSpec) -> None:
    outputs = np.asarray(model(np.zeros((1, *spec.image_shape), np.float32), training=False))
    if np.any(outputs < 0) or not np.allclose(outputs.sum(), spec.n_heads, atol=1e-3):
        raise ValueError(
            f"architecture={spec.architecture!r} returned a model whose outputs are no "
            'probabilities; end it with Dense(n_classes, activation="softmax").'
        )


def freeze(value: Any) -> Hashable:
    """Turn nested parameters into something hashable that differs when they differ."""
    if isinstance(value, dict):
        return dict, frozenset((name, freeze(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(freeze, value))
    if isinstance(value, functools.partial):
        return functools.partial, *map(freeze, (value.func, value.args, value.keywords))
    if isinstance(value, np.ndarray):
        return np.ndarray, value.shape, value.dtype.str, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return object()  # equal to nothing else, so that nothing is reused by mistake
    return type(value), value


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
