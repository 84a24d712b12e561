"""dominant_colors: which colours a product has, and what they are called."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.preprocessing import ProductPhotoPreprocessor
from fashionkit.preprocessing._foreground import reduced, split
from fashionkit.preprocessing._kinds import group
from fashionkit.preprocessing._photos import Photo, Photos

# Longest side in pixels that files are reduced to, and of the copy whose colours are grouped.
READ_SIDE = 256
_SIDE = 96

# Of the colours named in the survey, those count that end in one of these words.
_WORDS = {
    "red": "red",
    "crimson": "red",
    "scarlet": "red",
    "burgundy": "burgundy",
    "maroon": "burgundy",
    "pink": "pink",
    "rose": "pink",
    "magenta": "pink",
    "coral": "coral",
    "salmon": "coral",
    "peach": "coral",
    "orange": "orange",
    "rust": "orange",
    "brown": "brown",
    "chocolate": "brown",
    "beige": "beige",
    "tan": "beige",
    "sand": "beige",
    "taupe": "beige",
    "cream": "beige",
    "yellow": "yellow",
    "mustard": "mustard",
    "gold": "mustard",
    "ochre": "mustard",
    "olive": "olive",
    "khaki": "khaki",
    "green": "green",
    "sage": "green",
    "mint": "mint",
    "turquoise": "turquoise",
    "aqua": "turquoise",
    "teal": "teal",
    "blue": "blue",
    "navy": "navy",
    "purple": "purple",
    "violet": "purple",
    "plum": "purple",
    "mauve": "purple",
    "lavender": "lavender",
    "lilac": "lavender",
}
# Names of two hues, such as "green blue", are of neither.
_HUES = ("red", "pink", "orang", "yellow", "green", "blu", "purpl", "viol", "brown", "teal", "tan")
# Of some, the fashion trade has another word.
_FIRST = {
    "navy blue": "navy",
    "dark navy blue": "navy",
    "midnight blue": "navy",
    **{f"{shade} {name}": "teal" for shade in ("dark", "deep") for name in ("aqua", "turquoise")},
    **{f"{shade} brown": "beige" for shade in ("light", "very light", "pale", "very pale")},
    **{f"{shade}olive green": "olive" for shade in ("", "dark ", "light ", "brown ")},
    "army green": "olive",
    "khaki green": "khaki",
}

# Colours of less chroma are white, gray or black by their lightness alone.
_LEAST_CHROMA = 8.0
_LEAST_WHITE = 82.0
_MOST_BLACK = 28.0

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
        largest first. Where there are fewer colours, "", "" and 0.

    Raises
    ------
    ValueError
        If a parameter is invalid, or a file cannot be read as an image; it is named.

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
    CIEDE2000 [1]_ of the colours of a survey of 222,500 sessions [2]_, reduced to its last word: of
    "dusty blue", "blue". Words beside the basic terms of [3]_ are those of the fashion trade,
    such as "navy" and "burgundy"; see ``list_color_names``. Colours are those of the photo, under
    whatever light it was taken.

    References
    ----------
    .. [1] G. Sharma, W. Wu and E. N. Dalal, "The CIEDE2000 Color-Difference Formula", Color
       Research & Application 30(1), 2005.

    .. [2] R. Munroe, "Color Survey Results", 2010, https://blog.xkcd.com/2010/05/03/; the colours
       are those of :data:`matplotlib.colors.XKCD_COLORS`.

    .. [3] B. Berlin and P. Kay, "Basic Color Terms: Their Universality and Evolution", 1969.

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
    """Return the names that :func:`dominant_colors` gives.

    Returns
    -------
    names : list of str
        Sorted.

    Examples
    --------
    >>> from fashionkit.decision import list_color_names
    >>> list_color_names()[:4]
    ['beige', 'black', 'blue', 'brown']
    """
    return sorted({*_WORDS.values(), "black", "gray", "white"})


def describe_colors(photo: Photo, n_colors: int) -> list[Any]:
    """Return the cells of a photo's row: name, code and share of each colour."""
    small = reduced(photo.rgb, _SIDE)
    mask, _ = split(small)
    # Not the edges, where colours mix with the background.
    inner = ndimage.binary_erosion(mask)
    region = inner if inner.any() else mask if mask.any() else np.ones_like(mask)
    lab = rgb2lab(small)[region].astype(np.float32)
    lab = lab[:: -(-len(lab) // _MOST_PIXELS)]
    groups = group(lab, n_colors)
    shares = np.bincount(groups, minlength=n_colors) / len(groups)
    shares = np.where(shares >= min(_LEAST_SHARE, shares.max()), shares, 0.0)
    shares /= shares.sum()
    means = np.array([lab[groups == each].mean(axis=0) for each in np.flatnonzero(shares)])
    merged: dict[str, tuple[float, np.ndarray]] = {}
    for name, share, mean in zip(_names(means), shares[shares > 0], means, strict=True):
        before, sum_before = merged.get(name, (0.0, np.zeros(3)))
        merged[name] = before + share, sum_before + share * mean
    largest = sorted(merged.items(), key=lambda item: (-item[1][0], item[0]))
    cells: list[Any] = []
    for name, (share, weighted) in largest:
        cells += [name, _hex(weighted / share), float(share)]
    return cells + ["", "", 0.0] * (n_colors - len(largest))


def _names(lab: np.ndarray) -> list[str]:
    names, anchors = _survey()
    nearest = deltaE_ciede2000(lab[:, np.newaxis], anchors[np.newaxis]).argmin(axis=1)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return [
        _neutral(lightness) if gray < _LEAST_CHROMA else names[row]
        for row, gray, lightness in zip(nearest, chroma, lab[:, 0], strict=True)
    ]


def _neutral(lightness: float) -> str:
    if lightness <= _MOST_BLACK:
        return "black"
    return "white" if lightness >= _LEAST_WHITE else "gray"


@lru_cache(maxsize=1)
def _survey() -> tuple[list[str], np.ndarray]:
    """Return names and CIELAB of the colours of the survey that end in one of our words."""
    from matplotlib.colors import XKCD_COLORS, to_rgb

    found = []
    for full, code in XKCD_COLORS.items():
        name = full.removeprefix("xkcd:")
        *before, last = name.replace("/", " ").split()
        is_mixed = any(word.startswith(_HUES) for word in before)
        short = _FIRST.get(name) or (None if is_mixed else _WORDS.get(last))
        if short is not None:
            found.append((short, to_rgb(code)))
    names, rgb = zip(*found, strict=True)
    return list(names), rgb2lab(np.array(rgb)).astype(np.float32)


def _hex(lab: np.ndarray) -> str:
    red, green, blue = np.rint(255 * np.clip(lab2rgb(lab), 0, 1)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
