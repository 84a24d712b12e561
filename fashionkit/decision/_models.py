"""Which model is meant: a fitted estimator, a file of one, or one of the package by its name."""

from __future__ import annotations

import hashlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from fashionkit.datasets._names import unknown
from fashionkit.models import list_models
from fashionkit.persistence import ONNXClassifier, describe, list_pretrained, load, load_pretrained
from fashionkit.persistence._pretrained import pretrained_file

# Under which key of a file's metadata the names of its targets are.
TARGET_NAMES = "target_names"


@dataclass(frozen=True)
class Found:
    """A model, and what tells it from others.

    Parameters
    ----------
    estimator : estimator
        The fitted classifier.

    file_hash : str or None
        The SHA-256 of its file, where it is from one.

    target_names : list of str or None
        Names of its targets, where its file has them.
    """

    estimator: Any
    file_hash: str | None = None
    target_names: list[str] | None = None

    def identify(self) -> str:
        """Return a hash of the model, by which another run knows it again.

        Raises
        ------
        TypeError
            If there is none.
        """
        if self.file_hash is not None:
            return self.file_hash
        try:
            return joblib.hash(self.estimator)
        except pickle.PicklingError as error:
            raise TypeError(
                f"model={type(self.estimator).__name__} cannot be told from others, as a "
                "checkpoint needs it; define its classes in a module, or pass the file of "
                f"fashionkit.save: {error.args[0]}"
            ) from error


def find_model(model: Any) -> Found:
    """Return the model that is meant.

    Parameters
    ----------
    model : estimator, str or path-like
        A fitted estimator, a file, or a name of :func:`~fashionkit.list_pretrained`.

    Raises
    ------
    TypeError
        If it is none of these.

    ValueError
        If it is neither a name nor a file.

    OSError
        If the file cannot be read.
    """
    if not isinstance(model, str | os.PathLike):
        if not hasattr(model, "predict") or isinstance(model, type):
            raise TypeError(
                f"model={model!r}, expected a fitted classifier, the file of one, or a name of "
                "list_pretrained()."
            )
        return Found(model)
    if isinstance(model, str) and model in list_pretrained():
        digest = describe(pretrained_file(model)).sha256
        return Found(load_pretrained(model), digest)
    path = Path(model).expanduser()
    if not path.exists():
        if path.suffix or path.parent != Path():
            raise FileNotFoundError(
                f"model={str(model)!r} does not exist; pass a file of fashionkit.save, or one of "
                f"the names {', '.join(map(repr, list_pretrained()))}."
            )
        if str(model) in list_models():
            raise ValueError(
                f"model={str(model)!r} is the name of a model that is not trained. Train it: "
                f"python -m fashionkit train FOLDER --model {model} --output FILE, or "
                f"train_photos(folder, model={str(model)!r}); then pass the file or the model."
            )
        raise unknown("model", str(model), list_pretrained(), what="a file or a model's name")
    if path.suffix == ".onnx":
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Found(ONNXClassifier(path).fit(None), digest)
    described = describe(path)
    metadata = described.metadata if isinstance(described.metadata, dict) else {}
    names = metadata.get(TARGET_NAMES)
    names = [str(name) for name in names] if isinstance(names, list) else None
    return Found(load(path, sha256=described.sha256), described.sha256, names)
