"""Duplicates: images that are the same as others, to the pixel or nearly."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import Bunch, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import Images, fit_images, stacked
from fashionkit.datasets import ImageFolder
from fashionkit.datasets._listing import digest
from fashionkit.features._nearest import normalise
from fashionkit.inspection._fingerprints import fingerprint
from fashionkit.inspection._pairs import Pair, find_pairs

# Images that are embedded at a time.
_IMAGES_PER_CHUNK = 2048

# What photos are resized to whose paths are passed, where nothing else says it.
PHOTO_SIZE = 96


@validate_params(
    {
        "X": "no_validation",
        "reference": "no_validation",
        "max_distance": [Interval(Real, 0, 2, closed="both")],
        "embedding": [HasMethods("transform"), None],
        "max_product_distance": [Interval(Real, 0, 2, closed="both")],
        "image_shape": [tuple, None],
    },
    prefer_skip_nested_validation=True,
)
def find_duplicates(
    X: Any,
    reference: Any = None,
    *,
    max_distance: float = 0.1,
    embedding: Any = None,
    max_product_distance: float = 0.05,
    image_shape: tuple[int, ...] | None = None,
) -> list[Bunch]:
    """Find images that are the same: to the byte, to the pixel, nearly, or as products.

    Test images that also stand in the training set make a model look better than it is, and a
    catalogue has the same picture under several names. Copies of photos that were resized,
    compressed or brightened are found too, and most that were cropped by 2 %; those that were
    turned or mirrored are not, unless an embedding takes them for the same product.

    Read more in the :ref:`User Guide <duplicates>`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), or path or list of paths
        Images in any form, such as test images. An :class:`~fashionkit.ImageFolder` is read once,
        a chunk at a time. Photos whose paths are passed, or that of a folder, are read at the
        size of ``reference``, or at 96 x 96 pixels.

    reference : array-like, path or list of paths, default=None
        Images to look for those of ``X`` in, such as training images, of the same size and
        channels; None compares the images of ``X`` with each other.

    max_distance : float, default=0.1
        Maximum distance of images that are nearly the same, from 0 to 2. The default was chosen
        on Fashion-MNIST, by eye, and on altered photos; larger values, up to about 0.3, find more
        altered copies, and more images that only look alike.

    embedding : transformer, default=None
        What computes a vector of each image, by which images of the same product are found, such
        as a fitted :class:`~fashionkit.ImageSearch` or ``BackboneFeatures()``. One that is not
        fitted is cloned, and fitted to ``X``. Files are read twice. None looks for no products.

    max_product_distance : float, default=0.05
        Maximum cosine distance of images of the same product, from 0 to 2. It depends on the
        embedding: look at some pairs.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers it: a
        square if there is one, gray before RGB; else one row of pixels.

    Returns
    -------
    pairs : list of :class:`~sklearn.utils.Bunch`
        One for each pair of images, sorted by ``indices``, with the attributes

        - ``indices``: tuple of int, positions in ``X`` and in ``reference``; without
          ``reference``, two positions in ``X``, the smaller first;
        - ``kind``: ``"file"``, ``"identical"``, ``"near"`` or ``"product"``;
        - ``distance``: float, 0 for identical files and images, that of the thumbnails for near
          ones, and that of the embedding for products;
        - ``paths``: tuple of str, only where all images are those of an ``ImageFolder``.

    Raises
    ------
    ValueError
        If ``X`` or ``reference`` are not valid images, or are of different shapes.

    See Also
    --------
    fashionkit.inspection.DuplicateFinder : The same for images that are added little by little.
    worst_mistakes : Misclassified images, among them wrong labels.
    ImageFolder : Images in files.

    Notes
    -----
    Files are the same *file* if all their bytes are. Images are *identical* if all their pixels
    are, as they were read, scaled to between 0 and 1 in float32: the forms of the image contract
    count as the same, also integers from 0 to 255 and the same divided by 255, but gray images
    and the same as RGB have different shapes. Arrays of one dtype are compared on one scale.

    Images are *near* if the distance of their thumbnails is at most ``max_distance``. These have
    at most 32 x 32 pixels, and all pixels together have mean 0 and standard deviation 1, so that
    brightness and contrast do not count. The distance is the root mean square difference of
    pixels, the square root of 2 - 2r where r is their correlation: 0.1 is a correlation of 0.995.
    Images of one colour are only found where they are identical.

    Images show the same *product* if their vectors are near, and are none of the other kinds; each
    is compared with all, in blocks, and paired with its eight nearest at most.

    Near pairs are looked for among images whose perceptual hashes [1]_ differ in at most 6 of 64
    bits. All such pairs are compared, but where more than 256 images have two of the eight bytes
    of the hash in common: among these, only those whose hashes are neighbours in their order.
    Where more than 16 images are identical, each is paired with the first 16 only. So time and
    memory grow about in proportion to the number of images, also where all of them are alike.

    References
    ----------
    .. [1] C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
       Master's thesis, Upper Austria University of Applied Sciences, Hagenberg, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit import find_duplicates, make_garments
    >>> X, y = make_garments(50, random_state=0)
    >>> darker = (0.8 * X[7]).astype(np.uint8)
    >>> for pair in find_duplicates([X[3], darker], X):
    ...     print(pair.indices, pair.kind, round(pair.distance, 2))
    (0, 3) identical 0.0
    (1, 7) near 0.0
    """
    X, reference = _read_paths(X, reference), _read_paths(reference, X)
    images = _images(X, image_shape, "X")
    sets = [images]
    if reference is not None:
        sets = _on_one_scale(images, _images(reference, image_shape, "reference"))
    folders = [X] if reference is None else [X, reference]
    found = find_pairs(
        fingerprint(sets),
        max_distance,
        n_first=None if reference is None else len(images),
        file_hash=_file_hash(folders),
        vectors=None if embedding is None else embed(fitted_embedding(embedding, X), *folders),
        max_product_distance=max_product_distance,
    )
    both = X, X if reference is None else reference
    return [_bunch(pair, *found[pair], both) for pair in sorted(found)]


def _file_hash(folders: list[Any]) -> Callable[[int], bytes] | None:
    """Return a function from the rows of ImageFolders, one after the other, to hashes of files."""
    if not all(isinstance(folder, ImageFolder) for folder in folders):
        return None
    paths = [path for folder in folders for path in folder.filenames.tolist()]
    hash_file = lru_cache(maxsize=None)(hash_of)
    return lambda row: hash_file(paths[row])


def hash_of(path: str) -> bytes:
    """Return the hash of the bytes of a file; nothing if it cannot be read."""
    return bytes.fromhex(digest(path))


def fitted_embedding(embedding: Any, X: Any) -> Any:
    """Return an embedding that is fitted, if need be a clone fitted to the images."""
    try:
        check_is_fitted(embedding)
    except NotFittedError:
        return clone(embedding).fit(X)
    return embedding


def embed(embedding: Any, *sets: Any) -> np.ndarray:
    """Return the vectors of images, of length 1."""
    parts = []
    for X in map(stacked, sets):
        for rows in gen_batches(len(X), _IMAGES_PER_CHUNK):
            part = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            vectors = np.asarray(embedding.transform(part), dtype=np.float32)
            parts.append(vectors.reshape(len(vectors), -1))
    return normalise(np.concatenate(parts))


def is_paths(X: Any) -> bool:
    """Tell whether paths are passed in place of images."""
    first = X
    if isinstance(X, list | tuple) and X:
        first = X[0]
    elif getattr(X, "ndim", 0) == 1 and len(X):
        first = np.asarray(X[:1])[0]
    return isinstance(first, str | os.PathLike)


def _read_paths(X: Any, other: Any) -> Any:
    """Return photos for paths, of the size of the images that they are compared with."""
    if not is_paths(X):
        return X
    shape = getattr(other, "shape", ())
    return ImageFolder.from_paths(X, image_size=shape[1:3] if len(shape) == 4 else PHOTO_SIZE)


def _images(X: Any, image_shape: tuple[int, ...] | None, name: str) -> Images:
    """Validate images, with errors that say of which argument they are."""
    try:
        return fit_images(BaseEstimator(), X, image_shape=image_shape)
    except (TypeError, ValueError) as error:
        if name == "X":
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Invalid reference (it is called X here): {error}") from error


def _on_one_scale(images: Images, reference: Images) -> list[Images]:
    """Scale two sets such that what is the same becomes the same."""
    shape, other = images.pixels.shape[1:], reference.pixels.shape[1:]
    if shape != other:
        raise ValueError(
            f"X has images of shape {shape}, but reference has images of shape {other} (height, "
            "width, channels); resize or convert one of them to the shape of the other."
        )
    if images.pixels.dtype != reference.pixels.dtype:
        return [images, reference]
    low, high = zip(images.pixel_range, reference.pixel_range, strict=True)
    return [replace(each, pixel_range=(min(low), max(high))) for each in (images, reference)]


def _bunch(pair: Pair, kind: str, distance: float, folders: tuple[Any, Any]) -> Bunch:
    found = Bunch(indices=pair, kind=kind, distance=distance)
    if all(isinstance(folder, ImageFolder) for folder in folders):
        found.paths = tuple(
            str(folder.filenames[row]) for folder, row in zip(folders, pair, strict=True)
        )
    return found
