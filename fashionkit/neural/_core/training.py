"""Training: how long, what is watched meanwhile, and which weights are kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, NamedTuple

import joblib
import numpy as np
from tqdm.auto import tqdm

from fashionkit._backbones.seeded import Arrays, keras_settings
from fashionkit._images import users_level
from fashionkit._keras_compat import forget_model
from fashionkit._tensorflow import keras, tensorflow, without_retracing_warnings
from fashionkit._times import note_saved
from fashionkit.neural._core import scikeras
from fashionkit.neural._core.batches import (
    Order,
    PixelSource,
    errors_of_reading,
    make_batches,
    make_sources,
)
from fashionkit.neural._core.checkpoint import Checkpoint
from fashionkit.neural._core.engine import Compilation, Engine, borrow_engine
from fashionkit.neural._core.epochs import History, add_to, advance_bar, save_to, watch_class
from fashionkit.neural._core.fingerprint import hash_samples
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.neural._core.interruption import TrainingInterrupted
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.neural._core.samples import Samples
from fashionkit.neural._core.targets import Targets, class_targets

# From how many parameters on, and how many of them in one layer, a network is warned of.
_MANY_PARAMETERS = 5_000_000
_NEARLY_ALL = 0.9

Pair = tuple[Samples, Samples | None]


def as_they_are(samples: Samples, validation: Samples | None) -> Pair:
    """Train and evaluate on samples as they are."""
    return samples, validation


@dataclass(frozen=True)
class LayerRates:
    """Learning rates that are not the same in all layers.

    Parameters
    ----------
    group : callable
        From a Keras model to the number of the group of each variable that it trains: 0 for the
        last layers, 1 for those before, and so on.

    decay : float
        Learning rate of a group as a fraction of that of the group behind it.

    first_epoch : int or None, default=None
        Epoch in which group 0 begins to learn, before all others: each begins in the epoch after
        the one behind it. None where all learn from the beginning.
    """

    group: Callable[[Any], list[int]]
    decay: float
    first_epoch: int | None = None

    def factor(self, group: int, epoch: int) -> float:
        """Return what the learning rate of a group is multiplied by in an epoch."""
        learns = self.first_epoch is None or epoch >= self.first_epoch + group
        return self.decay**group if learns else 0.0


@dataclass(frozen=True)
class Phase:
    """One training of one network: what, from where, on what, how and for how long.

    Parameters
    ----------
    spec : NetworkSpec
        What is trained.

    optimizer : keras.optimizers.Optimizer
        A fresh optimizer.

    epochs : int
        Number of passes over the images.

    batch_size : int
        Number of images per step.

    seed : int
        Decides the first weights, and together with the epoch the order of the images.

    schedule : str, default="constant"
        How the learning rate changes.

    rates : LayerRates or None, default=None
        Learning rates of layers; None for the same in all.

    first_epoch : int, default=0
        Number of epochs trained before.

    patience : int or None, default=None
        Number of epochs without a better validation loss after which to stop and go back to the
        best weights; None to train to the end.

    targets : Targets or None, default=None
        What outputs to aim at; None for indices of classes.

    n_last : int or None, default=None
        How many of the last outputs the accuracy is that of; None for all.

    augmentation : Augmentation or None, default=None
        How to distort the training images.

    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks.

    checkpoint_dir : str, path-like or None, default=None
        Where to keep the state after each epoch.

    settings : dict of str to str, default={}
        What decides the result beside the other fields, for the checkpoint.

    trained : TrainedNetwork or None, default=None
        What to go on from.

    first_values : dict of str to list of ndarray, or None, default=None
        First values of layers that are not drawn, where there is nothing to go on from.

    fixed : list of ndarray, default=()
        Weights that are not trained here, but decide the result.

    prepare : callable, default=as_they_are
        Makes what is trained and evaluated on of the samples, if there is anything to train.

    keeps_optimizer : bool, default=False
        Whether the state of the optimizer is kept, so that a later training can resume it.

    verbose : int, default=0
        Whether to show a progress bar.
    """

    spec: NetworkSpec
    optimizer: Any
    epochs: int
    batch_size: int
    seed: int
    schedule: str = "constant"
    rates: LayerRates | None = None
    first_epoch: int = 0
    patience: int | None = None
    targets: Targets | None = None
    n_last: int | None = None
    augmentation: Any = None
    callbacks: Sequence[Any] = ()
    checkpoint_dir: str | PathLike | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    trained: TrainedNetwork | None = None
    first_values: dict[str, Arrays] | None = None
    fixed: Sequence[np.ndarray] = ()
    prepare: Callable[[Samples, Samples | None], Pair] = as_they_are
    keeps_optimizer: bool = False
    verbose: int = 0


class Trained(NamedTuple):
    """The result of a training: how it went, and whether Ctrl-C has ended it."""

    network: TrainedNetwork
    history: History
    is_interrupted: bool


def train(phase: Phase, samples: Samples, validation: Samples | None) -> Trained:
    """Train a network.

    Parameters
    ----------
    phase : Phase
        What to train, and how.

    samples : Samples
        What to train on.

    validation : Samples or None
        What to evaluate on after each epoch.

    Returns
    -------
    trained : Trained
        The trained network; loss and accuracy of each epoch, with the prefix ``val_`` those on
        held-out images; and whether it was interrupted.

    Raises
    ------
    ValueError
        If the loss has become infinite or undefined, or the checkpoint is of another fit.

    RuntimeError
        If a tf.distribute strategy is in scope.

    KeyboardInterrupt
        If it was interrupted before the end of the first epoch.

    Warns
    -----
    TrainingInterrupted
        If it was interrupted later.
    """
    if tensorflow().distribute.has_strategy():
        raise RuntimeError(
            "fit was called inside of the scope of a tf.distribute strategy, which fashionkit does "
            "not train by; call it outside of the scope. Without one, the first GPU is used."
        )
    if samples.probabilities is not None and phase.targets is None:
        phase = replace(phase, targets=class_targets(samples.probabilities.shape[1], 0.0))
    checkpoint = _open_checkpoint(phase, samples, validation)
    group = None if phase.rates is None else phase.rates.group
    compilation = Compilation(phase.targets is not None, phase.n_last, phase.schedule, group)
    n_steps = phase.epochs * -(-len(samples.rows) // phase.batch_size)
    with (
        keras_settings(),
        without_retracing_warnings(),
        borrow_engine(phase.spec, phase.optimizer, compilation) as (engine, learning_rate),
    ):
        if phase.schedule != "constant" and learning_rate is None:
            raise ValueError(
                f"learning_rate_schedule={phase.schedule!r}, but the optimizer has a schedule of "
                "its own; pass one of them."
            )
        state = checkpoint.state if checkpoint else None
        if state is not None:
            note_saved(state.times)
            engine.resume(
                state.weights, state.optimizer_state, learning_rate, n_steps, state.first_step
            )
        elif phase.trained is not None:
            weights = phase.trained.trainable, phase.trained.non_trainable
            engine.go_on(weights, phase.trained.optimizer_state, learning_rate, n_steps)
        else:
            _warn_of_size(engine.model, phase.spec)
            engine.start(phase.seed, learning_rate, n_steps, phase.first_values)
        history, watch = _finish(engine, phase, samples, validation, checkpoint)
        weights, latest = watch.best_weights, None
        if weights is None:
            weights = watch.final_weights or engine.get_averaged_weights()
            latest = watch.latest if engine.keeps_averages else None
        kept = engine.get_optimizer_state(latest) if phase.keeps_optimizer else None
    network = TrainedNetwork(phase.spec, *weights, kept)
    return Trained(network, history, engine.is_interrupted)


def _warn_of_size(model: Any, spec: NetworkSpec) -> None:
    """Warn where nearly all of a large network is one dense layer over the pixels' positions."""
    total = model.count_params()
    if total < _MANY_PARAMETERS:
        return
    largest = max(model.layers, key=lambda layer: layer.count_params())
    share = largest.count_params() / total
    if share > _NEARLY_ALL and isinstance(largest, keras().layers.Dense):
        height, width = spec.image_shape[:2]
        warnings.warn(
            f"The network has {total:,} parameters, {share:.0%} of them in its layer "
            f"{largest.name!r}, as images of {height} x {width} pixels are many for it. Make them "
            "smaller, as image_size of load_image_folder does, or take an architecture that "
            "averages over positions, such as 'resnet', or TransferClassifier.",
            UserWarning,
            stacklevel=users_level(),
        )


