"""Models that come with the package, ready to use.

To add one, put its file of ``save`` and its card into the folder ``pretrained``, and a line into
``PRETRAINED``. ``benchmarks/pretrained.py`` trains them, and writes both.
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

# The SHA-256 of each one's file.
PRETRAINED: dict[str, str] = {
    "fashion-mnist-v1": "495794cb2385e0d47e1eeed3e67ecf0f8313250316bff6dae251203eabb28995",
    "clothing-photos-v1": "9a8acdab00d0e97aedb4c7a8f649bf17e98c2f26fb178c25b68d5d00cd9cd14f",
    "clothing-photos-small-v1": "fae855826e1fca92f0f224b629a1f55ba349a636f8889da90117f6def4d4722e",
}


def load_pretrained(name: str) -> BaseEstimator:
    """Load a model that comes with the package, and is ready to predict.

    ========================== ====================================================================
    name                       what it is
    ========================== ====================================================================
    "fashion-mnist-v1"         The ten classes of Fashion-MNIST, by their numbers: a network of
                               five convolutions, distilled from two larger ones. Takes images of
                               28 pixels, gray, of light garments on black.
    "clothing-photos-v1"       The same kinds of clothes as the next, more of them right, in three
                               times the time: a linear head on a frozen MobileNetV2, which Keras
                               downloads once (9 MB). Takes photos of 224 pixels in RGB.
    "clothing-photos-small-v1" Ten kinds of clothes on photos, among them "dress", "pants" and
                               "shoes": a MobileNetV2 of 0.35 times the width, fine-tuned, and
                               calibrated on photos of other people. Takes photos of 192 pixels in
                               RGB. A :class:`~fashionkit.SelectiveClassifier`: its ``decide`` says
                               which predictions to accept.
    ========================== ====================================================================

    What each was trained on, how accurate it is, and where it fails, is in its card: see
    :ref:`pretrained`.

    Parameters
    ----------
    name : str
        A name from :func:`list_pretrained`.

    Returns
    -------
    model : classifier
        It is fitted. Each call returns another object.

    Raises
    ------
    ValueError
        If there is no model of that name.

    ModelFileError
        A ValueError: the file was changed since the package was installed.

    FileNotFoundError
        Of "clothing-photos-v1": the weights of MobileNetV2 are not on disk, and cannot be
        downloaded.

    See Also
    --------
    list_pretrained : The names.
    load : Load a file of your own.

    Notes
    -----
    Nothing is downloaded, but the network of "clothing-photos-v1", if Keras has not done so before;
    what it computes of two images is compared, to 1e-3. The name says which model it is, for good:
    a better one will have another number.

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
        # They are tested with the oldest and the newest version that we support.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(pretrained_file(name), sha256=PRETRAINED[name])
    reference = pretrained_file(name, ".npy")
    return with_downloaded_backbone(model, reference, name) if reference.exists() else model


def list_pretrained() -> list[str]:
    """Return the names that :func:`load_pretrained` knows.

    Returns
    -------
    names : list of str
        The names.

    See Also
    --------
    load_pretrained : Load one of them, and what each is.

    Examples
    --------
    >>> from fashionkit import list_pretrained
    >>> "clothing-photos-small-v1" in list_pretrained()
    True
    """
    return list(PRETRAINED)


def pretrained_file(name: str, suffix: str = ".fashionkit") -> Path:
    """Return the file of a model, or with the suffix ".md" its card."""
    folder = resources.files("fashionkit.persistence") / "pretrained"
    return Path(str(folder / f"{name}{suffix}"))
