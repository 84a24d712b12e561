"""The fits of a comparison, of which those of networks go on after their last epoch."""

from __future__ import annotations

import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from fashionkit._images import users_level
from fashionkit.comparison._splits import ImageSet
from fashionkit.neural import TrainingInterrupted
from fashionkit.neural._core.base import BaseKerasClassifier

_FITS = "fits"


def fit_folder(checkpoint_dir: Path, name: str) -> Path:
    """Return the folder in a comparison's checkpoint for the state of one training."""
    return checkpoint_dir / _FITS / name


def forget_fit(folder: Path) -> None:
    """Delete the state of a training."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # it holds others
        folder.parent.rmdir()


def fit(estimator: Any, train: ImageSet, folder: Path | None) -> None:
    """Fit an estimator; a network goes on from a killed fit of the same, if there was one.

    Parameters
    ----------
    estimator : estimator
        A clone that nobody else uses.

    train : ImageSet
        The training images.

    folder : path or None
        The folder of ``fit_folder``. Nothing is written where the checkpoint around it is missing,
        as on another machine.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C has ended a training: half of one is no result here.

    Warns
    -----
    UserWarning
        If the state of a training cannot be gone on from.
    """
    if folder is None or not folder.parents[1].is_dir() or not _can_go_on(estimator):
        _fit(estimator, train)
        return
    was_begun = folder.exists()
    estimator.set_params(checkpoint_dir=folder)
    try:
        _fit(estimator, train)
    except ValueError as error:
        if not was_begun:
            raise
        message = f"A training could not go on and began again: {error}"
        warnings.warn(message, UserWarning, stacklevel=users_level())
        forget_fit(folder)
        _fit(estimator, train)
    finally:
        estimator.set_params(checkpoint_dir=None)


def _can_go_on(estimator: Any) -> bool:
    """Tell whether an estimator's fit goes on from a checkpoint, to the same result."""
    if not isinstance(estimator, BaseKerasClassifier):
        return False
    return estimator.checkpoint_dir is None and not estimator.callbacks


def _fit(estimator: Any, train: ImageSet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterrupted)
        try:
            estimator.fit(train.X, train.y)
        except TrainingInterrupted as interruption:
            raise KeyboardInterrupt from interruption
