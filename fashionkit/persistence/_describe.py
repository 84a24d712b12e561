"""describe: what is in a file, without loading it."""

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

# Of more classes, the header has as many.
_MAX_CLASSES = 1_000
_MAX_TEXT = 5_000


def describe(path: str | PathLike[str]) -> Bunch:
    """Say what a file of :func:`~fashionkit.save` holds, without loading it.

    Only its header is read: nothing is imported, and no array is unpacked.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    description : Bunch
        With the attributes

        - ``model``: the name of the class;
        - ``text``: the estimator with its parameters, as ``repr`` shows it;
        - ``is_fitted``: whether it can predict;
        - ``classes``: the labels of its classes, None where there are none;
        - ``image_shape``: height, width and channels of its images, None where it takes any;
        - ``pixel_range``: the values that are black and white, None where they are not known;
        - ``needs``: names that :func:`~fashionkit.load` must be told to trust;
        - ``versions``: of Python, fashionkit and the libraries that it was saved with;
        - ``metadata``: what was given to :func:`~fashionkit.save`;
        - ``n_bytes``: the size of the file;
        - ``sha256``: its SHA-256, for ``load(path, sha256=...)``.

    Raises
    ------
    ModelFileError
        If it is not such a file.

    OSError
        If it cannot be read.

    See Also
    --------
    fashionkit.load : Loads the model after checking the file.

    Notes
    -----
    A file says of itself what it likes: only :func:`~fashionkit.load` checks whether it is true.

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
    """Return what the header of a file says of an estimator."""
    kind = type(estimator)
    images = next(with_images(estimator), None)
    classes = getattr(estimator, "classes_", None)
    text = re.sub(r" at 0x[0-9A-F]+", "", repr(estimator))
    return {
        "model": f"{kind.__module__}.{kind.__name__}",
        "text": text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…",
        "is_fitted": _is_fitted(estimator),
        "classes": _as_json(classes, _MAX_CLASSES),
        "image_shape": _as_json(getattr(images, "image_shape_", None)),
        "pixel_range": _as_json(getattr(images, "pixel_range_", None)),
    }


def with_images(estimator: Any) -> Any:
    """Iterate over the fitted parts of an estimator that know the shape of images."""
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
    if isinstance(values, list):  # of several outputs
        return [_as_json(one, n) for one in values[:n]]
    if values is None:
        return None
    return [one if isinstance(one, str | int | float) else str(one) for one in _first(values, n)]


def _first(values: Any, n: int) -> list[Any]:
    return np.asarray(values).ravel()[:n].tolist()
