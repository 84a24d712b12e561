"""What happens after each epoch: which weights are kept, written down and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fashionkit._tensorflow import keras
from fashionkit._times import Times
from fashionkit.neural._core.checkpoint import Checkpoint, TrainingState
from fashionkit.neural._core.engine import Engine

History = dict[str, list[float]]


def watch_class() -> type:
    """Return the callback class that evaluates averaged weights and keeps the best ones."""

    class Watch(keras().callbacks.Callback):  # type: ignore[misc]
        def __init__(self, engine, patience, state):
            super().__init__()
            self.engine, self.patience = engine, patience
            self.best_loss, self.n_waited, self.best_weights = np.inf, 0, None
            self.final_weights = None
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
            if self.engine.keeps_averages:
                # The user's callbacks see the averages, as evaluation did: what is predicted with.
                self._latest = self.engine.network.get_weights()
                self.latest = self._latest[0]
                self._averages = self.engine.get_averaged_weights()
                self.engine.network.set_weights(*self._averages)
            if self.patience is None:
                return
            self.n_waited += 1
            if logs["val_loss"] < self.best_loss:
                self.best_loss, self.n_waited = float(logs["val_loss"]), 0
                self.best_weights = self.engine.get_averaged_weights()
            if self.has_stopped:
                self.model.stop_training = True

        def go_on(self):
            """Put back the weights that are trained, unless a callback has set others."""
            if self.engine.keeps_averages:
                present = self.engine.network.get_weights()[0]
                if all(map(np.array_equal, present, self._averages[0])):
                    self.engine.network.set_weights(*self._latest)
                else:
                    self.latest = present

    return Watch


def save_to(checkpoint: Checkpoint, engine: Engine, watch: Any) -> Callable[[int, dict], None]:
    """Return what writes the state of the training down after each epoch."""
    before = checkpoint.state
    history = {k: list(v) for k, v in before.history.items()} if before else {}
    times, start = before.times if before else Times(), Times.now()
    add = add_to(history)

    def save(epoch: int, logs: dict) -> None:
        add(epoch, logs)
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
                times=times.plus(Times.now().since(start)),
            )
        )

    return save


def add_to(history: History) -> Callable[[int, dict], None]:
    """Return what adds each epoch's figures to a history."""

    def add(epoch: int, logs: dict) -> None:
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))

    return add


def advance_bar(bar: tqdm) -> Callable[[int, dict], None]:
    """Return what moves a progress bar on by an epoch and shows the epoch's figures."""

    def advance(epoch: int, logs: dict) -> None:
        bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
        bar.update()

    return advance
