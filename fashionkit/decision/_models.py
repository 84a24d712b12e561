"""Lookup of a fitted model: an estimator, a file, or the name of a pretrained model."""

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

# Key of the names of the targets in the metadata of a file.
TARGET_NAMES = "target_names"


@dataclass(frozen=True)
class Found:
    """Fitted model, with the hash of its file and the names of its targets.

    Parameters
    ----------
    estimator : estimator
        Fitted classifier.

    file_hash : str or None, default=None
        SHA-256 of the file of the model; None without a file.

    target_names : list of str or None, default=None
        Names of the targets in the metadata of the file; None without such.
    """

    estimator: Any
    file_hash: str | None = None
    target_names: list[str] | None = None

    def identify(self) -> str:
        """Return a hash of the model that is the same in another process.

        Returns
        -------
        digest : str
            SHA-256 of the file, or otherwise joblib's hash of the estimator.

        Raises
        ------
        TypeError
            If the model cannot be pickled.
        """
        if self.file_hash is not None:
            return self.file_hash
        try:
            return joblib.hash(self.estimator)
        except pickle.PicklingError as error:
            raise TypeError(
                f"model={type(self.estimator).__name__} cannot be hashed, as checkpoint_path "
                "requires; define its classes in a module, or pass a file written by "
                f"fashionkit.save: {error.args[0]}"
            ) from error


def find_model(model: Any) -> Found:
    """Find a fitted model by its file or name.

    Parameters
    ----------
    model : estimator, str or path-like
        Fitted estimator, path of a file, or name from :func:`~fashionkit.list_pretrained`.

    Returns
    -------
    found : Found
        The model.

    Raises
    ------
    TypeError
        If ``model`` is neither an estimator nor a path or name.

    ValueError
        If ``model`` is an unknown name.

    OSError
        If the file does not exist or cannot be read.
    """
    if not isinstance(model, str | os.PathLike):
        if not hasattr(model, "predict") or isinstance(model, type):
            raise TypeError(
                f"model={model!r}, expected a fitted classifier; pass one, the path of a file "
                "written by fashionkit.save, or a name from list_pretrained()."
            )
        return Found(model)
    if isinstance(model, str) and model in list_pretrained():
        digest = describe(pretrained_file(model)).sha256
        return Found(load_pretrained(model), digest)
    path = Path(model).expanduser()
    if not path.exists():
        if path.suffix or path.parent != Path():
            raise FileNotFoundError(
                f"model={str(model)!r} does not exist; pass a file written by fashionkit.save, or "
                f"one of the names {', '.join(map(repr, list_pretrained()))}."
            )
        if str(model) in list_models():
            raise ValueError(
                f"model={str(model)!r} is the name of a model that is not trained, expected a "
                f"fitted one; train it with train_photos(folder, model={str(model)!r}) or "
                f"python -m fashionkit train FOLDER --model {model} --output FILE, and pass the "
                "result."
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
