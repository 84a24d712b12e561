"""Load photos into an array: of a folder with one sub-folder per class, or any others."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from fashionkit.datasets._docs import substitute
from fashionkit.datasets._folder import ImageFolder
from fashionkit.datasets._listing import list_files, list_paths
from fashionkit.datasets._parameters import PARAMETERS, PATH, PATHS, READING
from fashionkit.datasets._pixels import Size, size_text


@substitute(**PARAMETERS)
@validate_params(
    {**PATH, **READING, "return_X_y": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_image_folder(
    path: str | os.PathLike[str],
    *,
    image_size: int | Size | None = None,
    aspect: str = "crop",
    on_error: str = "raise",
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load the images of a folder with one sub-folder per class.

    Parameters
    ----------
    path : str or path-like
        Folder to read. The names of its sub-folders are the labels; the images are in them, at any
        depth. Files beside the sub-folders are ignored.

    {image_size}

    {aspect}

    on_error : {"raise", "skip"}, default="raise"
        Whether a file that cannot be read as an image, or a sub-folder that cannot be listed,
        raises an error or is left out with a warning.

    {n_jobs}

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n_samples, height, width, 3), dtype uint8
            The images in RGB.
        target : ndarray of shape (n_samples,), dtype str
            The label of each image.
        target_names : list of str
            The labels, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The absolute path of each image. They are sorted by class, then by name.
        skipped : list of tuple of str
            Path and reason of each file or sub-folder that was left out.
        DESCR : str
            Number of images of each class.

    (data, target) : tuple if ``return_X_y`` is True
        The data and target described above.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    NotADirectoryError
        If the path is that of a file.
    PermissionError
        If a sub-folder may not be listed and ``on_error="raise"``.
    ValueError
        If a parameter is invalid, if the folder has no sub-folders with files, if
        images differ in size and `image_size` is None, if a file cannot be read as an image
        and ``on_error="raise"``, or if no file can.

    Warns
    -----
    UserWarning
        If files were skipped, if a sub-folder has no files and so is no class, or if
        Pillow warned of files that it has read.

    See Also
    --------
    ImageFolder : The same images, read a few at a time.
    load_images : Photos that are not sorted into sub-folders by class.
    fetch_fashion_mnist : Fashion-MNIST, downloaded if necessary.

    Notes
    -----
    Images are rotated by their EXIF orientation, and transparent pixels become white. Gray values
    of more than 8 bits range from 0 to 65535; in TIFF files, from 0 to the maximum of their bit
    depth, which is at most 16. Floating-point values range from 0 to 1 if none is greater,
    otherwise from 0 to 255; images with other values cannot be read. TIFF files that Pillow cannot
    read correctly are read by tifffile, which needs the extra ``fashionkit[tiff]`` for some
    compressions, such as LZW. Of an animation or a file with several pages, the first is read.
    Colours are interpreted as sRGB; colour profiles are not applied.

    Hidden files and folders, and system files such as ``Thumbs.db``, are ignored. Links are
    followed, except to a folder that contains them. Each folder counts once, under its own path,
    even if several links lead to it.

    An image of more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels is not decoded, and counts as
    unreadable. With `image_size`, each thread needs about 4 bytes per pixel of most files: 0.4 GB
    for 89 megapixels, Pillow's limit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from fashionkit.datasets import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label, colour in [("dress", "red"), ("hat", "blue")]:
    ...         (Path(folder) / label).mkdir()
    ...         Image.new("RGB", (30, 40), colour).save(Path(folder) / label / "1.png")
    ...     photos = load_image_folder(folder, image_size=(20, 16))
    >>> photos.data.shape, photos.data.dtype
    ((2, 20, 16, 3), dtype('uint8'))
    >>> photos.target.tolist()
    ['dress', 'hat']
    >>> photos.data[:, 0, 0]
    array([[255,   0,   0],
           [  0,   0, 255]], dtype=uint8)
    """
    # It only lists the files here, so that each is read once.
    folder = ImageFolder.__new__(ImageFolder)
    folder._begin(*list_files(path, on_error), image_size, aspect, n_jobs)
    data = folder._load(on_error)
    if return_X_y:
        return data, folder.target
    return Bunch(
        data=data,
        target=folder.target,
        target_names=folder.target_names,
        filenames=folder.filenames,
        skipped=folder.skipped,
        DESCR=_describe(folder, data.shape),
    )


@substitute(**PARAMETERS)
@validate_params({**PATHS, **READING}, prefer_skip_nested_validation=True)
def load_images(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    image_size: int | Size | None = None,
    aspect: str = "crop",
    on_error: str = "raise",
    n_jobs: int | None = None,
) -> np.ndarray:
    """Load photos without labels: a single one, a folder, or a list of paths.

    Parameters
    ----------
    {paths}

    {image_size}

    {aspect}

    on_error : {"raise", "skip"}, default="raise"
        Whether a file that cannot be read as an image, or a sub-folder that cannot be listed,
        raises an error or is left out with a warning.

    {n_jobs}

    Returns
    -------
    images : ndarray of shape (n_samples, height, width, 3), dtype uint8
        The images in RGB, in the order of the list, or sorted by name.

    Raises
    ------
    FileNotFoundError
        If there is no such folder or photo.
    ValueError
        If a parameter is invalid, if there are no files, if images differ in size and
        `image_size` is None, if a file cannot be read as an image and ``on_error="raise"``,
        or if no file can.

    Warns
    -----
    UserWarning
        If files were skipped.

    See Also
    --------
    ImageFolder.from_paths : The same images, read a few at a time, with labels or without.
    load_image_folder : Photos with labels, and how files are read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from fashionkit import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "dress.png"
    ...     Image.new("RGB", (30, 40), "red").save(path)
    ...     images = load_images(path, image_size=28)
    >>> images.shape, images.dtype
    ((1, 28, 28, 3), dtype('uint8'))
    """
    folder = ImageFolder.__new__(ImageFolder)
    folder._begin(*list_paths(paths, on_error), image_size, aspect, n_jobs)
    return folder._load(on_error)


def _describe(folder: ImageFolder, shape: tuple[int, ...]) -> str:
    counts = zip(*np.unique(folder.target, return_counts=True), strict=True)
    classes = ", ".join(f"{count} {label}" for label, count in counts)
    size = size_text(shape[1:])
    return f"{shape[0]} RGB images of {size} pixels from {folder.path!r}: {classes}."
