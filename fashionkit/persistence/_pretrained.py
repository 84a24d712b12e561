"""Pretrained models that come with the package.

To add one, put its file and its model card into the folder ``pretrained``, and add a line to
``PRETRAINED``. ``benchmarks/pretrained.py`` trains the models and writes both.
"""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from fashionkit.datasets._names import unknown
from fashionkit.persistence._downloaded import with_downloaded_backbone
from fashionkit.persistence._load import load

# SHA-256 of the file of each model.
PRETRAINED: dict[str, str] = {
    "fashion-mnist-v1": "495794cb2385e0d47e1eeed3e67ecf0f8313250316bff6dae251203eabb28995",
    "clothing-photos-v1": "9a8acdab00d0e97aedb4c7a8f649bf17e98c2f26fb178c25b68d5d00cd9cd14f",
    "clothing-photos-small-v1": "fae855826e1fca92f0f224b629a1f55ba349a636f8889da90117f6def4d4722e",
}


def load_pretrained(name: str) -> BaseEstimator:
    """Load a pretrained model that comes with the package.

    ========================== ====================================================================
    name                       model
    ========================== ====================================================================
    "fashion-mnist-v1"         Predicts the ten classes of Fashion-MNIST, with the labels 0 to 9. A
                               network of five convolutions, distilled from two larger ones. Takes
                               gray images of 28 x 28 pixels, of light garments on black.
    "clothing-photos-v1"       Predicts the same classes as the next one, more accurately but in
                               three times the time. A linear head on a frozen MobileNetV2, which
                               Keras downloads once (9 MB). Takes RGB photos of 224 x 224 pixels.
    "clothing-photos-small-v1" Predicts ten kinds of clothes on photos, such as "dress", "pants" and
                               "shoes". A fine-tuned MobileNetV2 of width 0.35, calibrated on photos
                               of other people than those of the training. Takes RGB photos of
                               192 x 192 pixels. It is a :class:`~fashionkit.SelectiveClassifier`,
                               whose ``decide`` tells which predictions to accept.
    ========================== ====================================================================

    The card of each model documents its training data, accuracy and limitations. Read more in the
    :ref:`User Guide <pretrained>`.

    Parameters
    ----------
    name : str
        Name of the model, from :func:`list_pretrained`.

    Returns
    -------
    model : classifier
        Fitted classifier. Each call returns a new object.

    Raises
    ------
    ValueError
        If the name is unknown, or the network of "clothing-photos-v1" has other weights.

    ModelFileError
        If the file was changed after the package was installed. It is a ValueError.

    FileNotFoundError
        If the network of "clothing-photos-v1" is not on disk and cannot be downloaded.

    See Also
    --------
    list_pretrained : Lists the names.
    load : Loads an estimator from a file.

    Notes
    -----
    Only the network of "clothing-photos-v1" is downloaded, unless Keras has already done so. Its
    features of two reference images are compared with the expected ones, with a tolerance of 1e-3.
    A name always refers to the same model; improved models get a new version number.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit import load_pretrained
    >>> model = load_pretrained("clothing-photos-small-v1")
    >>> model.classes_[:3].tolist()
    ['dress', 'hat', 'longsleeve']
    >>> photos = np.zeros((1, 192, 192, 3), np.uint8)  # or load_images(paths, image_size=192)
    >>> model.predict_proba(photos).shape
    (1, 10)
    >>> model.decide(photos)["status"].tolist()
    ['review']
    """
    if name not in PRETRAINED:
        raise unknown("name", name, PRETRAINED, what="a model of the package")
    with warnings.catch_warnings():
        # The models are tested with the oldest and the newest supported version.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(pretrained_file(name), sha256=PRETRAINED[name])
    reference = pretrained_file(name, ".npy")
    return with_downloaded_backbone(model, reference, name) if reference.exists() else model


def list_pretrained() -> list[str]:
    """List the names of the pretrained models.

    Returns
    -------
    names : list of str
        Names that :func:`load_pretrained` takes.

    See Also
    --------
    load_pretrained : Loads one of the models, and describes each.

    Examples
    --------
    >>> from fashionkit import list_pretrained
    >>> "clothing-photos-small-v1" in list_pretrained()
    True
    """
    return list(PRETRAINED)


def pretrained_file(name: str, suffix: str = ".fashionkit") -> Path:
    """Return the path of the file of a model, or of its card with the suffix ".md"."""
    folder = resources.files("fashionkit.persistence") / "pretrained"
    return Path(str(folder / f"{name}{suffix}"))
