"""Dominant colours of products on photos, with their names."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.decision._color_names import NAMES, name_colors
from fashionkit.preprocessing import ProductPhotoPreprocessor
from fashionkit.preprocessing._foreground import reduced, split
from fashionkit.preprocessing._kinds import group
from fashionkit.preprocessing._photos import Photo, Photos

# Longest side in pixels of a photo as read from a file, and of the copy whose pixels are clustered.
READ_SIDE = 256
_SIDE = 96

# Maximum number of pixels to cluster.
_MOST_PIXELS = 1500

# Minimum share of a colour; smaller clusters are mostly seams and shadows.
_LEAST_SHARE = 0.03


@validate_params(
    {
        "X": "no_validation",
        "n_colors": [Interval(Integral, 1, 20, closed="both")],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def dominant_colors(X: Any, n_colors: int = 3, *, n_jobs: int | None = None) -> pd.DataFrame:
    """Find and name the dominant colours of the product on each photo.

    Parameters
    ----------
    X : array-like of str or path-like, ImageFolder, list of images, or array of shape \
            (n_samples, height, width, channels)
        Photos in any form that :class:`ProductPhotoPreprocessor` accepts.

    n_colors : int, default=3
        Maximum number of colours of each photo, from 1 to 20.

    n_jobs : int, default=None
        Number of threads to work on photos; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Returns
    -------
    colors : DataFrame of shape (n_samples, 3 * n_colors)
        One row for each photo, with the columns ``color_1``, ``hex_1``, ``share_1``, ``color_2``
        and so on: name, sRGB code such as "#1f2a44", and fraction of the area of the product, in
        descending order of the fraction; None, None and NaN if there are fewer colours.

    Raises
    ------
    ValueError
        If a parameter is invalid, there are no photos, or a file cannot be read as an image.

    See Also
    --------
    find_foreground : Mask of the product; the whole photo is used if no product is found.
    ColorHistogram : Colours as features for a classifier.
    fashionkit.decision.list_color_names : All names of colours.

    Notes
    -----
    The pixels of the foreground are clustered by k-means in CIELAB (illuminant D65). Clusters of
    less than 3 % of the pixels are ignored. Clusters of the same name are merged into their
    weighted mean.

    Colours of a chroma below 8 are called black up to a lightness of 28, white from 82 on, and gray
    in between: fabric on photos is rarely pure black or white. All others take the
    name of the nearest reference colour by CIEDE2000 [1]_. Reference colours are those of a survey
    of 222,500 sessions [2]_, reduced to the last word of their names, such as "dusty blue" to
    "blue", and those of CSS [3]_. The names are the basic colour terms of [4]_, and terms of the
    fashion trade such as "navy" and "burgundy". Colours are not corrected for the light in which a
    photo was taken.

    References
    ----------
    .. [1] G. Sharma, W. Wu and E. N. Dalal, "The CIEDE2000 Color-Difference Formula", Color
       Research & Application 30(1), 2005.

    .. [2] R. Munroe, "Color Survey Results", 2010, https://blog.xkcd.com/2010/05/03/; the colours
       are those of :data:`matplotlib.colors.XKCD_COLORS`.

    .. [3] Tab Atkins Jr., Chris Lilley and Lea Verou, "CSS Color Module Level 4", W3C, section 6.1.

    .. [4] Brent Berlin and Paul Kay, "Basic Color Terms: Their Universality and Evolution", 1969.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit.decision import dominant_colors
    >>> photo = np.full((100, 80, 3), 235, np.uint8)
    >>> photo[20:80, 20:60] = [200, 20, 30]
    >>> photo[40:55, 20:60] = [20, 30, 70]
    >>> dominant_colors([photo], n_colors=2).round(2)
      color_1    hex_1  share_1 color_2    hex_2  share_2
    0     red  #c8141e     0.73    navy  #141e46     0.27
    """
    photos = Photos(ProductPhotoPreprocessor(), X, READ_SIDE)
    rows = photos.each(lambda photo: describe_colors(photo, n_colors), n_jobs)
    names = (f"{part}_{n}" for n in range(1, n_colors + 1) for part in ("color", "hex", "share"))
    return pd.DataFrame(rows, columns=list(names))


def list_color_names() -> list[str]:
    """List the names of colours that :func:`~fashionkit.dominant_colors` returns.

    Returns
    -------
    names : list of str
        Names, sorted.

    See Also
    --------
    fashionkit.dominant_colors : Dominant colours of products on photos.

    Examples
    --------
    >>> from fashionkit.decision import list_color_names
    >>> list_color_names()[:4]
    ['beige', 'black', 'blue', 'brown']
    """
    return list(NAMES)


def describe_colors(photo: Photo, n_colors: int) -> list[Any]:
    """Return the name, the code and the share of each dominant colour of a photo.

    Parameters
    ----------
    photo : Photo
        Photo.

    n_colors : int
        Maximum number of colours.

    Returns
    -------
    cells : list of length 3 * n_colors
        Name, code and share of each colour; None, None and NaN if there are fewer.
    """
    small = reduced(photo.rgb, _SIDE)
    mask, _ = split(small)
    # Edges are excluded, because colours mix with the background there.
    inner = ndimage.binary_erosion(mask)
    region = inner if inner.any() else mask if mask.any() else np.ones_like(mask)
    pixels = small[region]
    lab = rgb2lab(pixels[:: -(-len(pixels) // _MOST_PIXELS)]).astype(np.float32)
    groups = group(lab, n_colors)
    shares = np.bincount(groups, minlength=n_colors) / len(groups)
    shares = np.where(shares >= min(_LEAST_SHARE, shares.max()), shares, 0.0)
    shares /= shares.sum()
    means = np.array([lab[groups == each].mean(axis=0) for each in np.flatnonzero(shares)])
    merged: dict[str, tuple[float, np.ndarray]] = {}
    for name, share, mean in zip(name_colors(means), shares[shares > 0], means, strict=True):
        before, sum_before = merged.get(name, (0.0, np.zeros(3)))
        merged[name] = before + share, sum_before + share * mean
    largest = sorted(merged.items(), key=lambda item: (-item[1][0], item[0]))
    cells: list[Any] = []
    for name, (share, weighted) in largest:
        cells += [name, _hex(weighted / share), float(share)]
    return cells + [None, None, math.nan] * (n_colors - len(largest))


def _hex(lab: np.ndarray) -> str:
    red, green, blue = np.rint(255 * np.clip(lab2rgb(lab), 0, 1)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
