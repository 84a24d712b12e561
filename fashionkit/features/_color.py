"""ColorHistogram: histograms of colours, of all images of a chunk at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from skimage.color import rgb2hsv, rgb2lab
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit._images import Images
from fashionkit.features._base import ImageTransformer

# Maximum number of pixels, and of bins, in a chunk: a few arrays of a megabyte each.
_VALUES_PER_CHUNK = 2**17


class _Channel(NamedTuple):
    name: str
    low: float
    high: float


_GRAY = (_Channel("gray", 0, 1),)
_SPACES = {
    "rgb": (_Channel("red", 0, 1), _Channel("green", 0, 1), _Channel("blue", 0, 1)),
    "hsv": (_Channel("hue", 0, 1), _Channel("saturation", 0, 1), _Channel("value", 0, 1)),
    # All colours of sRGB, and a little more. With these limits no bin begins at 0, where
    # rounding would spread grays over two bins.
    "lab": (_Channel("L", 0, 100), _Channel("a", -86.3, 98.6), _Channel("b", -107.9, 94.5)),
}
_CONVERSIONS = {"rgb": lambda rgb: rgb, "hsv": rgb2hsv, "lab": rgb2lab}


def _bin_numbers(
    images: np.ndarray, channels: tuple[_Channel, ...], bins: tuple[int, ...]
) -> np.ndarray:
    """Return the number of the bin of each value, in an array like ``images``."""
    _, low, high = zip(*channels, strict=True)
    # In float64: limits between bins have to be those of np.histogram.
    position = np.subtract(images, low, dtype=np.float64)
    position *= np.divide(bins, np.subtract(high, low))
    # The upper end of the range belongs to the last bin.
    return np.minimum(position.astype(np.intp), np.subtract(bins, 1))


def _histograms(numbers: np.ndarray, bins: tuple[int, ...], joint: bool) -> np.ndarray:
    """Return the share of pixels in each bin: of each channel, or of all channels jointly."""
    n_samples, height, width, _ = numbers.shape
    if joint:
        n_bins = math.prod(bins)
        numbers = np.ravel_multi_index(np.moveaxis(numbers, 3, 0), bins)
    else:
        n_bins = sum(bins)
        numbers += np.cumsum((0, *bins[:-1]))
    numbers = numbers.reshape(n_samples, -1)
    numbers += n_bins * np.arange(n_samples)[:, np.newaxis]
    counts = np.bincount(numbers.ravel(), minlength=n_samples * n_bins)
    return counts.reshape(n_samples, n_bins) / (height * width)


class ColorHistogram(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    """Colour histogram of each image.

    It describes the frequency of each colour, but not its position [1]_. There is one histogram for
    each channel, concatenated, or a joint histogram of all three channels. Each sums to 1.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    bins : int or triple of int, default=8
        Number of bins of each channel, from 2 to 256; an int for the same number in all channels.

    space : {"rgb", "hsv", "lab"}, default="rgb"
        Colour space of the histograms:

        - "rgb": red, green and blue, as the images are;
        - "hsv": hue, saturation and value [2]_, which separate a colour from its brightness;
        - "lab": lightness L, a from green to red, and b from blue to yellow of CIELAB [3]_, where
          equal distances are perceived as roughly equal.

    joint : bool, default=False
        Whether to compute one histogram with a bin for every combination of the three channels'
        bins. It distinguishes a red and blue image from a purple and black one, whose channels have
        the same histograms. It has ``bins ** 3`` features instead of ``3 * bins``.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    Attributes
    ----------
    bins_ : tuple of int
        Number of bins of each channel.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Pixel values that become 0 and 1.

    See Also
    --------
    HOGFeatures : Histograms of edge directions, which describe the shape.
    skimage.exposure.histogram : The histogram of one image.

    Notes
    -----
    Gray images have a single histogram of their intensities; ``space`` and ``joint`` are ignored.

    Pixels are scaled by the range seen in ``fit`` and clipped to it. The bins are equally wide and
    the same for all images. In HSV and RGB they span 0 to 1. In CIELAB they span 0 to 100 for L,
    -86.3 to 98.6 for a, and -107.9 to 94.5 for b, which is the range of sRGB colours. A value on
    the edge of two bins belongs to the upper one.

    Hue is an angle: reds are in its first and last bins. Grays, whose hue is undefined, are in its
    first bin.

    References
    ----------
    .. [1] M. J. Swain and D. H. Ballard, "Color Indexing", International Journal of
       Computer Vision 7(1), 1991.
    .. [2] Alvy Ray Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978.
    .. [3] "Colorimetry - Part 4: CIE 1976 L*a*b* Colour Space", ISO/CIE 11664-4, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit.features import ColorHistogram
    >>> red_and_white = np.array([[[[255, 0, 0], [255, 255, 255]]]], dtype=np.uint8)
    >>> histogram = ColorHistogram(bins=2).fit(red_and_white)
    >>> histogram.get_feature_names_out()
    array(['red_0', 'red_1', 'green_0', 'green_1', 'blue_0', 'blue_1'], dtype=object)
    >>> histogram.transform(red_and_white)
    array([[0. , 1. , 0.5, 0.5, 0.5, 0.5]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "bins": [Interval(Integral, 2, 256, closed="both"), tuple, list],
        "space": [StrOptions({"rgb", "hsv", "lab"})],
        "joint": ["boolean"],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        bins: int | tuple[int, int, int] = 8,
        *,
        space: str = "rgb",
        joint: bool = False,
        image_shape: tuple[int, ...] | None = None,
    ):
        self.bins = bins
        self.space = space
        self.joint = joint
        self.image_shape = image_shape

    def _fit(self, images: Images) -> None:
        self.bins_ = _bins_per_channel(self.bins, images.channels)
        self._n_features_out = math.prod(self.bins_) if self.joint else sum(self.bins_)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the bins.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names seen in ``fit``, if given; not used otherwise.

        Returns
        -------
        names : ndarray of str
            Channel and index of the bin, such as "hue_0"; for joint histograms those of all three
            channels, such as "hue_0_saturation_7_value_4".
        """
        super().get_feature_names_out(input_features)  # checks
        names: Iterable[Any] = (
            [f"{channel.name}_{number}" for number in range(n_bins)]
            for channel, n_bins in zip(self._channels(), self.bins_, strict=True)
        )
        if self.joint:
            names = map("_".join, itertools.product(*names))
        else:
            names = itertools.chain.from_iterable(names)
        return np.array(list(names), dtype=object)

    def _channels(self) -> tuple[_Channel, ...]:
        return _GRAY if self.image_shape_[2] == 1 else _SPACES[self.space]

    def _images_per_chunk(self) -> int:
        return max(1, _VALUES_PER_CHUNK // max(self.n_features_in_, self._n_features_out))

    def _transform_chunk(self, pixels: np.ndarray) -> np.ndarray:
        # Images may leave the range seen in fit.
        np.clip(pixels, 0, 1, out=pixels)
        if pixels.shape[3] == 3:
            pixels = _CONVERSIONS[self.space](pixels)
        numbers = _bin_numbers(pixels, self._channels(), self.bins_)
        return _histograms(numbers, self.bins_, self.joint)


def _bins_per_channel(bins: Any, channels: int) -> tuple[int, ...]:
    """Return an int or a triple of them as one number for each channel."""
    if isinstance(bins, Integral):
        return (int(bins),) * channels
    if len(bins) != 3 or not all(isinstance(n, Integral) and 2 <= n <= 256 for n in bins):  # type: ignore[operator]
        raise ValueError(
            f"bins={bins!r} is not a triple of integers from 2 to 256; pass one for each "
            "channel, or one int for all."
        )
    if channels == 1:
        raise ValueError(
            f"bins={bins!r} has a number for each of three channels, but the images are gray; "
            "pass one int, or image_shape=(height, width, 3) if rows of X are flat RGB images."
        )
    return tuple(map(int, bins))
