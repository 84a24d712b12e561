"""dominant_colors: which colours a product has, and what they are called."""

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

# Longest side in pixels that files are reduced to, and of the copy whose colours are grouped.
READ_SIDE = 256
_SIDE = 96

# As many pixels tell the colours as well as all.
_MOST_PIXELS = 1500

# A colour with less than this share is a seam or a shadow.
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
    """Name the colours that take up most of the product on photos.

    Parameters
    ----------
    X : array-like of str or path-like, ImageFolder, list of images, or images
        Photos, as :class:`ProductPhotoPreprocessor` takes them.

    n_colors : int, default=3
        Number of colours of each photo at most, from 1 to 20.

    n_jobs : int, default=None
        Number of threads that work on photos; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Returns
    -------
    colors : DataFrame
        A row for each photo, with the columns ``color_1``, ``hex_1``, ``share_1``, ``color_2``
        and so on: a name, the colour itself such as "#1f2a44", and its share of the product, the
        largest first. Where there are fewer colours, None, None and NaN.

    Raises
    ------
    ValueError
        If a parameter is invalid, there is no photo, or a file cannot be read as an image; it is
        named.

    See Also
    --------
    find_foreground : What counts as the product; all of the photo where none stands out.
    ColorHistogram : Colours as features for a classifier.

    Notes
    -----
    The pixels of the foreground are grouped by k-means in CIELAB. Groups of less than 3 % are left
    out, and groups of one name are one colour, the mean of both.

    A colour of a chroma below 8 is black, gray or white: black up to a lightness of 28, white from
    82 on, as cloth on photos is neither 0 nor 100. Any other has the name of the nearest by
    CIEDE2000 [1]_ of the colours of a survey of 222,500 sessions [2]_, reduced to its last word, of
    "dusty blue" to "blue", and of those of [3]_. Words beside the basic terms of [4]_ are those of
    the fashion trade, such as "navy" and "burgundy"; see ``list_color_names``. Colours are those of
    the photo, under whatever light it was taken.

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
    fashionkit.dominant_colors : Finds and names the dominant colours of images.

    Examples
    --------
    >>> from fashionkit.decision import list_color_names
    >>> list_color_names()[:4]
    ['beige', 'black', 'blue', 'brown']
    """
    return list(NAMES)


def describe_colors(photo: Photo, n_colors: int) -> list[Any]:
    """Return the cells of a photo's row: name, code and share of each colour."""
    small = reduced(photo.rgb, _SIDE)
    mask, _ = split(small)
    # Not the edges, where colours mix with the background.
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
