"""An optimizer for convolutions, and learning rates that change from step to step."""

from __future__ import annotations

import functools
from typing import Any

from fashionkit._keras_compat import index_in
from fashionkit._tensorflow import keras

# Fractions of the training in which schedules warm up.
_WARM_UP = 0.25
_WARM_UP_OF_COSINE = 0.1


@functools.cache
def muon() -> type:
    """Return the optimizer class Muon, in the form for convolutions.

    The kernel of a convolution is seen as a matrix with a column for each filter, and its
    momentum is replaced by the nearest orthogonal matrix before each step, by a few
    Newton-Schulz iterations. All other parameters take steps of SGD with Nesterov momentum.

    Keras has a Muon too, for dense layers: it leaves the kernels of convolutions to Adam.

    The class takes ``learning_rate`` (of the orthogonal steps), ``momentum``, ``other_rate``
    (the learning rate of all other parameters, as a multiple of the first), ``n_iterations`` and
    what all optimizers of Keras take.

    References
    ----------
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, which gives
    the coefficients of the iteration; for convolutions: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds
    on a Single GPU", 2024, and its program airbench94_muon.
    """
    ops = keras().ops

    @keras().saving.register_keras_serializable("fashionkit")
    class Muon(keras().optimizers.SGD):  # type: ignore[misc]
        def __init__(
            self,
            learning_rate=0.05,
            momentum=0.6,
            other_rate=1.0,
            n_iterations=3,
            name="muon",
            **kwargs,
        ):
            if not 0 < momentum < 1:
                raise ValueError(
                    f"momentum={momentum!r} of muon, expected a number between 0 and 1."
                )
            super().__init__(learning_rate, momentum=momentum, nesterov=True, name=name, **kwargs)
            self.other_rate = other_rate
            self.n_iterations = n_iterations

        def update_step(self, gradient, variable, learning_rate):
            if len(variable.shape) != 4:
                super().update_step(gradient, variable, learning_rate * self.other_rate)
                return
            momentum = self.momentums[index_in(self, variable)]
            # The gradient of a half-precision layer comes in its own type.
            gradient = ops.cast(gradient, variable.dtype)
            velocity = self.momentum * ops.convert_to_tensor(momentum) + gradient
            self.assign(momentum, velocity)
            step = gradient + self.momentum * velocity  # Nesterov's look ahead
            matrix = ops.reshape(step, (-1, variable.shape[-1]))
            step = ops.reshape(_nearest_orthogonal(matrix, self.n_iterations), variable.shape)
            self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * step)

        def get_config(self):
            config = {**super().get_config(), "other_rate": self.other_rate}
            config["n_iterations"] = self.n_iterations
            del config["nesterov"]
            return config

    return Muon


def _nearest_orthogonal(matrix: Any, n_iterations: int) -> Any:
    """Push all singular values of a matrix towards 1."""
    ops = keras().ops
    tall = matrix.shape[0] > matrix.shape[1]
    x = ops.transpose(matrix) if tall else matrix
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
    for _ in range(n_iterations):
        gram = ops.matmul(x, ops.transpose(x))
        x = 3.4445 * x + ops.matmul(-4.7750 * gram + 2.0315 * ops.matmul(gram, gram), x)
    return ops.transpose(x) if tall else x


@functools.cache
def scheduled_rate() -> type:
    """Return the class of learning rates that follow a schedule whose length can be set.

    Keras's schedules have their length compiled in; of this one, length and peak are variables, so
    that one compiled training serves any number of epochs.
    """
    ops = keras().ops

    @keras().saving.register_keras_serializable("fashionkit")
    class ScheduledRate(keras().optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __init__(self, kind, peak=0.0, first_step=0.0, n_steps=1.0):
            self.factor = _FACTORS[kind]
            self.kind = kind
            make = functools.partial(keras().Variable, trainable=False, dtype="float32")
            self.peak, self.first_step, self.n_steps = map(make, (peak, first_step, n_steps))

        def start(self, peak, first_step, n_steps):
            for variable, value in zip(
                (self.peak, self.first_step, self.n_steps), (peak, first_step, n_steps), strict=True
            ):
                variable.assign(value)

        def __call__(self, step):
            done = (ops.cast(step, "float32") - self.first_step) / self.n_steps
            return self.peak * self.factor(ops.clip(done, 0.0, 1.0))

        def get_config(self):
            state = {name: float(getattr(self, name)) for name in ("peak", "first_step", "n_steps")}
            return {"kind": self.kind, **state}

    return ScheduledRate


def cosine(done: Any) -> Any:
    """Return the learning rate at a fraction of the training, as a fraction of the first."""
    return 0.5 * (1 + keras().ops.cos(done * 3.14159265))


def warm_up_cosine(done: Any) -> Any:
    """Return the learning rate at a fraction of the training, as a fraction of the highest."""
    after = (done - _WARM_UP_OF_COSINE) / (1 - _WARM_UP_OF_COSINE)
    return keras().ops.minimum(0.01 + 0.99 * done / _WARM_UP_OF_COSINE, cosine(after))


def one_cycle(done: Any) -> Any:
    """Return the learning rate at a fraction of the training, as a fraction of the highest."""
    ops = keras().ops
    rising = 0.04 + 0.96 * done / _WARM_UP
    return ops.minimum(rising, (1 - done) / (1 - _WARM_UP))


_FACTORS = {"cosine": cosine, "warmup-cosine": warm_up_cosine, "one-cycle": one_cycle}
SCHEDULES = ("constant", *_FACTORS)
