"""Models that come with the package, ready to use.

To add one, put its file of ``save`` and its card into the folder ``pretrained``, and a line into
``PRETRAINED``. ``benchmarks/pretrained.py`` trains them, and writes both.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from sklearn.base import BaseEstimator

from fashionkit.datasets._names import unknown
from fashionkit.persistence._load import load

# The SHA-256 of each one's file.
PRETRAINED: dict[str, str] = {
    "clothing-photos-small-v1": "6234eb51de991fd196380dc69e172e3a965b04d1bdb3513b61a5fab3c1b24366",
}


def load_pretrained(name: str) -> BaseEstimator:
    """Load a model that comes with the package, and is ready to predict.

    ========================== ====================================================================
    name                       what it is
    ========================== ====================================================================
    "clothing-photos-small-v1" Ten kinds of clothes on photos, among them "dress", "pants" and
                               "shoes": a MobileNetV2 of 0.35 times the width, fine-tuned. Takes
                               photos of 192 pixels in RGB.
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

    See Also
    --------
    list_pretrained : The names.
    load : Load a file of your own.

    Notes
    -----
    Nothing is downloaded. The name says which model it is, for good: a better one will have
    another number.

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
    """
    if name not in PRETRAINED:
        raise unknown("name", name, PRETRAINED, what="a model of the package")
    return load(pretrained_file(name), sha256=PRETRAINED[name])


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
