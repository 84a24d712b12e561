"""The fits of a comparison, of which those of networks go on after their last epoch."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from fashionkit._images import users_level
from fashionkit.comparison._splits import ImageSet
from fashionkit.neural import DistilledClassifier, TrainingInterrupted
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
    """Fit an estimator; its networks go on from a killed fit of the same, if there was one.

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
    folders = {} if folder is None else _folders(estimator, folder)
    if folder is None or not folder.parents[1].is_dir() or not folders:
        _fit(estimator, train)
        return
    was_begun = folder.exists()
    estimator.set_params(**folders)
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
        estimator.set_params(**dict.fromkeys(folders))
        for network in _fitted_networks(estimator):
            if network.checkpoint_dir in folders.values():
                network.checkpoint_dir = None


def _folders(estimator: Any, folder: Path) -> dict[str, Path]:
    """Return a folder for each network whose fit can go on, by the name of its parameter."""
    networks = dict(_networks(estimator))
    if any(network.checkpoint_dir or network.callbacks for network in networks.values()):
        return {}
    return {f"{path}checkpoint_dir": folder / path.removesuffix("__") for path in networks}


def _networks(estimator: Any, path: str = "") -> Iterator[tuple[str, BaseKerasClassifier]]:
    """Yield the networks that a fit of an estimator trains once, and where they are in it.

    Those in a search are trained many times.
    """
    if isinstance(estimator, BaseKerasClassifier):
        yield path, estimator
    elif isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        yield from _networks(last, f"{path}{name}__")
    elif isinstance(estimator, VotingClassifier):
        for name, member in estimator.estimators:
            yield from _networks(member, f"{path}{name}__")
    elif isinstance(estimator, DistilledClassifier):
        yield from _networks(estimator.estimator, f"{path}estimator__")
        yield from _networks(estimator.teacher, f"{path}teacher__")


def _fitted_networks(estimator: Any) -> Iterator[BaseKerasClassifier]:
    """Yield the trained networks of a fitted estimator."""
    if isinstance(estimator, BaseKerasClassifier):
        yield estimator
    inner = [getattr(estimator, "estimator_", None), *getattr(estimator, "estimators_", ())]
    if isinstance(estimator, Pipeline):
        inner.append(estimator.steps[-1][1])
    for one in inner:
        if one is not None:
            yield from _fitted_networks(one)


def _fit(estimator: Any, train: ImageSet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterrupted)
        try:
            estimator.fit(train.X, train.y)
        except TrainingInterrupted as interruption:
            raise KeyboardInterrupt from interruption
