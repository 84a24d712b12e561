"""Models of the package on top of a network that Keras downloads.

The package contains only their heads. Files of the same weights may differ in bytes, for example
if normalisations are folded into convolutions. The network is therefore verified by its outputs.
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
    """Return the float32 features of two reference images, without the power transform."""
    power = backbone.power
    try:
        # The power transform would amplify differences between values near zero.
        return backbone.set_params(power=None).transform(_reference_images()).astype(np.float32)
    finally:
        backbone.set_params(power=power)


def with_downloaded_backbone(head: BaseEstimator, reference: Path, name: str) -> Pipeline:
    """Combine a head with its network, which is downloaded if necessary, and verified.

    Parameters
    ----------
    head : classifier
        Classifier fitted to the features of :func:`photo_features`.

    reference : Path
        NumPy file with the result of :func:`compute_reference` when the head was fitted.

    name : str
        Name of the model in errors.

    Returns
    -------
    model : Pipeline
        Fitted pipeline of the network and the head.

    Raises
    ------
    FileNotFoundError
        If the weights are not on disk and cannot be downloaded.

    ValueError
        If the features of the reference images differ.
    """
    try:
        backbone = photo_features().fit(_reference_images())
    except FileNotFoundError as error:
        file = str(error).partition(" unavailable: ")[2].partition(" is not in ")[0]
        raise FileNotFoundError(
            f"name={name!r} needs weights that Keras downloads once, but the download failed. "
            "Connect to the internet and start a new process; or put "
            f"{file or 'their file'} into the folder models of KERAS_HOME (default: ~/.keras); "
            "or load 'clothing-photos-small-v1', which needs no download."
        ) from error
    expected = np.load(reference, allow_pickle=False)
    difference = float(np.abs(compute_reference(backbone) - expected).max())
    if not difference <= _TOLERANCE:  # also NaN
        raise ValueError(
            f"name={name!r} needs the weights of MobileNetV2 that Keras downloads for {SIDE} "
            f"pixels, but those in KERAS_HOME (default: ~/.keras) are others: features of a "
            f"reference image differ by {difference:.2g}, expected at most {_TOLERANCE}. Remove "
            "the file of these weights from the folder models, so that it is downloaded again."
        )
    return Pipeline([("features", backbone), ("head", head)])


def _reference_images() -> np.ndarray:
    """Return two images computed in integers: blocks of three sizes, and waves."""
    rows, columns = np.indices((SIDE, SIDE))
    blocks = [(rows // step * 97 + columns // step * 61) % 256 for step in (16, 28, 56)]
    waves = [(rows * rows // step + columns * columns // 40) % 256 for step in (30, 70, 110)]
    return np.stack([np.stack(one, axis=-1) for one in (blocks, waves)]).astype(np.uint8)