def _open_checkpoint(
    phase: Phase, samples: Samples, validation: Samples | None
) -> Checkpoint | None:
    if phase.checkpoint_dir is None:
        return None
    start: Any = phase.first_values
    if phase.trained is not None:
        state = phase.trained.optimizer_state
        start = phase.trained.trainable, state and state.values
    if len(phase.fixed):
        start = start, phase.fixed
    settings = {
        **phase.settings,
        "dtype": phase.spec.dtype,
        "image_shape": repr(phase.spec.image_shape),
        "seed": str(phase.seed),
        "training data": hash_samples(samples),
        "validation data": hash_samples(validation),
        "start": joblib.hash(start),
    }
    return Checkpoint(phase.checkpoint_dir, settings)


def _finish(
    engine: Engine,
    phase: Phase,
    samples: Samples,
    validation: Samples | None,
    checkpoint: Checkpoint | None,
) -> tuple[History, Any]:
    """Train for as long as is left, and return the history and what watched the training."""
    before = checkpoint.state if checkpoint else None
    watch = watch_class()(engine, phase.patience, before)
    history = before.history if before else {}
    if before is not None and before.is_finished:
        return history, watch
    n_done = len(history.get("loss", ()))
    if n_done < phase.epochs and not watch.has_stopped:
        prepared = phase.prepare(samples, validation)
        new = _run(engine, phase, *prepared, checkpoint, watch, n_done)
        history = {name: [*history.get(name, ()), *values] for name, values in new.items()}
    is_whole = not engine.is_interrupted
    if checkpoint is not None and checkpoint.state is not None and is_whole:
        checkpoint.save(replace(checkpoint.state, is_finished=True))
    return history, watch


