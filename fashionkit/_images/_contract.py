"""The image contract: every decision about shapes, channels and pixel ranges is made here.

An estimator calls :func:`fit_images` in ``fit`` and :func:`check_images` everywhere else,
and works on the :class:`Images` that it gets back.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from sklearn.utils import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)
from sklearn.utils.validation import validate_data

from fashionkit._images._forms import reject_single, single_image, stacked
from fashionkit._images._pixels import Images, LazyImages, Shape
from fashionkit._images._ranges import (
    check_range,
    infer_pixel_range,
    warn_of_other_dtype,
    warn_of_other_range,
)


def fit_images(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    *,
    image_shape: tuple | None = None,
    standardize: bool = False,
) -> Any:
    """Validate ``X``, and ``y`` where given, and learn the contract's attributes.

    Sets ``n_features_in_``, ``image_shape_`` and ``pixel_range_`` on the estimator, and
    ``feature_names_in_`` where ``X`` has names. The estimator's parameter ``image_shape``,
    where it has one, decides the shape of flat rows.

    Parameters
    ----------
    estimator : object
        The estimator being fitted.

    X : array-like
        Images in any form of the contract.

    y : array-like of shape (n_samples,), default="no_validation"
        Targets, validated together with ``X``.

    image_shape : tuple of int, default=None
        What decides the shape of flat rows where the estimator's parameter does not.

    standardize : bool, default=False
        Whether numbers of unusual ranges are standardised, as is best for networks.

    Returns
    -------
    images : Images
        The validated images; together with ``y`` as a pair where ``y`` was given.

    Warns
    -----
    UserWarning
        If the dtype of ``X`` does not go with its values: bytes that are all 0 or 1, or signed
        bytes below 0.
    """
    X = stacked(X)
    reject_single(X, y)
    flat, shape = _flatten(X)
    checked = validate_data(estimator, flat, y)
    with_y = isinstance(checked, tuple)
    flat = checked[0] if with_y else checked
    requested = getattr(estimator, "image_shape", None) or image_shape
    shape = _resolve_shape(requested, shape, flat.shape[1])
    warn_of_other_dtype(flat)
    estimator.image_shape_ = shape
    estimator.pixel_range_ = check_range(infer_pixel_range(flat, standardize=standardize))
    images = Images(_pixels(X, flat, shape), estimator.pixel_range_)
    return (images, checked[1]) if with_y else images


def check_images(estimator: Any, X: Any, *, n_values: int | None = None) -> Images:
    """Validate ``X`` against what ``fit`` has seen.

    Parameters
    ----------
    estimator : object
        A fitted estimator.

    X : array-like
        Images of the shape seen in ``fit``, in any form of the contract.

    n_values : int, default=None
        Values that an image becomes inside of a model that enlarges it.

    Returns
    -------
    images : Images
        The validated images, to be scaled by the range that ``fit`` recorded.

    Warns
    -----
    UserWarning
        If the pixels of ``X`` span another range than those seen in ``fit``.
    """
    fitted = estimator.image_shape_
    X = stacked(X)
    flat, shape = _flatten(X)
    if shape is None:
        _reject_one_bare_image(flat, fitted)
        if hasattr(flat, "columns") and not hasattr(estimator, "feature_names_in_"):
            # The images of fit had no names that those of a DataFrame could be compared with.
            flat = check_array(flat, estimator=estimator, input_name="X")
        flat = validate_data(estimator, flat, reset=False)
    else:
        # Not validate_data: images have no column names, and need none if fit saw a DataFrame.
        # Bytes are always finite: one image is a matter of microseconds.
        if flat.dtype != np.uint8 or not len(flat):
            flat = check_array(flat, estimator=estimator, input_name="X")
        if shape != fitted:
            if np.shape(X) in (fitted, _readable(fitted)):
                raise single_image(np.shape(X))
            raise ValueError(
                f"X has images of shape {_readable(shape)} ({flat.shape[1]} features), but "
                f"{type(estimator).__name__} is expecting {math.prod(fitted)} features as input, "
                f"images of shape {_readable(fitted)}; resize them, or fit on this shape."
            )
    warn_of_other_range(flat, estimator.pixel_range_)
    return Images(_pixels(X, flat, fitted), estimator.pixel_range_, n_values)


def check_targets(y: Any, images: Images) -> np.ndarray:
    """Validate targets that belong to images checked by :func:`check_images`."""
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(images.pixels, y)
    return y


def read_rows(X: Any) -> Any:
    """Read images that are files as flat rows, for what needs all in memory; leave others alone."""
    _reject_paths(X)
    return np.asarray(X).reshape(len(X), -1) if isinstance(X, LazyImages) else X


def _flatten(X: Any) -> tuple[Any, Shape | None]:
    """Return flat rows and, where the form of ``X`` tells it, the shape of each image.

    Files are not read: rows of the same shape, which take no memory, stand for them.
    """
    if isinstance(X, LazyImages):
        rows = np.resize(np.array([0, 255], X.dtype), math.prod(X.shape[1:]))
        return np.broadcast_to(rows, (len(X), len(rows))), X.shape[1:]
    _reject_paths(X)
    if isinstance(X, np.ndarray) or (hasattr(X, "__array__") and len(getattr(X, "shape", ())) > 2):
        X = np.asarray(X)
        if X.ndim in (3, 4):
            shape = (*X.shape[1:], 1) if X.ndim == 3 else X.shape[1:]
            _check_shape(shape, f"X of shape {X.shape}")
            return X.reshape(X.shape[0], math.prod(shape)), shape
        if X.ndim > 4:
            raise ValueError(
                f"Found array with dim {X.ndim}: X has shape {X.shape}, expected (n_samples, "
                "n_features), (n_samples, height, width) or (n_samples, height, width, channels)."
            )
    return X, None


def _pixels(X: Any, flat: Any, shape: Shape) -> np.ndarray | LazyImages:
    return X._with_threads() if isinstance(X, LazyImages) else flat.reshape(-1, *shape)


def _reject_paths(X: Any) -> None:
    """Say how to read the images whose paths are passed in their place."""
    first = X[0] if isinstance(X, list | tuple) and X else X
    shape: tuple[int, ...] = getattr(X, "shape", ())
    is_column = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    kind = getattr(getattr(X, "dtype", None), "kind", "O")
    if is_column and kind in "OUT" and hasattr(X, "__getitem__"):
        head = np.asarray(X[:1])  # of an array, a Series or a DataFrame
        first = head.flat[0] if head.size else None
    if isinstance(first, str | os.PathLike):
        raise TypeError(
            f"X has paths or other text, such as {str(first)!r}, expected images; pass "
            "load_images(X, image_size=...), or ImageFolder.from_paths(X, image_size=...), which "
            "reads a few at a time."
        )


def _resolve_shape(requested: tuple | None, seen: Shape | None, n_features: int) -> Shape:
    """Decide the image shape: what the user asked for, what ``X`` shows, or a guess."""
    if requested is not None:
        if len(requested) not in (2, 3) or not all(
            isinstance(side, int | np.integer) for side in requested
        ):
            raise ValueError(
                f"image_shape={requested!r} is not a tuple of 2 or 3 integers; pass "
                "(height, width), (height, width, channels), or None to infer it."
            )
        shape: Any = tuple(int(side) for side in requested)
        shape = shape if len(shape) == 3 else (*shape, 1)
        _check_shape(shape, f"image_shape={requested!r}")
        if seen is not None and seen != shape:
            raise ValueError(
                f"image_shape={requested!r} but X has images of shape {_readable(seen)}; "
                "pass image_shape=None to infer it."
            )
        if math.prod(shape) != n_features:
            raise ValueError(
                f"image_shape={requested!r} has {math.prod(shape)} pixels but X has {n_features} "
                "features; pass image_shape=None to infer it."
            )
        return shape
    if seen is not None:
        return seen
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side * side * channels == n_features:
            return side, side, channels
    return 1, n_features, 1


def _check_shape(shape: tuple, source: str) -> None:
    height, _, channels = shape
    if min(shape) < 1:
        raise ValueError(
            f"Found array with 0 feature(s): {source} has images without pixels; "
            "a minimum of 1 is required in each dimension."
        )
    if channels not in (1, 3):
        hint = ""
        if height in (1, 3):
            hint = "; it looks like channels first: pass np.moveaxis(X, 1, -1)"
        raise ValueError(
            f"{source} has {channels} channels, expected 1 (gray) or 3 (RGB) in the last "
            f"dimension{hint}."
        )


def _reject_one_bare_image(flat: Any, fitted: Shape) -> None:
    shape = getattr(flat, "shape", ())
    if isinstance(flat, list | tuple) and len(flat) == fitted[0] and np.ndim(flat[0]) == 1:
        shape = (len(flat), len(flat[0]))
    if len(shape) == 2 and shape == fitted[:2] and shape[1] != math.prod(fitted):
        raise ValueError(
            f"X has {shape[1]} features, but {math.prod(fitted)} features are expected as input: "
            f"X of shape {shape} looks like a single image; pass X[np.newaxis] for a batch of one."
        )


def _readable(shape: Shape) -> tuple[int, ...]:
    """Drop the channel axis of gray images, as users write their shapes."""
    return shape[:2] if shape[2] == 1 else shape
