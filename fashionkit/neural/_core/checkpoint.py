"""The state of a training on disk, so that a killed fit goes on from its last epoch."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fashionkit._files import prepare_folder, write_whole
from fashionkit._times import Times

Arrays = list[np.ndarray]
Weights = tuple[Arrays, Arrays]

FILE_NAME = "checkpoint.npz"


@dataclass(frozen=True)
class TrainingState:
    """All that a training needs to go on from the end of an epoch.

    Parameters
    ----------
    weights : tuple of list of ndarray
        The trainable and the other variables.

    optimizer_state : list of ndarray
        The optimizer's variables.

    first_step : int
        The step with which the schedule of the learning rate begins.

    history : dict of str to list of float
        Loss and accuracy so far.

    best_loss : float
        The best validation loss so far.

    n_waited : int
        Epochs since then.

    best_weights : tuple of list of ndarray, or None
        The weights of then.

    times : Times, default=(0, 0)
        How long the training has taken so far.

    is_finished : bool, default=False
        Whether there is nothing left to train.
    """

    weights: Weights
    optimizer_state: Arrays
    first_step: int
    history: dict[str, list[float]]
    best_loss: float
    n_waited: int
    best_weights: Weights | None
    times: Times = Times(0.0, 0.0)  # noqa: RUF009, a tuple
    is_finished: bool = False


class Checkpoint:
    """The folder in which one fit keeps its state.

    Parameters
    ----------
    folder : str or path-like
        The folder; made where there is none.

    settings : dict of str to str
        All that decides the result of the fit, each named as the user knows it.

    Attributes
    ----------
    state : TrainingState or None
        What the folder holds; None if it is empty.

    Raises
    ------
    ValueError
        If the folder holds the state of another fit, or a file that is not such a state. It is left
        as it is.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: dict[str, str]):
        self._path = prepare_folder(folder) / FILE_NAME
        self._settings = settings
        self.state = None
        if self._path.exists():
            facts, arrays = _read(self._path)
            self._check_settings(facts["settings"])
            self.state = _state(facts, arrays)

    @staticmethod
    def read_seed(folder: str | os.PathLike[str]) -> int | None:
        """Return the seed of the fit whose state a folder holds; None if it is empty."""
        path = Path(folder).expanduser() / FILE_NAME
        return int(_read(path)[0]["settings"]["seed"]) if path.exists() else None

    def save(self, state: TrainingState) -> None:
        """Write a state, in place of the last one, and never half of it."""
        if self.state is None and self._path.exists():  # written by another fit meanwhile
            self._check_settings(_read(self._path)[0]["settings"])
        self.state = state
        facts = {
            "settings": self._settings,
            "first_step": state.first_step,
            "history": state.history,
            "best_loss": state.best_loss,
            "n_waited": state.n_waited,
            "times": state.times,
            "is_finished": state.is_finished,
            "has_best": state.best_weights is not None,
        }
        best = state.best_weights or ([], [])
        groups = [*state.weights, state.optimizer_state, *best]
        arrays: dict[str, Any] = {
            f"{group}_{number}": array
            for group, members in zip(_GROUPS, groups, strict=True)
            for number, array in enumerate(members)
        }

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
                file.flush()
                os.fsync(file.fileno())

        write_whole(self._path, write)

    def _check_settings(self, found: dict[str, str]) -> None:
        names = sorted({*found, *self._settings})
        differ = [name for name in names if found.get(name) != self._settings.get(name)]
        if differ:
            told = "; ".join(
                f"{name} was {found.get(name)}, is {self._settings.get(name)}" for name in differ
            )
            raise ValueError(
                f"checkpoint_dir={str(self._path.parent)!r} holds the state of another fit "
                f"({told}). Nothing was changed there; pass another folder, or delete "
                f"{FILE_NAME} in it."
            )


_PLAIN_FACTS = ("first_step", "history", "best_loss", "n_waited", "is_finished")
_GROUPS = ("trainable", "non_trainable", "optimizer", "best_trainable", "best_non_trainable")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        facts = json.loads(str(arrays.pop("facts")))
        missing = {"settings", "has_best", *_PLAIN_FACTS} - set(facts)
        if missing or "seed" not in facts["settings"]:
            raise ValueError("it lacks what a state has.")
        return facts, arrays
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"checkpoint_dir={str(path.parent)!r} holds a {path.name} that is not the state of a "
            f"fit: {error} Nothing was changed there; pass another folder, or delete the file."
        ) from error


def _state(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> TrainingState:
    groups = {name: list(_members(arrays, name)) for name in _GROUPS}
    best = groups["best_trainable"], groups["best_non_trainable"]
    return TrainingState(
        weights=(groups["trainable"], groups["non_trainable"]),
        optimizer_state=groups["optimizer"],
        best_weights=best if facts["has_best"] else None,
        times=Times(*facts.get("times", ())),  # which states of earlier versions lack
        **{name: facts[name] for name in _PLAIN_FACTS},
    )


def _members(arrays: dict[str, np.ndarray], group: str) -> Iterator[np.ndarray]:
    number = 0
    while f"{group}_{number}" in arrays:
        yield arrays[f"{group}_{number}"]
        number += 1
