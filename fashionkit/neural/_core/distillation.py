"""What a student is trained on: distorted copies of images, and a teacher's probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from fashionkit._images import LazyImages
from fashionkit.datasets._names import choices
from fashionkit.neural._core.samples import Samples
from fashionkit.preprocessing import Augmentation

# How far from 1 a teacher's probabilities may sum.
_TOLERANCE = 1e-3


def form_of(X: Any) -> Callable[[Any], Any]:
    """Return what brings pixels of shape (n_samples, height, width, channels) into the form of X.

    Parameters
    ----------
    X : array-like
        Images in any form of the contract.

    Returns
    -------
    as_given : callable
        From pixels to flat rows, images without channels, or a DataFrame with the columns of
        ``X``. Images that are files have one form.
    """
    n_dimensions = len(X.shape) if hasattr(X, "shape") else 2

    def as_given(pixels: Any) -> Any:
        if isinstance(pixels, LazyImages) or n_dimensions == 4:
            return pixels
        if n_dimensions == 3:
            return pixels[..., 0]
        rows = pixels.reshape(len(pixels), -1)
        if not hasattr(X, "iloc"):
            return rows
        import pandas as pd

        return pd.DataFrame(rows, columns=X.columns)

    return as_given


def make_copies(
    samples: Samples, augmentation: Augmentation, n_copies: int, seed: int, folder: str
) -> Samples:
    """Put copies of all images behind these, distorted as in further epochs of a training.

    Parameters
    ----------
    samples : Samples
        Images without copies.

    augmentation : Augmentation
        How to distort them.

    n_copies : int
        Number of versions of each image in the end, with the image itself.

    seed : int
        Decides all random choices.

    folder : str
        Where copies of images that are files are kept, memory-mapped; they must stay there while
        the result is used.

    Returns
    -------
    samples : Samples
        The same samples, with the copies. Copies of integers have their dtype; of other numbers,
        all images become float32.
    """
    images = samples.images
    n_images = len(images)
    dtype = images.pixels.dtype
    if not np.issubdtype(dtype, np.integer):
        dtype = np.dtype(np.float32)
    shape = (n_copies * n_images, *images.pixels.shape[1:])
    pixels: np.ndarray
    if isinstance(images.pixels, LazyImages):
        pixels = np.memmap(Path(folder) / "copies", dtype, "w+", shape=shape)
    else:
        pixels = np.empty(shape, dtype)
    for rows, part in images.in_memory(n_images):
        pixels[rows] = part.pixels
    for copy in range(1, n_copies):
        block = pixels[copy * n_images : (copy + 1) * n_images]
        augmentation._distort(images, block, copy, np.random.default_rng((seed, copy)))
    return replace(samples, images=replace(images, pixels=pixels))


def ask_teacher(
    samples: Samples,
    teacher: Any,
    classes: np.ndarray,
    as_given: Callable[[np.ndarray], Any],
    *,
    verbose: bool = False,
) -> np.ndarray:
    """Return a teacher's probabilities of all images and their copies.

    Parameters
    ----------
    samples : Samples
        The images.

    teacher : classifier
        Fitted, with ``predict_proba``.

    classes : ndarray of shape (n_classes,)
        The student's classes.

    as_given : callable
        Brings pixels of shape (n_samples, height, width, channels) into the form that the teacher
        was fitted on.

    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    probabilities : ndarray of shape (n_copies * n_images, n_classes), dtype=float32
        In the order of ``classes``; each row sums to 1.

    Raises
    ------
    TypeError
        If the teacher has no ``predict_proba``.

    ValueError
        If the teacher has other classes, or its outputs are not probabilities.
    """
    if not hasattr(teacher, "predict_proba"):
        raise TypeError(
            f"teacher is a {type(teacher).__name__} without predict_proba; pass one that has it, "
            "such as a CalibratedClassifierCV of it."
        )
    known = np.asarray(teacher.classes_).tolist()
    if set(known) != set(classes.tolist()):
        raise ValueError(
            f"teacher knows the classes {choices(known)}, but y has {choices(classes.tolist())}; "
            "pass a teacher of these classes."
        )
    order = [known.index(label) for label in classes.tolist()]
    n_images = len(samples.targets)
    probabilities = np.empty((len(samples.images), len(classes)), np.float32)
    for copy in tqdm(range(samples.n_copies), unit="copy", desc="teacher", disable=not verbose):
        rows = slice(copy * n_images, (copy + 1) * n_images)
        probabilities[rows] = teacher.predict_proba(as_given(samples.images.pixels[rows]))[:, order]
    sums = probabilities.sum(axis=1, keepdims=True)
    if not np.all(np.abs(sums - 1) < _TOLERANCE) or probabilities.min() < 0:  # or NaN
        row = int(np.argmax(np.abs(sums - 1)))
        raise ValueError(
            f"predict_proba of teacher gives outputs from {probabilities.min():g} to "
            f"{probabilities.max():g}, with a sum of {sums[row, 0]:g} in one row; expected "
            "probabilities that sum to 1, as those of CalibratedClassifierCV do."
        )
    return probabilities / sums


def soften(
    samples: Samples,
    teacher: Any,
    classes: np.ndarray,
    as_given: Callable[[np.ndarray], Any],
    *,
    augmentation: Augmentation | None,
    n_copies: int,
    hard_weight: float,
    seed: int,
    folder: str,
    verbose: bool,
) -> Samples:
    """Return what a student is trained on; the parameters are those of the functions above."""
    if augmentation is not None and not augmentation.is_identity:
        samples = make_copies(samples, augmentation, n_copies, seed, folder)
    probabilities = ask_teacher(samples, teacher, classes, as_given, verbose=verbose)
    if hard_weight:
        exact = np.eye(len(classes), dtype=np.float32)[samples.targets]
        exact = np.tile(exact, (samples.n_copies, 1))
        probabilities = (1 - hard_weight) * probabilities + hard_weight * exact
    return replace(samples, probabilities=probabilities.astype(np.float32))
