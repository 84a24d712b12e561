"""A network that Keras downloads, and models of the package that stand on it.

Only their heads come with the package. Files of the same weights differ in bytes, such as where
normalisations are folded into convolutions; so the network is known by what it computes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from fashionkit.features import BackboneFeatures
from fashionkit.models._photos import SIDE, photo_features

_TOLERANCE = 1e-3


def compute_reference(backbone: BackboneFeatures) -> np.ndarray:
    """Return what a fitted backbone computes of two images, before the power: float32."""
    power = backbone.power
    try:
        # Roots of what is nearly zero would differ by more than what they are of.
        return backbone.set_params(power=None).transform(_reference_images()).astype(np.float32)
    finally:
        backbone.set_params(power=power)


def with_downloaded_backbone(head: BaseEstimator, reference: Path, name: str) -> Pipeline:
    """Return the head behind the network, which is downloaded if need be, and checked.

    Parameters
    ----------
    head : classifier
        It is fitted, to the features of :func:`photo_features`.

    reference : Path
        File of NumPy with what :func:`compute_reference` gave where it was fitted.

    name : str
        What an error calls the model.

    Returns
    -------
    model : Pipeline
        It is fitted.

    Raises
    ------
    FileNotFoundError
        If the weights are not on disk and cannot be downloaded.

    ValueError
        If the network computes something else.
    """
    try:
        backbone = photo_features().fit(_reference_images())
    except FileNotFoundError as error:
        file = str(error).partition(" unavailable: ")[2].partition(" is not in ")[0]
        raise FileNotFoundError(
            f"name={name!r} needs weights that Keras downloads once, which could not be reached. "
            f"Connect to the internet, in a new process; or put {file or 'their file'} into the "
            "folder models of KERAS_HOME (~/.keras where that is unset); or load "
            "'clothing-photos-small-v1', which needs no other file."
        ) from error
    expected = np.load(reference, allow_pickle=False)
    difference = float(np.abs(compute_reference(backbone) - expected).max())
    if not difference <= _TOLERANCE:  # also NaN
        raise ValueError(
            f"name={name!r} needs the weights of MobileNetV2 that Keras downloads for {SIDE} "
            f"pixels, but those in its folder (KERAS_HOME, or ~/.keras) compute something else: "
            f"features of a known image differ by {difference:.2g}, expected at most {_TOLERANCE}. "
            "Remove the file of these weights from its folder models, so that it is downloaded "
            "again."
        )
    return Pipeline([("features", backbone), ("head", head)])


def _reference_images() -> np.ndarray:
    """Return two images whose pixels whole numbers give: blocks, and waves of three periods."""
    rows, columns = np.indices((SIDE, SIDE))
    blocks = [(rows // step * 97 + columns // step * 61) % 256 for step in (16, 28, 56)]
    waves = [(rows * rows // step + columns * columns // 40) % 256 for step in (30, 70, 110)]
    return np.stack([np.stack(one, axis=-1) for one in (blocks, waves)]).astype(np.uint8)
