"""Training: how long, what is watched meanwhile, and which weights are kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fashionkit._backbones.seeded import Arrays
from fashionkit._tensorflow import keras
from fashionkit.neural._core import scikeras
from fashionkit.neural._core.batches import Order, make_batches, to_tensor
from fashionkit.neural._core.checkpoint import Checkpoint, TrainingState
from fashionkit.neural._core.engine import Engine
from fashionkit.neural._core.samples import Samples
from fashionkit.neural._core.targets import Targets


@dataclass(frozen=True)
class Schedule:
    """How long and in what order to train, and on what.

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

    targets : Targets or None, default=None
        What outputs to aim at; None for indices of classes.

    augmentation : Augmentation or None, default=None
        How to distort the training images.

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
    targets: Targets | None = None
    augmentation: Any = None
    callbacks: Sequence[Any] = ()
    verbose: int = 0


@dataclass(frozen=True)
class Training:
    """What a training ended with.

    Parameters
    ----------
    history : dict of str to list of float
        Loss and accuracy of each epoch, with the prefix ``val_`` those on held-out images.

    weights : tuple of list of ndarray
        The trainable and the other variables to keep.

    latest : list of ndarray, or None
        The trainable variables to go on with, where those to keep are their averages.
    """

    history: dict[str, list[float]]
    weights: tuple[Arrays, Arrays]
    latest: Arrays | None


def train(
    engine: Engine,
    samples: Samples,
    validation: Samples | None,
    schedule: Schedule,
    checkpoint: Checkpoint | None = None,
) -> Training:
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

    checkpoint : Checkpoint or None
        Where to keep the state after each epoch. What it holds has been put into the engine.

    Returns
    -------
    training : Training
        Its history, and the weights to keep.

    Raises
    ------
    ValueError
        If the loss has become infinite or undefined.
    """
    before = checkpoint.state if checkpoint else None
    watch = _watch_class()(engine, schedule.patience, before)
    history = before.history if before else {}
    if before is None or not before.is_finished:
        n_done = len(history.get("loss", ()))
        if n_done < schedule.epochs and not watch.has_stopped:
            new = _run(engine, samples, validation, schedule, checkpoint, watch, n_done)
            history = {name: [*history.get(name, ()), *values] for name, values in new.items()}
        if checkpoint is not None and checkpoint.state is not None:
            checkpoint.save(replace(checkpoint.state, is_finished=True))
    if watch.best_weights is not None:
        return Training(history, watch.best_weights, None)
    latest = watch.latest if engine.keeps_averages else None
    return Training(history, engine.get_averaged_weights(), latest)


def _run(
    engine: Engine,
    samples: Samples,
    validation: Samples | None,
    schedule: Schedule,
    checkpoint: Checkpoint | None,
    watch: Any,
    n_done: int,
) -> dict[str, list[float]]:
    """Train for what is left of the epochs, and return their history."""
    pixels = to_tensor(samples.images)
    targets = schedule.targets
    held_out = None
    if validation is not None:
        shared = validation.images is samples.images  # then one copy serves both
        held_out = make_batches(
            validation,
            pixels if shared else to_tensor(validation.images),
            validation.images.chunk_size,
            targets=targets and targets.evaluation,
        )
    first_epoch = schedule.first_epoch + n_done
    order = Order(schedule.seed, first_epoch, schedule.first_epoch)
    batches = make_batches(
        samples,
        pixels,
        schedule.batch_size,
        order=order,
        targets=targets and targets.training,
        target_weights=targets and targets.weights,
        augmentation=schedule.augmentation,
    )
    simple = keras().callbacks.LambdaCallback
    # The dataset asks for the epoch when it is drawn, which is after this callback.
    callbacks = [simple(on_epoch_begin=lambda number, logs: order.epoch.assign(number)), watch]
    callbacks += [copy.deepcopy(callback) for callback in schedule.callbacks]
    if checkpoint is not None:
        callbacks.append(simple(on_epoch_end=_save(engine, checkpoint, watch)))
    with tqdm(
        total=schedule.epochs, initial=n_done, unit="epoch", disable=not schedule.verbose
    ) as bar:
        callbacks.append(simple(on_epoch_end=_advance(bar)))
        history = scikeras.run_fit(
            engine.model,
            batches,
            validation_data=held_out,
            epochs=schedule.epochs - n_done,
            initial_epoch=first_epoch,
            callbacks=callbacks,
        )
    if not np.all(np.isfinite(history["loss"])):
        raise ValueError(
            f"The training loss became {history['loss'][-1]} within {len(history['loss'])} "
            "epochs; lower the learning_rate."
        )
    return history


def _watch_class() -> type:
    """Return the callback class that evaluates averaged weights and keeps the best ones."""

    class Watch(keras().callbacks.Callback):
        def __init__(self, engine, patience, state):
            super().__init__()
            self.engine, self.patience = engine, patience
            self.best_loss, self.n_waited, self.best_weights = np.inf, 0, None
            self.latest = None if state is None else state.weights[0]
            if state is not None and patience is not None:
                self.best_loss, self.n_waited = state.best_loss, state.n_waited
                self.best_weights = state.best_weights

        @property
        def has_stopped(self):
            return self.patience is not None and self.n_waited >= max(self.patience, 1)

        def on_test_begin(self, logs=None):
            if self.engine.keeps_averages:
                self._latest = self.engine.network.get_weights()
                self.engine.network.set_weights(*self.engine.get_averaged_weights())

        def on_test_end(self, logs=None):
            if self.engine.keeps_averages:
                self.engine.network.set_weights(*self._latest)

        def on_epoch_end(self, epoch, logs=None):
            if self.engine.keeps_averages:  # Keras puts the averages in their place at the end
                self.latest = self.engine.network.get_weights()[0]
            if self.patience is None:
                return
            self.n_waited += 1
            if logs["val_loss"] < self.best_loss:
                self.best_loss, self.n_waited = float(logs["val_loss"]), 0
                self.best_weights = self.engine.get_averaged_weights()
            if self.has_stopped:
                self.model.stop_training = True

    return Watch


def _save(engine: Engine, checkpoint: Checkpoint, watch: Any) -> Callable[[int, dict], None]:
    """Return what writes the state of the training down after each epoch."""
    history = {k: list(v) for k, v in checkpoint.state.history.items()} if checkpoint.state else {}

    def save(epoch: int, logs: dict) -> None:
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
        if not np.isfinite(history["loss"][-1]):
            return  # nothing to go on from
        checkpoint.save(
            TrainingState(
                weights=engine.network.get_weights(),
                optimizer_state=engine.get_optimizer_state().values,
                first_step=engine.first_step,
                history=history,
                best_loss=watch.best_loss,
                n_waited=watch.n_waited,
                best_weights=watch.best_weights,
            )
        )

    return save


def _advance(bar: tqdm) -> Callable[[int, dict], None]:
    """Return what moves a progress bar on by an epoch and shows the epoch's figures."""

    def advance(epoch: int, logs: dict) -> None:
        bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
        bar.update()

    return advance
