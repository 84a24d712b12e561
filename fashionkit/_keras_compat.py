"""Every private or experimental API of Keras and TensorFlow that fashionkit relies on.

Each has a function here and a test in ``tests/test_keras_compat.py`` that says what is expected of
it, so that a release that changes one of them is noticed by name, and mended in one place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from fashionkit._tensorflow import tensorflow


def initializer_of(variable: Any) -> Any:
    """Return what draws a variable's first value; None where it was given one."""
    return getattr(variable, "_initializer", None)


def forget_new_variables() -> None:
    """Drop the variables that were created in a stateless scope and have no memory yet.

    Leaving the scope would give them memory, however much they ask for.
    """
    from keras.src.backend.common import global_state

    global_state.set_global_attribute("uninitialized_variables", [])


def is_free(initializer: Any) -> bool:
    """Tell whether an initializer draws from a seed that its user has not fixed."""
    return getattr(initializer, "_init_seed", 0) is None


def all_layers(model: Any) -> list[Any]:
    """Return the layers of a model, and those inside of them."""
    return list(model._flatten_layers(include_self=False))


class Maker(NamedTuple):
    """The operation that has made a symbolic tensor, and what it was given."""

    operation: Any
    inputs: list[Any]


def maker_of(tensor: Any) -> Maker:
    """Return what has made a symbolic tensor."""
    operation, node_index, _ = tensor._keras_history
    return Maker(operation, list(operation._inbound_nodes[node_index].input_tensors))


def moving_averages(optimizer: Any) -> list[Any] | None:
    """Return the moving averages that an optimizer keeps of the weights; None if it keeps none."""
    return optimizer._model_variables_moving_average if optimizer.use_ema else None


def index_in(optimizer: Any, variable: Any) -> int:
    """Return the position of a variable among those that an optimizer trains."""
    return optimizer._get_variable_index(variable)


def scale_rates(optimizer: Any, factors: Sequence[Any]) -> None:
    """Multiply the learning rate of each variable, also of its weight decay, by a factor.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        An optimizer that has not been used yet.

    factors : sequence of float or keras.Variable
        The factor of each variable, in the order in which the optimizer will be built for them.
    """
    step, decay = optimizer.update_step, optimizer._apply_weight_decay

    def scaled_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        step(gradient, variable, learning_rate * factors[index_in(optimizer, variable)])

    def scaled_decay(variables: Sequence[Any]) -> None:
        if optimizer.weight_decay is None:
            return
        for variable in variables:
            before = variable + 0.0
            decay([variable])
            factor = factors[index_in(optimizer, variable)]
            variable.assign(before + factor * (variable - before))

    optimizer.update_step, optimizer._apply_weight_decay = scaled_step, scaled_decay


def forget_model(callback: Any) -> None:
    """Let a callback hold no model any more, without what it may do when it is given one."""
    callback._model = None


def made_variables_outside(error: Exception) -> bool:
    """Tell whether an error says that a function created variables beside those of layers."""
    return "stateless scope" in str(error)


def failed_download(error: Exception) -> str | None:
    """Return the address that Keras could not download from; None for other errors."""
    text = str(error)
    if "URL fetch failure" not in text:
        return None
    return text.partition(" on ")[2].partition(": ")[0]


@contextmanager
def any_input_size() -> Iterator[None]:
    """Build networks of ``keras.applications`` inside without a warning of their input's size."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
        yield


@contextmanager
def no_layer_left_out() -> Iterator[None]:
    """Load weights inside such that a file without those of all layers raises a UserWarning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def shuffled(positions: Any, seed: Any, epoch: Any, n: int) -> Any:
    """Return positions in a random order of n things, which a seed and an epoch decide."""
    tf = tensorflow()
    key = tf.cast(tf.stack([seed, epoch]), tf.uint32)
    return tf.random.experimental.index_shuffle(positions, key, n - 1)


def fold_in(seed: Any, number: Any) -> Any:
    """Return another seed, which a seed and a number decide."""
    return tensorflow().random.experimental.stateless_fold_in(seed, number)


def traced_as_it_is(function: Callable) -> Callable:
    """Keep AutoGraph from rewriting a function that has nothing for it to rewrite."""
    return tensorflow().autograph.experimental.do_not_convert(function)


def without_optimization(dataset: Any) -> Any:
    """Return a dataset that runs as it was written: to optimise a short pipeline costs more."""
    tf = tensorflow()
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    return dataset.with_options(options)


def compute_capability(device: Any) -> int:
    """Return the major compute capability of a GPU; 0 where it is unknown."""
    details = tensorflow().config.experimental.get_device_details(device)
    return details.get("compute_capability", (0, 0))[0]


def direct_call(function: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what calls a compiled function with one output on a flat list of tensors.

    The call of a ``ConcreteFunction`` sorts, names and checks its arguments, which takes as long as
    a small network. This one hands them to TensorFlow's runtime.

    Parameters
    ----------
    function : tensorflow.types.experimental.ConcreteFunction
        A function of tensors, in the order of ``function.inputs``.

    Returns
    -------
    call : callable
        From a list of tensors to a tensor.
    """
    if len(function.outputs) != 1:
        raise ValueError(f"The function has {len(function.outputs)} outputs, expected one.")
    # Not raw_ops.StatefulPartitionedCall, which is faster still: TensorFlow keeps what that has
    # called for ever.
    run = function._inference_function.call_preflattened
    captured = list(function.captured_inputs)
    return lambda tensors: run([*tensors, *captured])
