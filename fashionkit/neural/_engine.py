"""Compile once: networks and training functions that are built once per process and reused.

Most of a small fit is building and tracing. An :class:`Engine` is a compiled model whose weights
and optimizer state are set afresh for each fit, so that only the first fit of a kind pays. No
estimator owns an engine: it borrows one, and keeps its weights as NumPy arrays.
"""

from __future__ import annotations

import functools
import json
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fashionkit._tensorflow import keras
from fashionkit.neural import architectures
from fashionkit.neural._optimizers import scheduled_rate

Arrays = list[np.ndarray]

# Engines kept when nobody uses them. Each holds a network and its optimizer's state.
MAX_IDLE_ENGINES = 8

# Batches run per call from Python into TensorFlow: a sixth less time per epoch at batch size 32.
STEPS_PER_EXECUTION = 16


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
            _freeze(self.architecture),
            self.image_shape,
            self.n_outputs,
            _freeze(self.params),
            self.dtype,
            self.n_heads,
        )


@dataclass(frozen=True)
class Compilation:
    """What a network is compiled for.

    Parameters
    ----------
    soft_targets : bool, default=False
        Whether targets are rows of probabilities; otherwise they are indices of classes.

    n_last : int or None, default=None
        How many of the last outputs the accuracy is that of; None for all.

    schedule : str, default="constant"
        How the learning rate changes.
    """

    soft_targets: bool = False
    n_last: int | None = None
    schedule: str = "constant"


_PLAIN = Compilation()


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
        return _numpy(self._trainable), _numpy(self._non_trainable)

    def set_weights(self, trainable: Arrays, non_trainable: Arrays) -> None:
        """Set all variables, as :meth:`get_weights` returned them."""
        if not _fits([*self._trainable, *self._non_trainable], [*trainable, *non_trainable]):
            raise ValueError(
                "The weights of the last fit do not fit the network that architecture and "
                "architecture_params now name; set them back, or fit with warm_start=False."
            )
        _assign(self._trainable, trainable)
        _assign(self._non_trainable, non_trainable)

    def is_as_built(self) -> bool:
        """Tell whether the same variables are trained as when the network was built."""
        now = self.model.trainable_variables
        return list(map(id, now)) == list(map(id, self._trainable))


