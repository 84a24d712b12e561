"""describe: description of a saved model, without loading it."""

from __future__ import annotations

import re
from os import PathLike
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from fashionkit.persistence._container import open_model

# Maximum number of classes, and of characters of the ``repr``, in a header.
_MAX_CLASSES = 1_000
_MAX_TEXT = 5_000


def describe(path: str | PathLike[str]) -> Bunch:
    """Describe a model saved by :func:`~fashionkit.save`, without loading it.

    Only the header of the file is parsed, and the SHA-256 of the file is computed. Nothing is
    imported, and no array is unpacked.

    Read more in the :ref:`User Guide <files>`.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    Returns
    -------
    description : Bunch
        Description with the attributes

        - ``model``: full name of the class;
        - ``text``: ``repr`` of the estimator;
        - ``is_fitted``: whether the estimator is fitted;
        - ``classes``: labels of the classes, or None;
        - ``image_shape``: height, width and channels of the images, or None if unknown;
        - ``pixel_range``: pixel values that are black and white, or None if unknown;
        - ``needs``: names that must be passed to :func:`~fashionkit.load` as ``trusted``;
        - ``versions``: versions of Python, fashionkit and other libraries when it was saved;
        - ``metadata``: metadata that was passed to :func:`~fashionkit.save`;
        - ``n_bytes``: size of the file in bytes;
        - ``sha256``: SHA-256 of the file, for ``load(path, sha256=...)``.

    Raises
    ------
    ModelFileError
        If the file is not a saved model, or is damaged.

    OSError
        If the file cannot be read.

    See Also
    --------
    fashionkit.save : Saves a model.
    fashionkit.load : Loads a model after checking the file.

    Notes
    -----
    The description is not verified: the author of a file can write any header. Only
    :func:`~fashionkit.load` checks whether the model matches.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from fashionkit import make_model, save
    >>> from fashionkit.persistence import describe
    >>> with TemporaryDirectory() as folder:
    ...     description = describe(save(make_model("hog-svm"), f"{folder}/model.fashionkit"))
    >>> description.model, description.is_fitted
    ('sklearn.pipeline.Pipeline', False)
    """
    with open_model(path) as reader:
        header, n_bytes, sha256 = reader.header, reader.n_bytes, reader.hash()
    model = header.get("model")
    model = model if isinstance(model, dict) else {}
    known = ("model", "text", "is_fitted", "classes", "image_shape", "pixel_range")
    return Bunch(
        **{name: model.get(name) for name in known},
        needs=header.get("needs"),
        versions=header.get("versions"),
        metadata=header.get("metadata"),
        n_bytes=n_bytes,
        sha256=sha256,
    )


def describe_estimator(estimator: Any) -> dict[str, Any]:
    """Return the description of an estimator for the header of its file."""
    kind = type(estimator)
    images = next(with_images(estimator), None)
    classes = getattr(estimator, "classes_", None)
    text = stable_repr(estimator)
    return {
        "model": f"{kind.__module__}.{kind.__name__}",
        "text": text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…",
        "is_fitted": _is_fitted(estimator),
        "classes": _as_json(classes, _MAX_CLASSES),
        "image_shape": _as_json(getattr(images, "image_shape_", None)),
        "pixel_range": _as_json(getattr(images, "pixel_range_", None)),
    }


def stable_repr(obj: Any) -> str:
    """Return the ``repr`` of an object without memory addresses, which differ between processes."""
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(obj))


def with_images(estimator: Any) -> Any:
    """Yield the parts of an estimator that have learned the shape of images."""
    if hasattr(estimator, "image_shape_"):
        yield estimator
    parts: list[Any] = []
    if isinstance(estimator, Pipeline):
        parts = [step for _, step in estimator.steps[:1]]
    for name in ("best_estimator_", "estimator_", "estimator", "transformer_"):
        parts.append(getattr(estimator, name, None))
    for name in ("estimators_", "transformer_list"):
        members = getattr(estimator, name, None)
        if isinstance(members, list):
            parts += [one[1] if isinstance(one, tuple) else one for one in members]
    for one in getattr(estimator, "calibrated_classifiers_", None) or ():
        parts.append(getattr(one, "estimator", None))
    for part in parts:
        if hasattr(part, "get_params") and not isinstance(part, type):
            yield from with_images(part)


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _as_json(values: Any, n: int = 10) -> list[Any] | None:
    """Return at most n values as types of JSON."""
    if isinstance(values, list):  # one array for each output
        return [_as_json(one, n) for one in values[:n]]
    if values is None:
        return None
    return [one if isinstance(one, str | int | float) else str(one) for one in _first(values, n)]


def _first(values: Any, n: int) -> list[Any]:
    return np.asarray(values).ravel()[:n].tolist()
