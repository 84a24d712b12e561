"""Training: from validated images to batches, and from batches to a trained network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fashionkit._images import Images
from fashionkit.neural import _scikeras
from fashionkit.neural._engine import Engine
from fashionkit.neural._samples import Samples
from fashionkit.neural._tensorflow import keras, tensorflow


@dataclass(frozen=True)
class Schedule:
    """How long and in what order to train.

    Parameters
    ----------
    epochs : int
        Epochs to train for.

    batch_size : int
        Images per step.

    seed : int
        Decides the order of the images, together with the epoch.

    first_epoch : int, default=0
        Epochs trained before.

    patience : int or None, default=None
        Epochs without a better validation loss after which to stop and go back to the best
        weights; None to train to the end.

    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks, of which copies are used.

    verbose : int, default=0
        Whether to show a progress bar.
    """

    epochs: int
    batch_size: int
    seed: int
    first_epoch: int = 0
    patience: int | None = None
    callbacks: Sequence[Any] = ()
    verbose: int = 0


def train(
    engine: Engine, samples: Samples, validation: Samples | None, schedule: Schedule
) -> dict[str, list[float]]:
    """Train an engine's network in place.

    Parameters
    ----------
    engine : Engine
        An engine with the weights to start from.

    samples : Samples
        What to train on.

    validation : Samples or None
        What to evaluate on after each epoch.

    schedule : Schedule
        How long and in what order.

    Returns
    -------
    history : dict of str to list of float
        Loss and accuracy of each epoch, with the prefix ``val_`` those on ``validation``.

    Raises
    ------
    ValueError
        If the loss has become infinite or undefined.
    """
    pixels = _to_tensor(samples.images)
    held_out = None
    if validation is not None:
        shared = validation.images is samples.images  # then one copy serves both
        held_out_pixels = pixels if shared else _to_tensor(validation.images)
        held_out = _batches(validation, held_out_pixels, validation.images.chunk_size)
    epoch = tensorflow().Variable(schedule.first_epoch, dtype="int64", trainable=False)
    keras_callbacks = keras().callbacks
    # The dataset asks for the epoch when it is drawn, which is after this callback.
    callbacks = [
        keras_callbacks.LambdaCallback(on_epoch_begin=lambda number, logs: epoch.assign(number))
    ]
    if schedule.patience is not None:
        callbacks.append(
            keras_callbacks.EarlyStopping(
                "val_loss", patience=schedule.patience, restore_best_weights=True
            )
        )
    callbacks += [copy.deepcopy(callback) for callback in schedule.callbacks]
    with tqdm(total=schedule.epochs, unit="epoch", disable=not schedule.verbose) as bar:
        callbacks.append(keras_callbacks.LambdaCallback(on_epoch_end=_advance(bar)))
        history = _scikeras.run_fit(
            engine.model,
            _batches(samples, pixels, schedule.batch_size, epoch, schedule.seed),
            validation_data=held_out,
            epochs=schedule.epochs,
            initial_epoch=schedule.first_epoch,
            callbacks=callbacks,
        )
    if not np.all(np.isfinite(history["loss"])):
        raise ValueError(
            f"The training loss became {history['loss'][-1]} within {len(history['loss'])} "
            "epochs; lower the learning_rate."
        )
    return history


def _to_tensor(images: Images) -> Any:
    """Copy images into a tensor: small types as they are, large ones as float32."""
    pixels = images.pixels
    if pixels.dtype == bool:
        pixels = pixels.view(np.uint8)
    elif pixels.dtype.itemsize > 4:
        pixels = pixels.astype(np.float32)
    return tensorflow().convert_to_tensor(pixels)


def _batches(
    samples: Samples, pixels: Any, batch_size: int, epoch: Any = None, seed: int = 0
) -> Any:
    """Return a dataset that gathers, scales and, where there is an epoch, shuffles batches.

    The order is a function of the seed and the epoch alone: no generator keeps a state, global
    or other, so that a fit can be repeated, or resumed at any epoch.
    """
    tf = tensorflow()
    targets = tf.convert_to_tensor(samples.targets)
    weights = None if samples.weights is None else tf.convert_to_tensor(samples.weights)
    rows = tf.convert_to_tensor(samples.rows)
    n_samples = len(samples.rows)
    low, high = map(np.float32, samples.images.pixel_range)

    @tf.autograph.experimental.do_not_convert
    def gather(number):
        indices = tf.range(
            number * batch_size,
            tf.minimum((number + 1) * batch_size, n_samples),
            dtype=tf.int64,
        )
        if epoch is not None:
            key = tf.stack([tf.constant(seed, tf.int64), epoch.value()])
            indices = tf.random.experimental.index_shuffle(
                indices, tf.cast(key, tf.uint32), n_samples - 1
            )
        chosen = tf.gather(rows, indices)
        # Division, not multiplication by the inverse: bit for bit what prediction does.
        images = (tf.cast(tf.gather(pixels, chosen), tf.float32) - low) / (high - low)
        batch = images, tf.gather(targets, chosen)
        return batch if weights is None else (*batch, tf.gather(weights, chosen))

    n_batches = -(-n_samples // batch_size)
    dataset = tf.data.Dataset.range(n_batches).map(gather, num_parallel_calls=2, deterministic=True)
    options = tf.data.Options()
    # The pipeline is one gather: optimising it costs more than it saves.
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    return dataset.prefetch(4).with_options(options)


def _advance(bar: tqdm) -> Callable[[int, dict], None]:
    """Return what moves a progress bar on by an epoch and shows the epoch's figures."""

    def advance(epoch: int, logs: dict) -> None:
        bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
        bar.update()

    return advance