class Engine:
    """A compiled network that any number of fits can use, one after the other.

    Parameters
    ----------
    spec : NetworkSpec
        What to build.

    optimizer : keras.optimizers.Optimizer
        The optimizer to compile with.

    compilation : Compilation, default=Compilation()
        What to compile for.
    """

    def __init__(self, spec: NetworkSpec, optimizer: Any, compilation: Compilation = _PLAIN):
        self.network = Network(spec)
        self.model = self.network.model
        # Neither biases nor the scales of a normalisation are what weight decay is for.
        flat = [variable for variable in self.model.trainable_variables if len(variable.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=flat)
        self._rate = None
        if compilation.schedule != "constant":
            self._rate = optimizer.learning_rate = scheduled_rate()(compilation.schedule)
        self.model.compile(
            optimizer=optimizer,
            loss=_loss(spec, compilation),
            metrics=[_accuracy(compilation)],
            steps_per_execution=STEPS_PER_EXECUTION,
            jit_compile=False,
        )
        self._optimizer = self.model.optimizer  # in half precision, one that scales the loss
        self._optimizer.build(self.model.trainable_variables)
        self._first_state = _numpy(self._optimizer.variables)
        inner = getattr(self._optimizer, "inner_optimizer", self._optimizer)
        self._averages = inner._model_variables_moving_average if inner.use_ema else None

    def start(self, seed: int, learning_rate: float | None, n_steps: int) -> None:
        """Make the network and its optimizer those of a fresh build with this seed."""
        self.network.draw(seed)
        self.resume(None, self._first_state, learning_rate, n_steps)

    def resume(
        self,
        weights: tuple[Arrays, Arrays] | None,
        optimizer_state: Arrays,
        learning_rate: float | None,
        n_steps: int,
        first_step: int | None = None,
    ) -> None:
        """Go on where an earlier fit stopped; another optimizer than its own starts afresh.

        ``n_steps`` and ``first_step`` are those of the learning rate's schedule, which by default
        begins with the next step.
        """
        if weights is not None:
            self.network.set_weights(*weights)
        if not _fits(self._optimizer.variables, optimizer_state):
            optimizer_state = self._first_state
        _assign(self._optimizer.variables, optimizer_state)
        # Where the schedule of the learning rate begins.
        self.first_step = int(self._optimizer.iterations) if first_step is None else first_step
        if self._rate is not None:
            self._rate.start(learning_rate, self.first_step, n_steps)
        elif learning_rate is not None:
            self._optimizer.learning_rate = learning_rate

    @property
    def keeps_averages(self) -> bool:
        """Whether the optimizer averages the weights over its steps."""
        return self._averages is not None

    def get_optimizer_state(self) -> Arrays:
        """Copy the optimizer's variables."""
        return _numpy(self._optimizer.variables)

    def get_averaged_weights(self) -> tuple[Arrays, Arrays]:
        """Copy the network's variables, those that are trained as their moving averages."""
        trainable, non_trainable = self.network.get_weights()
        return trainable if self._averages is None else _numpy(self._averages), non_trainable

    def is_as_built(self) -> bool:
        """Tell whether no callback has recompiled the model or frozen a part of it."""
        return self.model.optimizer is self._optimizer and self.network.is_as_built()


_idle: OrderedDict[Hashable, list[Engine]] = OrderedDict()
_idle_lock = threading.Lock()
_seeding = threading.RLock()


@contextmanager
def borrow_engine(
    spec: NetworkSpec, optimizer: Any, compilation: Compilation = _PLAIN
) -> Iterator[tuple[Engine, float | None]]:
    """Lend an engine that nobody else uses, building one where none is idle.

    Parameters
    ----------
    spec : NetworkSpec
        The network to train.

    optimizer : keras.optimizers.Optimizer
        A fresh optimizer, used only to compile a new engine with.

    compilation : Compilation, default=Compilation()
        What the engine must be compiled for.

    Yields
    ------
    engine : Engine
        The engine. After an exception, or if a callback has changed the model, it is
        dropped, not reused.

    learning_rate : float or None
        What the engine's optimizer must be set to; None if a schedule decides it.
    """
    settings = keras().saving.serialize_keras_object(optimizer)
    settings["config"].pop("name", None)  # numbered by Keras: adam, adam_1, ...
    learning_rate = settings["config"].get("learning_rate")
    if isinstance(learning_rate, float | int):
        settings["config"]["learning_rate"] = None  # a variable: it needs no other engine
        learning_rate = float(learning_rate)
    else:
        learning_rate = None
    key = (spec.key, compilation, type(optimizer), _freeze_settings(settings["config"]))
    engine = _take(key) or Engine(spec, optimizer, compilation)
    yield engine, learning_rate
    if engine.is_as_built():
        _give_back(key, engine)


def _take(key: Hashable) -> Engine | None:
    with _idle_lock:
        engines = _idle.get(key)
        if not engines:
            return None
        _idle.move_to_end(key)
        return engines.pop()


def _give_back(key: Hashable, engine: Engine) -> None:
    with _idle_lock:
        _idle.setdefault(key, []).append(engine)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > MAX_IDLE_ENGINES:
            oldest = next(iter(_idle))
            if _idle[oldest]:
                _idle[oldest].pop(0)
            if not _idle[oldest]:
                del _idle[oldest]


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


@contextmanager
def _dtype_policy(dtype: str) -> Iterator[None]:
    """Build layers inside that compute in ``dtype``, whatever Keras's policy is outside."""
    policy = keras().config.dtype_policy()
    keras().config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras().config.set_dtype_policy(policy)


def _loss(spec: NetworkSpec, compilation: Compilation) -> Any:
    if not compilation.soft_targets:
        return "sparse_categorical_crossentropy"
    return "categorical_crossentropy" if spec.n_heads == 1 else _cross_entropy_of_heads


def _cross_entropy_of_heads(targets: Any, probabilities: Any) -> Any:
    """Sum the cross-entropies of several heads, weighted by what their targets sum to."""
    ops = keras().ops
    smallest = float(np.finfo(np.float32).eps)
    return -ops.sum(targets * ops.log(ops.maximum(probabilities, smallest)), axis=-1)


def _accuracy(compilation: Compilation) -> Any:
    if compilation.n_last is None:
        return "accuracy"
    ops, n_last = keras().ops, compilation.n_last

    def accuracy(targets, probabilities):
        chosen = ops.argmax(probabilities[:, -n_last:], axis=-1)
        return ops.cast(ops.equal(ops.argmax(targets[:, -n_last:], axis=-1), chosen), "float32")

    return accuracy


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


def _freeze_settings(config: dict) -> Hashable:
    """Turn an optimizer's configuration into something hashable.

    What is not Keras's own is known to it by name only, and a name may have been given to
    something else meanwhile: with such a part nothing is equal.
    """

    def is_known(value: Any) -> bool:
        if isinstance(value, dict):
            own = "class_name" in value and not str(value.get("module")).startswith("keras")
            return not own and all(map(is_known, value.values()))
        if isinstance(value, list | tuple):
            return all(map(is_known, value))
        return isinstance(value, str | int | float | bool | None)

    return json.dumps(config, sort_keys=True) if is_known(config) else object()


def _freeze(value: Any) -> Hashable:
    """Turn nested parameters into something hashable that differs when they differ."""
    if isinstance(value, dict):
        return dict, frozenset((name, _freeze(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_freeze, value))
    if isinstance(value, functools.partial):
        return functools.partial, *map(_freeze, (value.func, value.args, value.keywords))
    if isinstance(value, np.ndarray):
        return np.ndarray, value.shape, value.dtype.str, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return object()  # equal to nothing else, so that nothing is reused by mistake
    return type(value), value


def _numpy(variables: list) -> Arrays:
    # A copy: on the CPU the array that TensorFlow hands out may be the variable's own memory.
    to_numpy = keras().ops.convert_to_numpy
    return [np.array(to_numpy(variable)) for variable in variables]


def _fits(variables: list, values: Arrays) -> bool:
    return [tuple(variable.shape) for variable in variables] == [value.shape for value in values]


def _assign(variables: list, values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
