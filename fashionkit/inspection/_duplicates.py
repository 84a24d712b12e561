"""Duplicates: images that are the same as others, to the pixel or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit._images import Images, fit_images
from fashionkit.datasets import ImageFolder
from fashionkit.inspection._fingerprints import Fingerprints, fingerprint, similar_hashes

# Number of identical images that are paired with all the others: ten thousand blank images would
# otherwise be fifty million pairs.
_MOST_PARTNERS = 16

# Rows of the images in the first and in the second set that are identical to each other.
Group = tuple[list[int], list[int]]
Pair = tuple[int, int]


@validate_params(
    {
        "X": "no_validation",
        "reference": "no_validation",
        "max_distance": [Interval(Real, 0, 2, closed="both")],
        "image_shape": [tuple, None],
    },
    prefer_skip_nested_validation=True,
)
def find_duplicates(
    X: Any,
    reference: Any = None,
    *,
    max_distance: float = 0.1,
    image_shape: tuple[int, ...] | None = None,
) -> list[Bunch]:
    """Find images that are the same, to the pixel or nearly.

    Test images that also stand in the training set make a model look better than it is. Copies
    of photos that were resized, compressed or brightened are found too, and most that were cropped
    by 2 %; those that were turned or mirrored are not.

    Read more in the :ref:`User Guide <duplicates>`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels)
        Images in any form, such as test images. An :class:`~fashionkit.ImageFolder` is read once,
        a chunk at a time.

    reference : array-like, default=None
        Images to look for those of ``X`` in, such as training images, of the same size and
        channels; None compares the images of ``X`` with each other.

    max_distance : float, default=0.1
        Maximum distance of images that are nearly the same, from 0 to 2. The default was chosen
        on Fashion-MNIST, by eye, and on altered photos; larger values, up to about 0.3, find more
        altered copies, and more images that only look alike.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers it: a
        square if there is one, gray before RGB; else one row of pixels.

    Returns
    -------
    pairs : list of :class:`~sklearn.utils.Bunch`
        One for each pair of images, sorted by ``indices``, with the attributes

        - ``indices``: tuple of int, positions in ``X`` and in ``reference``; without
          ``reference``, two positions in ``X``, the smaller first;
        - ``kind``: ``"identical"`` or ``"near"``;
        - ``distance``: float, 0 for identical images;
        - ``paths``: tuple of str, only where all images are those of an ``ImageFolder``.

    Raises
    ------
    ValueError
        If ``X`` or ``reference`` are not valid images, or are of different shapes.

    TypeError
        If they are paths instead of images.

    See Also
    --------
    worst_mistakes : Misclassified images, among them wrong labels.
    ImageFolder : Images in files.

    Notes
    -----
    Images are *identical* if all their pixels are, scaled to between 0 and 1 in float32: the
    forms of the image contract count as the same, also integers from 0 to 255 and the same
    divided by 255, but gray images and the same as RGB have different shapes. Arrays of one dtype
    are compared on one scale.

    Images are *near* if the distance of their thumbnails is at most ``max_distance``. These have
    at most 32 x 32 pixels, and all pixels together have mean 0 and standard deviation 1, so that
    brightness and contrast do not count. The distance is the root mean square difference of
    pixels, the square root of 2 - 2r where r is their correlation: 0.1 is a correlation of 0.995.
    Images of one colour are only found where they are identical.

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
    images = _images(X, image_shape, "X")
    sets = [images]
    if reference is not None:
        sets = _on_one_scale(images, _images(reference, image_shape, "reference"))
    prints = fingerprint(sets)
    groups = _identical(prints.digests, len(images), is_within=reference is None)
    found = {pair: ("identical", 0.0) for group in groups for pair in _pairs(group, group)}
    for pair, distance in _near(prints, groups, len(images), max_distance):
        found[pair] = "near", distance
    if reference is None:
        found = {pair: what for pair, what in found.items() if pair[0] < pair[1]}
    folders = X, X if reference is None else reference
    return [_bunch(pair, *found[pair], folders) for pair in sorted(found)]


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


def _identical(digests: list[bytes], n_first: int, *, is_within: bool) -> list[Group]:
    """Group images with the same pixels, each group in the order of its first image."""
    groups: dict[bytes, Group] = {}
    for row, digest in enumerate(digests):
        first, second = groups.setdefault(digest, ([], []))
        if row < n_first:
            first.append(row)
        else:
            second.append(row - n_first)
    return [(first, first if is_within else second) for first, second in groups.values()]


def _near(
    prints: Fingerprints, groups: list[Group], n_first: int, max_distance: float
) -> Iterator[tuple[Pair, float]]:
    """Yield pairs of images that are nearly the same, and their distances."""
    # One image of each group stands for all.
    rows = np.array([first[0] if first else n_first + second[0] for first, second in groups])
    candidates = np.flatnonzero(prints.has_contrast[rows])
    pairs = candidates[similar_hashes(prints.hashes[rows[candidates]])]
    in_first, in_second = (np.array([bool(group[side]) for group in groups]) for side in (0, 1))
    one, other = pairs.T
    is_asked = (in_first[one] & in_second[other]) | (in_first[other] & in_second[one])
    pairs = pairs[is_asked]
    distances = prints.distances(rows[pairs])
    is_near = distances <= max_distance
    for (one, other), distance in zip(pairs[is_near], distances[is_near].tolist(), strict=True):
        for first, second in ((groups[one], groups[other]), (groups[other], groups[one])):
            for pair in _pairs(first, second):
                yield pair, distance


def _pairs(first: Group, second: Group) -> Iterator[Pair]:
    """Yield pairs of an image of a group in the first set and one of a group in the second."""
    left, right = first[0], second[1]
    yield from product(left[:_MOST_PARTNERS], right)
    yield from product(left[_MOST_PARTNERS:], right[:_MOST_PARTNERS])


def _bunch(pair: Pair, kind: str, distance: float, folders: tuple[Any, Any]) -> Bunch:
    found = Bunch(indices=pair, kind=kind, distance=distance)
    if all(isinstance(folder, ImageFolder) for folder in folders):
        found.paths = tuple(
            str(folder.filenames[row]) for folder, row in zip(folders, pair, strict=True)
        )
    return found
