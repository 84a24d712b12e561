"""Fetch Fashion-MNIST: 70,000 gray images of fashion articles in ten classes."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from ._csv import LABEL_COLUMN, PIXEL_COLUMNS
from ._download import locate
from ._idx import read_idx

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

_DESCR = f"""\
Fashion-MNIST
-------------

Product photographs of Zalando's shop, reduced to 28 x 28 gray pixels. Made as a
harder drop-in replacement for MNIST, with the same sizes and split.

Samples:   60,000 for training, 10,000 for testing, balanced over the classes
Features:  28 x 28 gray pixels, uint8, 0 (background) to 255
Classes:   {", ".join(f"{i} {name}" for i, name in enumerate(CLASS_NAMES))}
Licence:   MIT, copyright 2017 Zalando SE
Source:    https://github.com/zalandoresearch/fashion-mnist

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
Benchmarking Machine Learning Algorithms", 2017, arXiv:1708.07747.
"""


@validate_params(
    {
        "subset": [StrOptions({"train", "test", "all"})],
        "data_home": [str, os.PathLike, None],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
        "download_if_missing": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_fashion_mnist(
    subset: str = "train",
    *,
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
    download_if_missing: bool = True,
) -> Bunch | tuple[Any, Any]:
    """Load the Fashion-MNIST dataset and download it if necessary.

    =================   ==========================
    Classes                                     10
    Samples             60,000 train + 10,000 test
    Image               28 x 28, gray, uint8
    Download            31 MB
    =================   ==========================

    Images of articles of an online shop, of the same size and number as the digits of MNIST [1]_.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Part of the dataset to load. ``"all"`` is the training images followed by the test images.

    data_home : str or path-like, default=None
        Folder to look in first. Files that are found nowhere are downloaded into its subfolder
        ``fashion-mnist``. By default the environment variable ``FASHIONKIT_DATA``, or the user's
        cache folder if it is not set.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        Whether to return pandas objects, with the columns of Kaggle's CSV files.

    download_if_missing : bool, default=True
        Whether to download missing files; if False, an OSError is raised instead.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n_samples, 28, 28), dtype uint8
            The images. With ``as_frame=True`` a DataFrame of shape
            (n_samples, 784), dtype uint8, columns ``pixel1`` to ``pixel784``.
        target : ndarray of shape (n_samples,), dtype int64
            The class ids, 0 to 9. With ``as_frame=True`` a Series named
            ``label``.
        frame : DataFrame of shape (n_samples, 785) or None
            ``label`` and the pixels, only with ``as_frame=True``.
        feature_names : list of str
            ``pixel1`` to ``pixel784``, row by row.
        target_names : list of str
            The name of each class id.
        DESCR : str
            A description of the dataset.

    (data, target) : tuple if ``return_X_y`` is True
        The data and target described above.

    Raises
    ------
    OSError
        If the files are missing and may not be downloaded, if every download failed, or if they
        cannot be written. The message lists the folders searched, the error at each address and
        what to do.
    ValueError
        If a parameter is invalid.

    Warns
    -----
    UserWarning
        If a file of the right name but the wrong SHA-256 was passed over.

    See Also
    --------
    load_fashion_mnist_csv : The same data from Kaggle's CSV files.
    make_garments : Similar images drawn without any download.

    Notes
    -----
    The four official ``.gz`` files, or their decompressed contents, are searched for in
    `data_home`, in the folder named by ``FASHIONKIT_DATA``, in the user's cache, in the subfolder
    ``fashion-mnist`` of each of these, and in Keras's cache. They are read in place, and always
    checked against their SHA-256.

    To hide the progress bar, start Python with the environment variable
    ``TQDM_DISABLE=1``.

    References
    ----------
    .. [1] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset
       for Benchmarking Machine Learning Algorithms", 2017, arXiv:1708.07747.

    Examples
    --------
    >>> from fashionkit.datasets import CLASS_NAMES, fetch_fashion_mnist
    >>> CLASS_NAMES[9]
    'Ankle boot'
    >>> fashion = fetch_fashion_mnist()  # doctest: +SKIP
    >>> fashion.data.shape, fashion.target_names[fashion.target[0]]  # doctest: +SKIP
    ((60000, 28, 28), 'Ankle boot')
    """
    parts = ["train", "test"] if subset == "all" else [subset]
    names = [name for part in parts for name in _FILES[part]]
    paths = locate(names, data_home, download_if_missing)
    loaded = [
        _read_part(images, labels) for images, labels in zip(paths[::2], paths[1::2], strict=True)
    ]
    if len(loaded) == 1:
        data, target = loaded[0]
    else:
        data, target = (np.concatenate(arrays) for arrays in zip(*loaded, strict=True))

    frame = None
    if as_frame:
        frame, data, target = _as_pandas(data, target)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=list(PIXEL_COLUMNS),
        target_names=list(CLASS_NAMES),
        DESCR=_DESCR,
    )


def _read_part(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    return _check_part(
        read_idx(images_path), read_idx(labels_path), f"{images_path}, {labels_path}"
    )


def _check_part(
    images: np.ndarray, labels: np.ndarray, source: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images (n, 28, 28) and int64 labels (n,), or raise ValueError."""
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"{source}: found {images.dtype} images of shape {images.shape}, expected "
            "uint8 of shape (n, 28, 28); delete the files and fetch them again."
        )
    if labels.dtype.kind not in "iu" or labels.shape != (len(images),):
        raise ValueError(
            f"{source}: found {labels.dtype} labels of shape {labels.shape} for "
            f"{len(images)} images, expected one whole number for each; delete the "
            "files and fetch them again."
        )
    strange = np.setdiff1d(labels, np.arange(len(CLASS_NAMES)))
    if strange.size:
        raise ValueError(
            f"{source}: found the labels {strange[:5].tolist()}, expected 0 to "
            f"{len(CLASS_NAMES) - 1}; delete the files and fetch them again."
        )
    return images, labels.astype(np.int64)


def _as_pandas(images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any, Any]:
    """Return the frame in Kaggle's columns, its pixels and its labels."""
    import pandas as pd

    pixels = pd.DataFrame(images.reshape(len(images), -1), columns=list(PIXEL_COLUMNS))
    target = pd.Series(labels, name=LABEL_COLUMN)
    return pd.concat([target, pixels], axis="columns"), pixels, target
