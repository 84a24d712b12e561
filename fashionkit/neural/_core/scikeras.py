"""The one place that talks to SciKeras, and what happens where it is missing or has changed.

SciKeras routes parameters to optimizers and callbacks and runs the fit. It is given networks that
are built, compiled and seeded, and data that is validated, so that none of its own validation,
label encoding, splitting, prediction or state is used. It is not maintained any more: where it
cannot be imported, or lacks a method that is used here, Keras alone does the same to the same bits.
"""

from __future__ import annotations

import copy
import functools
import logging
from typing import Any

from fashionkit._tensorflow import keras
from fashionkit.neural._core.optimizers import muon

logger = logging.getLogger(__name__)

# Private methods of SciKeras that are used here.
_METHODS = ("_fit_keras_model", "_get_compile_kwargs", "_initialize_callbacks")


@functools.cache
def wrapper_class() -> type | None:
    """Return SciKeras's classifier; None where it is missing, broken or has changed."""
    try:
        from scikeras.wrappers import KerasClassifier
    except Exception:  # whatever a later Keras or scikit-learn breaks in it
        logger.info("SciKeras cannot be imported; Keras alone is used.", exc_info=True)
        return None
    return KerasClassifier if all(hasattr(KerasClassifier, name) for name in _METHODS) else None


def make_optimizer(optimizer: Any, params: dict[str, Any]) -> Any:
    """Create a fresh optimizer from a name, class or instance and its routed parameters.

    Parameters
    ----------
    optimizer : str, class or keras.optimizers.Optimizer
        What to create. Of an instance, a copy is made.

    params : dict
        Parameters of the optimizer's constructor.

    Returns
    -------
    optimizer : keras.optimizers.Optimizer
        An optimizer that nobody else holds.

    Raises
    ------
    ValueError
        If ``optimizer`` is none of these, or an instance that is given parameters too.
    """
    base = keras().optimizers.Optimizer
    if isinstance(optimizer, base):
        if params:
            raise ValueError(
                f"optimizer={optimizer!r} is an instance, which learning_rate, weight_decay, "
                f"ema_decay and optimizer_params, here {params!r}, cannot change; pass its class "
                "or name instead."
            )
        try:
            return type(optimizer).from_config(optimizer.get_config())
        except (TypeError, ValueError):  # it holds what Keras cannot find by its name
            return copy.deepcopy(optimizer)
    given = optimizer
    if isinstance(optimizer, str) and optimizer.lower() == "muon":
        optimizer = muon()
    elif isinstance(optimizer, str):
        try:
            optimizer = type(keras().optimizers.get(optimizer))
        except ValueError:
            optimizer = None
    if not (isinstance(optimizer, type) and issubclass(optimizer, base)):
        raise ValueError(
            f"optimizer={given!r} is not an optimizer; pass a name that Keras knows, such as "
            "'adam', or a class or instance of keras.optimizers.Optimizer."
        )
    wrapper = wrapper_class()
    if wrapper is None:
        return optimizer(**params)
    routed = {f"optimizer__{name}": value for name, value in params.items()}
    made = wrapper(optimizer=optimizer, loss="sparse_categorical_crossentropy", **routed)
    return made._get_compile_kwargs()["optimizer"]


def run_fit(model: Any, dataset: Any, **fit_params: Any) -> dict[str, list[float]]:
    """Fit a compiled model on a dataset.

    Parameters
    ----------
    model : keras.Model
        The compiled model, trained in place.

    dataset : tf.data.Dataset
        Batches of one epoch, drawn again for each.

    **fit_params : dict
        ``epochs``, ``initial_epoch``, ``callbacks`` and ``validation_data`` of
        ``keras.Model.fit``.

    Returns
    -------
    history : dict of str to list of float
        Loss and accuracy of each epoch.
    """
    callbacks = fit_params.pop("callbacks")
    epochs, initial_epoch = fit_params.pop("epochs"), fit_params.pop("initial_epoch")
    wrapper = wrapper_class()
    if wrapper is None:
        history = model.fit(
            dataset,
            epochs=initial_epoch + epochs,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
            **fit_params,
        )
        return _as_floats(history.history)
    made = wrapper(model=model, callbacks=callbacks, shuffle=False, verbose=0)
    made.model_ = model
    made._random_state = None  # the engine has seeded everything already
    made._initialize_callbacks()
    made._fit_keras_model(
        dataset,
        None,
        sample_weight=None,
        warm_start=False,
        epochs=epochs,
        initial_epoch=initial_epoch,
        **fit_params,
    )
    return _as_floats(made.history_)


def _as_floats(history: dict[str, list]) -> dict[str, list[float]]:
    return {name: [float(value) for value in values] for name, values in history.items()}
