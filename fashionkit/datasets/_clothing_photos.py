"""Fetch the clothing photos: 3,781 colour photos of clothes in ten classes."""

from __future__ import annotations

import os
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._docs import substitute
from ._folder import ImageFolder
from ._parameters import PARAMETERS, READING, height_and_width
from ._photo_archive import PARTS, locate
from ._pixels import Size

_DESCR = """\
Clothing photos
---------------

Photos of clothes that many people took at home and sent in: the ten most frequent
classes of A. Grigorev's clothing data set, with a shortest side of 400 pixels.

Samples:   3,068 for training, 341 for validation, 372 for testing
Features:  RGB pixels, uint8, resized and cropped to image_size
Classes:   dress, hat, longsleeve, outwear, pants, shirt, shoes, shorts, skirt, t-shirt
Licence:   CC0 1.0
Source:    https://github.com/alexeygrigorev/clothing-dataset-small

Photos of the same piece are found in several parts, as its sender took more than one.
"""


@substitute(aspect=PARAMETERS["aspect"], n_jobs=PARAMETERS["n_jobs"])
@validate_params(
    {
        "subset": [StrOptions({*PARTS, "all"})],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple],
        "aspect": READING["aspect"],
        "n_jobs": READING["n_jobs"],
        "data_home": [str, os.PathLike, None],
        "return_X_y": ["boolean"],
        "download_if_missing": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_clothing_photos(
    subset: str = "train",
    *,
    image_size: int | Size = 224,
    aspect: str = "crop",
    n_jobs: int | None = None,
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Bunch | tuple[ImageFolder, np.ndarray]:
    """Load the clothing photos and download them if necessary.

    =================   ======================================
    Classes                                                 10
    Samples             3,068 train + 341 validation + 372 test
    Image               photo, RGB, uint8
    Download            106 MB
    =================   ======================================

    Photos that people took of their own clothes [1]_. They are read when they are accessed.

    Parameters
    ----------
    subset : {"train", "validation", "test", "all"}, default="train"
        Part of the dataset to load. ``"all"`` is all parts, in this order.

    image_size : int or tuple of int, default=224
        Height and width of the images, or one number for both.

    {aspect}

    {n_jobs}

    data_home : str or path-like, default=None
        Folder to look in first. Photos that are found nowhere are downloaded into its subfolder
        ``clothing-dataset-small``. By default the environment variable ``FASHIONKIT_DATA``, or the
        user's cache folder if it is not set.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    download_if_missing : bool, default=True
        Whether to download missing photos; if False, an OSError is raised instead.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ImageFolder of shape (n_samples, height, width, 3), dtype uint8
            The photos.
        target : ndarray of shape (n_samples,), dtype str
            The class of each photo, one of the names in ``target_names``.
        target_names : list of str
            The names of the classes, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The absolute path of each photo. They are sorted by part, class and name.
        DESCR : str
            A description of the dataset.

    (data, target) : tuple if ``return_X_y`` is True
        The data and target described above.

    Raises
    ------
    OSError
        If the photos are missing and may not be downloaded, if every download failed, or if they
        cannot be written. The message lists the folders searched, or the error at each address,
        and what to do.
    ValueError
        If a parameter is invalid.

    See Also
    --------
    fetch_fashion_mnist : 70,000 images of shop articles, small and gray.
    ImageFolder : Reads your own photos.
    make_garments : Images drawn without any download.

    Notes
    -----
    The folders ``train``, ``validation`` and ``test`` are searched for in `data_home`, in the
    folder named by ``FASHIONKIT_DATA`` and in the user's cache, and in the subfolders
    ``clothing-dataset-small`` and ``photos`` of each of these. Those that hold photos of the right
    names are read in place, so that resized copies may be used. What is downloaded is checked
    against the SHA-256 of its contents before it is put in its place.

    To hide the progress bar, start Python with the environment variable
    ``TQDM_DISABLE=1``.

    References
    ----------
    .. [1] A. Grigorev, "Clothing dataset (subset)", 2020,
       https://github.com/alexeygrigorev/clothing-dataset-small.

    Examples
    --------
    >>> from fashionkit import fetch_clothing_photos
    >>> photos = fetch_clothing_photos("validation", image_size=96)  # doctest: +SKIP
    >>> photos.data.shape, photos.target_names[0]  # doctest: +SKIP
    ((341, 96, 96, 3), 'dress')
    """
    size = height_and_width(image_size)  # before anything is downloaded
    parts = list(PARTS) if subset == "all" else [subset]
    paths = locate(parts, data_home, download_if_missing)
    data = ImageFolder.from_paths(
        paths,
        [path.parent.name for path in paths],
        image_size=size,
        aspect=aspect,
        n_jobs=n_jobs,
    )
    if return_X_y:
        return data, data.target
    return Bunch(
        data=data,
        target=data.target,
        target_names=data.target_names,
        filenames=data.filenames,
        DESCR=_DESCR,
    )
