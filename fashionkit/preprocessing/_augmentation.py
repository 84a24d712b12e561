"""Augmentation: other images of the same garments, for a network to learn from."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import Images, check_images, fit_images, stacked
from fashionkit._tensorflow import tensorflow
from fashionkit.preprocessing._augment import augment


class Augmentation(DocLinkMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Random distortions that leave an image what it is.

    A network that sees each image a little different in each epoch learns what matters in
    it. Give an ``Augmentation`` to a neural classifier, which uses it in training alone::

        CNNClassifier(augmentation=Augmentation(horizontal_flip="alternating"))

    As a transformer it shows what it does: ``fit_transform`` distorts. ``transform`` leaves images
    as they are, so that what is predicted is not distorted. Everything is off unless it is asked
    for. Images
    are flipped, turned, zoomed, shifted, changed in contrast, erased and mixed, in this order.

    Parameters
    ----------
    rotation : float, default=0.0
        Largest angle in degrees, up to 180, by which images are turned around their centre
        in either direction. All angles up to it are equally likely.

    horizontal_flip : {"random", "alternating"} or None, default=None
        Whether to mirror images, left to right. With ``"random"`` each image is flipped with
        probability 1/2. With ``"alternating"`` a random half of the images is flipped in the
        first epoch, and from then on each image is flipped in every other epoch [1]_.

    zoom : float, default=0.0
        By which share, less than 1, images are enlarged or reduced at most. All factors from
        ``1 - zoom`` to ``1 + zoom`` are equally likely.

    translation : float, default=0.0
        By which share of their height and width, less than 1, images are shifted at most.
        Shifts are whole numbers of pixels, so that nothing is blurred by them, all equally
        likely up to this share, rounded.

    contrast : float, default=0.0
        By which share, up to 1, contrast is raised or lowered at most. All factors from
        ``1 - contrast`` to ``1 + contrast`` are equally likely. What differs from the image's
        mean is multiplied by it, and cut off at black and white.

    erasing : float, default=0.0
        Probability for each image that a random rectangle of it is painted over [2]_.

    erasing_area : tuple of float, default=(0.02, 0.4)
        Smallest and largest share of the image that is erased, all equally likely.

    erasing_aspect : float, default=0.3
        Smallest ratio of the rectangle's height to its width; the largest is its inverse.
        Logarithms of ratios are equally likely.

    erasing_value : "random" or float, default="random"
        What to paint with: noise, uniform and new for each pixel and channel, or a value from
        0, black, to 1, white.

    mixup : float, default=0.0
        Parameter alpha of the Beta distribution, from which is drawn for each image which
        share of it is kept; the rest is the next image of the batch, and so are the targets
        [3]_. 0 is off.

    cutmix : float, default=0.0
        The same for CutMix, where a rectangle is cut from the next image of the batch [4]_.
        With both, each batch is mixed one way or the other, with probability 1/2. 0 is off.

    fill_mode : {"constant", "nearest", "reflect"}, default="constant"
        What lies beyond the border, where rotation, zoom or translation bring it in: black,
        the nearest pixel, or the mirrored image.

    random_state : int, RandomState instance or None, default=None
        Decides all random choices of ``fit_transform``; pass an int for the same ones at
        each call. In training the classifier's own ``random_state`` decides, except that an int
        here also says which half of the images is flipped first by ``"alternating"``.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers
        it: a square if there is one, gray before RGB; else one row of pixels.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Pixel values that are black and white.

    See Also
    --------
    CNNClassifier : Learns from distorted images by its parameter ``augmentation``.

    Notes
    -----
    In a ``Pipeline`` this transformer distorts the images to learn from once instead of anew in
    each epoch, and leaves those to be predicted alone. Use the parameter ``augmentation`` of the
    neural classifiers for training.

    ``fit_transform`` does what happens in the first epoch. There is nothing that it could do
    about labels, so do not train on what it has mixed. It works on a few hundred images at
    a time, and mixes images within these.

    Flips, rotations, zoom and translation are one affine map for each image, so that images
    are interpolated once, linearly between pixels. Flips and translations alone are exact.

    Where this differs from the publications:

    - A random half of the images, for alternating flips, is each image with probability 1/2,
      by a hash of its position in the data set.
    - The rectangles to erase are drawn among those that fit into the image, rather than
      drawn again until one does. In an image so narrow that none has the aspect ratio asked
      for, they keep their area. Ratios were uniform, and favoured high rectangles.
    - Each image has its own proportion of mixing, rather than all of a batch one.

    With CutMix, the targets have the proportions of the pixels, also where a rectangle reaches
    beyond the border.

    References
    ----------
    .. [1] K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024,
       arXiv:2404.00498.

    .. [2] Z. Zhong, L. Zheng, G. Kang, S. Li and Y. Yang, "Random Erasing Data
       Augmentation", AAAI Conference on Artificial Intelligence, 2020, algorithm 1.

    .. [3] H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, "mixup: Beyond Empirical Risk
       Minimization", International Conference on Learning Representations, 2018.

    .. [4] S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe and Y. Yoo, "CutMix: Regularization
       Strategy to Train Strong Classifiers with Localizable Features", International
       Conference on Computer Vision, 2019, section 3.

    Examples
    --------
    >>> from fashionkit import Augmentation, make_garments
    >>> X, y = make_garments(20, random_state=0)
    >>> augmentation = Augmentation(rotation=10, translation=0.1, random_state=0)
    >>> distorted = augmentation.fit_transform(X)
    >>> distorted.shape, distorted.dtype
    ((20, 28, 28), dtype('uint8'))
    """

    _parameter_constraints: dict = {
        "rotation": [Interval(Real, 0, 180, closed="both")],
        "horizontal_flip": [StrOptions({"random", "alternating"}), None],
        "zoom": [Interval(Real, 0, 1, closed="left")],
        "translation": [Interval(Real, 0, 1, closed="left")],
        "contrast": [Interval(Real, 0, 1, closed="both")],
        "erasing": [Interval(Real, 0, 1, closed="both")],
        "erasing_area": [tuple],
        "erasing_aspect": [Interval(Real, 0, 1, closed="right")],
        "erasing_value": [StrOptions({"random"}), Interval(Real, 0, 1, closed="both")],
        "mixup": [Interval(Real, 0, np.inf, closed="left")],
        "cutmix": [Interval(Real, 0, np.inf, closed="left")],
        "fill_mode": [StrOptions({"constant", "nearest", "reflect"})],
        "random_state": ["random_state"],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        *,
        rotation: float = 0.0,
        horizontal_flip: str | None = None,
        zoom: float = 0.0,
        translation: float = 0.0,
        contrast: float = 0.0,
        erasing: float = 0.0,
        erasing_area: tuple[float, float] = (0.02, 0.4),
        erasing_aspect: float = 0.3,
        erasing_value: float | str = "random",
        mixup: float = 0.0,
        cutmix: float = 0.0,
        fill_mode: str = "constant",
        random_state: int | np.random.RandomState | None = None,
        image_shape: tuple[int, ...] | None = None,
    ):
        self.rotation = rotation
        self.horizontal_flip = horizontal_flip
        self.zoom = zoom
        self.translation = translation
        self.contrast = contrast
        self.erasing = erasing
        self.erasing_area = erasing_area
        self.erasing_aspect = erasing_aspect
        self.erasing_value = erasing_value
        self.mixup = mixup
        self.cutmix = cutmix
        self.fill_mode = fill_mode
        self.random_state = random_state
        self.image_shape = image_shape

    @property
    def mixes_targets(self) -> bool:
        """Whether images are mixed, and their targets with them."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def is_identity(self) -> bool:
        """Whether everything is off."""
        return not (
            self.rotation
            or self.horizontal_flip
            or self.zoom
            or self.translation
            or self.contrast
            or self.erasing
            or self.mixes_targets
        )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Augmentation:
        """Learn the shape and the pixel range of the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : ignored
            There by convention.

        Returns
        -------
        self : Augmentation
            The fitted transformer.
        """
        fit_images(self, X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Distort images as in the first epoch of a training.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : ignored
            There by convention.

        Returns
        -------
        distorted : ndarray of the shape of ``X``
            Distorted images, in the same range of pixels: integers of the dtype of ``X``,
            other pixels as float32.
        """
        return self._apply(X, self.fit(X)._distort_first)

    def transform(self, X: Any) -> np.ndarray:
        """Return images as they are: what is predicted is not distorted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        same : ndarray of the shape of ``X``
            A copy: integers of the dtype of ``X``, other pixels as float32.
        """
        check_is_fitted(self)
        return self._apply(X, _copy)

    def _validate_params(self) -> None:
        super()._validate_params()
        area = self.erasing_area
        numbers = len(area) == 2 and all(isinstance(share, Real) for share in area)
        if not numbers or not 0 <= area[0] <= area[1] <= 1:
            raise InvalidParameterError(
                "The 'erasing_area' parameter of Augmentation must be a pair of floats with "
                f"0 <= smallest <= largest <= 1. Got {area!r} instead."
            )

    def _apply(self, X: Any, fill: Callable[[Images, np.ndarray], None]) -> np.ndarray:
        """Return images in the form of ``X``, of a function that fills an array with them."""
        X = stacked(X)
        images = check_images(self, X)
        dtype = images.pixels.dtype
        keeps_dtype = np.issubdtype(dtype, np.integer)
        out = np.empty(images.pixels.shape, dtype if keeps_dtype else np.float32)
        fill(images, out)
        n_dimensions = len(X.shape) if hasattr(X, "shape") else 2
        if n_dimensions == 2:
            return out.reshape(len(images), -1)
        return out[..., 0] if n_dimensions == 3 else out

    def _distort_first(self, images: Images, out: np.ndarray) -> None:
        """Fill an array with images as they are distorted in the first epoch."""
        seed = check_random_state(self.random_state).randint(2**31, size=4)
        self._distort(images, out, 0, np.random.default_rng(seed))

    def _distort(
        self, images: Images, out: np.ndarray, epoch: int, random: np.random.Generator
    ) -> None:
        """Fill an array with distorted images, chunk by chunk."""
        if self.is_identity:
            _copy(images, out)
            return
        start = 0
        for chunk in images.chunks():
            stop = start + len(chunk)
            rows = np.arange(start, stop)
            distorted, _ = augment(self, tensorflow().constant(chunk), None, rows, epoch, random)
            out[start:stop] = _unscale(np.asarray(distorted), images.pixel_range, out.dtype)
            start = stop

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.non_deterministic = True
        return tags


def _copy(images: Images, out: np.ndarray) -> None:
    out[:] = images.pixels


def _unscale(images: np.ndarray, pixel_range: tuple[float, float], dtype: np.dtype) -> np.ndarray:
    """Bring images from [0, 1] back to their pixel range."""
    low, high = pixel_range
    if np.issubdtype(dtype, np.floating):
        return images * np.float32(high - low) + np.float32(low)
    # In float64, which holds integers that float32 would round.
    pixels = np.rint(images.astype(np.float64) * (high - low) + low)
    limits = np.iinfo(dtype)
    return np.clip(pixels, limits.min, limits.max).astype(dtype)