def _run(
    engine: Engine,
    phase: Phase,
    samples: Samples,
    validation: Samples | None,
    checkpoint: Checkpoint | None,
    watch: Any,
    n_done: int,
) -> History:
    """Train for what is left of the epochs, and return their history."""
    first_epoch = phase.first_epoch + n_done
    order = Order(phase.seed, first_epoch, phase.first_epoch)
    batches, held_out, sources = _make_datasets(phase, samples, validation, order)
    simple = keras().callbacks.LambdaCallback
    history: History = {}
    callbacks = [
        *([] if phase.rates is None else [simple(on_epoch_begin=_scale(engine, phase.rates))]),
        # The dataset asks for the epoch when it is drawn, which is after this callback.
        simple(on_epoch_begin=lambda number, logs: order.epoch.assign(number)),
        watch,
        *phase.callbacks,
        # After the user's callbacks, which see averages, the trained weights are put back.
        simple(on_epoch_end=lambda number, logs: watch.go_on()),
    ]
    if checkpoint is not None:
        callbacks.append(simple(on_epoch_end=save_to(checkpoint, engine, watch)))
    callbacks.append(simple(on_epoch_end=add_to(history)))
    with tqdm(total=phase.epochs, initial=n_done, unit="epoch", disable=not phase.verbose) as bar:
        callbacks.append(simple(on_epoch_end=advance_bar(bar)))
        try:
            with errors_of_reading(sources):
                scikeras.run_fit(
                    engine.model,
                    batches,
                    validation_data=held_out,
                    epochs=phase.epochs - n_done,
                    initial_epoch=first_epoch,
                    callbacks=callbacks,
                )
            watch.final_weights = engine.network.get_weights()
        except KeyboardInterrupt:
            engine.is_interrupted = True
            if not history or not np.all(np.isfinite(history["loss"])):
                raise
            warnings.warn(
                f"Training was interrupted after {n_done + len(history['loss'])} of "
                f"{phase.epochs} epochs; what was trained until then is kept.",
                TrainingInterrupted,
                stacklevel=users_level(),
            )
        finally:
            # A user's callback may be pickled, or used again; the network is lent to others.
            for callback in phase.callbacks:
                forget_model(callback)
    if not np.all(np.isfinite(history["loss"])):
        raise ValueError(
            f"The training loss became {history['loss'][-1]} within {len(history['loss'])} "
            "epochs; lower the learning_rate."
        )
    return history


def _scale(engine: Engine, rates: LayerRates) -> Callable[[int, dict], None]:
    """Return what sets the learning rates of layers before each epoch."""
    return lambda epoch, logs: engine.scale_rates(lambda group: rates.factor(group, epoch))


def _make_datasets(
    phase: Phase, samples: Samples, validation: Samples | None, order: Order
) -> tuple[Any, Any, tuple[PixelSource, ...]]:
    """Return the batches to train on, those to evaluate on or None, and the pixels of both."""
    sources = make_sources(samples, validation)
    targets = phase.targets
    batches = make_batches(
        samples,
        sources[0],
        phase.batch_size,
        order=order,
        targets=None if targets is None else targets.training,
        target_weights=None if targets is None else targets.weights,
        augmentation=phase.augmentation,
    )
    if validation is None:
        return batches, None, sources
    held_out = make_batches(
        validation,
        sources[1],
        validation.images.chunk_size,
        targets=None if targets is None else targets.evaluation,
    )
    return batches, held_out, sources
