"""Compile once: networks and training functions that are built once per process and reused.

An :class:`Engine` is a compiled model whose weights and optimizer state are set afresh for each
fit, so that only the first fit of a kind pays. No estimator owns an engine: it borrows one from the
pool, and keeps its weights as NumPy arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import joblib

from fashionkit._backbones.pool import BYTES_PER_FUNCTION, freeze, pool
from fashionkit._backbones.seeded import Arrays, assign_values, copy_values, count_bytes
from fashionkit._keras_compat import moving_averages, scale_rates
from fashionkit._tensorflow import keras
from fashionkit.neural._core.losses import make_accuracy, make_loss
from fashionkit.neural._core.network import Network, NetworkSpec
from fashionkit.neural._core.optimizers import scheduled_rate

# Batches run per call from Python into TensorFlow: a sixth less time per epoch at batch size 32.
STEPS_PER_EXECUTION = 16


@dataclass(frozen=True)
class Compilation:
    """What a network is compiled for.

    Parameters
    ----------
    soft_targets : bool, default=False
        Whether targets are rows of probabilities; otherwise they are indices of classes.

    n_last : int or None, default=None
        How many of the last outputs the accuracy is that of, where targets have rows of any
        sum; None for all, of rows that sum to 1.

    schedule : str, default="constant"
        How the learning rate changes.

    group : callable, default=None
        From the model to the number of the group of each trained variable, from 0 on. The learning
        rate of each group has a factor of its own; None for one group.
    """

    soft_targets: bool = False
    n_last: int | None = None
    schedule: str = "constant"
    group: Callable[[Any], list[int]] | None = None


_PLAIN = Compilation()


class OptimizerState(NamedTuple):
    """State needed to resume an optimizer.

    ``kind`` tells optimizers apart whose numbers mean different things. ``latest`` are the trained
    variables to go on with, where an estimator predicts with their averages.
    """

    kind: str
    values: Arrays
    latest: Arrays | None


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
        self.is_interrupted = False
        # Neither biases nor the scales of a normalisation are what weight decay is for.
        flat = [variable for variable in self.model.trainable_variables if len(variable.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=flat)
        self._rate = None
        if compilation.schedule != "constant":
            self._rate = optimizer.learning_rate = scheduled_rate()(compilation.schedule)
        self._factors: list[Any] = []
        if compilation.group is not None:
            self._group(optimizer, compilation.group(self.model))
        self.model.compile(
            optimizer=optimizer,
            loss=make_loss(compilation.n_last, soft=compilation.soft_targets),
            metrics=[make_accuracy(compilation.n_last, soft=compilation.soft_targets)],
            steps_per_execution=STEPS_PER_EXECUTION,
            jit_compile=False,
        )
        self._optimizer = self.model.optimizer  # in half precision, one that scales the loss
        self._optimizer.build(self.model.trainable_variables)
        self._first_state = copy_values(self._optimizer.variables)
        inner = getattr(self._optimizer, "inner_optimizer", self._optimizer)
        shapes = [tuple(variable.shape) for variable in self._optimizer.variables]
        # A hash: what estimators keep of it names nothing of Keras.
        self._kind = joblib.hash((type(inner).__module__, type(inner).__qualname__, shapes))
        self._averages = moving_averages(inner)
        # Functions for training and evaluation, and the optimizer's first state beside the present.
        n_variables = count_bytes(self.model.variables) + 2 * count_bytes(self._optimizer.variables)
        self.n_bytes = 2 * BYTES_PER_FUNCTION + n_variables

    def _group(self, optimizer: Any, groups: list[int]) -> None:
        """Give the learning rate of each group of variables a factor."""
        make = partial(keras().Variable, 1.0, trainable=False, dtype="float32")
        self._factors = [make(name=f"factor_{group}") for group in range(max(groups) + 1)]
        scale_rates(optimizer, [self._factors[group] for group in groups])

    def scale_rates(self, factor_of: Callable[[int], float]) -> None:
        """Set what the learning rate of each group of variables is multiplied by."""
        for group, variable in enumerate(self._factors):
            variable.assign(factor_of(group))

    def start(
        self,
        seed: int,
        learning_rate: float | None,
        n_steps: int,
        values: Mapping[str, Arrays] | None = None,
    ) -> None:
        """Make the network and its optimizer those of a fresh build with this seed.

        Layers that ``values`` names get the values there instead.
        """
        self.network.draw(seed)
        self.network.set_layers(values or {})
        self._begin(self._first_state, learning_rate, n_steps)

    def go_on(
        self,
        weights: tuple[Arrays, Arrays],
        optimizer_state: OptimizerState | None,
        learning_rate: float | None,
        n_steps: int,
    ) -> None:
        """Go on from an earlier fit; another optimizer, or kind of schedule, starts afresh."""
        trainable, non_trainable = weights
        latest = None if optimizer_state is None else optimizer_state.latest
        self.network.set_weights(trainable if latest is None else latest, non_trainable)
        own = optimizer_state if optimizer_state and optimizer_state.kind == self._kind else None
        self._begin(own.values if own else self._first_state, learning_rate, n_steps)
        if self._averages is not None and (own is None or latest is None):
            assign_values(self._averages, trainable if latest is None else latest)

    def resume(
        self,
        weights: tuple[Arrays, Arrays],
        optimizer_state: Arrays,
        learning_rate: float | None,
        n_steps: int,
        first_step: int,
    ) -> None:
        """Put back all that a fit was interrupted with."""
        self.network.set_weights(*weights)
        assign_values(self._optimizer.variables, optimizer_state)
        self.first_step = first_step
        if self._rate is not None:
            self._rate.start(learning_rate, first_step, n_steps)

    def _begin(self, optimizer_state: Arrays, learning_rate: float | None, n_steps: int) -> None:
        assign_values(self._optimizer.variables, optimizer_state)
        # Where the schedule of the learning rate begins.
        self.first_step = int(self._optimizer.iterations)
        if self._rate is not None:
            self._rate.start(learning_rate, self.first_step, n_steps)
        elif learning_rate is not None:
            self._optimizer.learning_rate = learning_rate

    @property
    def keeps_averages(self) -> bool:
        """Whether the optimizer averages the weights over its steps."""
        return self._averages is not None

    def get_optimizer_state(self, latest: Arrays | None = None) -> OptimizerState:
        """Copy the optimizer's variables."""
        return OptimizerState(self._kind, copy_values(self._optimizer.variables), latest)

    def get_averaged_weights(self) -> tuple[Arrays, Arrays]:
        """Copy the network's variables, those that are trained as their moving averages."""
        trainable, non_trainable = self.network.get_weights()
        return trainable if self._averages is None else copy_values(self._averages), non_trainable

    def is_as_built(self) -> bool:
        """Tell whether no callback has changed the model, and no Ctrl-C has ended it midway."""
        if self.is_interrupted:
            return False
        return self.model.optimizer is self._optimizer and self.network.is_as_built()


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
        The engine. After an exception, or if it is not as it was built, it is dropped,
        not reused.

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
    key = (
        "engine",
        spec.key,
        compilation,
        freeze(type(optimizer)),
        _freeze_settings(settings["config"]),
    )
    engine: Any = pool.take(key) or Engine(spec, optimizer, compilation)
    yield engine, learning_rate
    if engine.is_as_built():
        pool.give_back(key, engine)


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
