"""What is trained on and what is held out: rows of images, encoded targets and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from fashionkit._images import Images
from fashionkit.datasets._names import choices, unknown_labels


@dataclass(frozen=True)
class Samples:
    """Images and encoded targets, of which only some rows may be meant.

    Parameters
    ----------
    images : Images
        All images.

    targets : ndarray of shape (n_images,), dtype=int32
        Index of each image's class.

    rows : ndarray of shape (n_samples,), dtype=int64
        Which images are meant; picking rows costs less than copying images.

    weights : ndarray of shape (n_images,), dtype=float32, or None
        Weight of each image.

    probabilities : ndarray of shape (n_copies * n_images, n_classes), dtype=float32, or None
        What training aims at instead of the classes. ``images`` may then have distorted copies
        of all images behind these, of which each epoch takes the next.
    """

    images: Images
    targets: np.ndarray
    rows: np.ndarray
    weights: np.ndarray | None = None
    probabilities: np.ndarray | None = None

    @property
    def n_copies(self) -> int:
        """Number of versions of each image, the first of which is the image itself."""
        return len(self.images) // len(self.targets)


def encode_labels(y: np.ndarray, classes: np.ndarray, name: str = "y") -> np.ndarray:
    """Return the index of each label in ``classes``; a ValueError names unknown labels."""
    labels = y.tolist()
    if unknown := unknown_labels(labels, classes.tolist()):
        raise ValueError(
            f"{name} has the labels {choices(unknown, most=5)}, which are not among the classes "
            f"{classes.tolist()}; correct them, or fit with all classes: fit knows those of its y, "
            "partial_fit those of its first classes."
        )
    indices = {label: index for index, label in enumerate(classes.tolist())}
    return np.array([indices[label] for label in labels], dtype=np.int32)


def check_weights(sample_weight: Any, images: Images) -> np.ndarray | None:
    """Validate the weights of a mean, of any size; None stays None."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, images.pixels, dtype=np.float64)
    return only_ratios(weights)


def only_ratios(weights: np.ndarray) -> np.ndarray:
    """Scale weights to a maximum of 1, so that no sum of them overflows or vanishes."""
    largest = weights.max(initial=0)
    return weights / largest if largest > 0 else weights


def make_samples(
    images: Images,
    y: np.ndarray,
    classes: np.ndarray,
    *,
    sample_weight: Any = None,
    class_weight: dict | None = None,
    normalize: bool = False,
    name: str = "sample_weight",
) -> Samples:
    """Encode labels, combine weights and leave out what weighs nothing.

    Parameters
    ----------
    images : Images
        The images.

    y : ndarray of shape (n_images,)
        Their labels.

    classes : ndarray of shape (n_classes,)
        All labels, sorted.

    sample_weight : array-like of shape (n_images,), default=None
        Weight of each image.

    class_weight : dict, default=None
        Weight of each class, multiplied with ``sample_weight``.

    normalize : bool, default=False
        Whether to scale the weights to a mean of 1.

    name : str, default="sample_weight"
        What errors call the weights.

    Returns
    -------
    samples : Samples
        The images whose weight is not zero.
    """
    targets = encode_labels(y, classes, name.replace("sample_weight", "y"))
    if sample_weight is None and class_weight is None:
        return Samples(images, targets, np.arange(len(targets)))
    try:
        weights = _check_sample_weight(
            sample_weight,
            images.pixels,
            dtype=np.float64,
            ensure_non_negative=True,
            copy=True,
        )
    except ValueError as error:  # scikit-learn always says sample_weight
        raise ValueError(str(error).replace("sample_weight", name)) from error
    by_class = None
    if class_weight is not None:
        by_class = _weights_by_class(class_weight, targets, classes)
    if normalize:
        weights = only_ratios(weights)
        by_class = None if by_class is None else only_ratios(by_class)
    if by_class is not None:
        weights = weights * by_class
    rows = np.flatnonzero(weights)
    if not len(rows):
        raise ValueError(f"{name} is zero for every sample; nothing is left to use.")
    if normalize:
        weights = weights * (len(rows) / weights.sum())
    with np.errstate(over="ignore", under="ignore"):
        in_float32 = weights.astype(np.float32)
    if not np.all(np.isfinite(in_float32)) or not in_float32.any():
        raise ValueError(
            f"{name} has weights from {weights[rows].min():g} to {weights.max():g}, with those of "
            "the classes, which float32 cannot hold; scale them to about 1."
        )
    return Samples(images, targets, rows, in_float32)


def resolve_class_weight(class_weight: dict | str | None, y: np.ndarray) -> dict | None:
    """Return the weight of each class; for "balanced", inversely to its frequency in ``y``."""
    if not isinstance(class_weight, str):
        return class_weight
    labels = np.unique(y)
    weights = compute_class_weight(class_weight, classes=labels, y=y)
    return dict(zip(labels.tolist(), weights.tolist(), strict=True))


def _weights_by_class(class_weight: dict, targets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight has the labels {unknown}, which are not among the classes "
            f"{classes.tolist()}."
        )
    # Not scikit-learn's function, which refuses chunks that lack one of the classes.
    by_class = np.array([class_weight.get(label, 1.0) for label in classes], dtype=np.float64)
    if not np.all(np.isfinite(by_class)) or np.any(by_class < 0):
        raise ValueError(f"class_weight={class_weight!r}, expected weights of at least 0.")
    return by_class[targets]


def hold_out(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Split samples into those to train on and those to evaluate on, stratified by class.

    Parameters
    ----------
    samples : Samples
        All samples.

    fraction : float
        Fraction to hold out.

    seed : int
        Decides which.

    Returns
    -------
    kept, held_out : Samples
        Disjoint rows of the same images.
    """
    targets = samples.targets[samples.rows]
    try:
        kept, held_out = train_test_split(
            samples.rows, test_size=fraction, stratify=targets, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction} cannot be held out of {len(targets)} samples of "
            f"{len(np.unique(targets))} classes: {error} Pass more samples, a larger "
            "validation_fraction, or X_val and y_val to fit."
        ) from error
    # The held-out ones are evaluated by their true classes.
    return replace(samples, rows=kept), replace(samples, rows=held_out, probabilities=None)
