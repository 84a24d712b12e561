"""Augmentation: random distortions of images for the training of networks."""

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
    """Random distortions of images, for the training of neural classifiers.

    Pass an ``Augmentation`` to a neural classifier, which applies it in training only::

        CNNClassifier(augmentation=Augmentation(horizontal_flip="alternating"))

    By default, all distortions are off. They are applied in the order flip, rotation, zoom,
    translation, contrast, erasing, mixup or CutMix.

    As a transformer, it shows its effect: ``fit_transform`` distorts images. ``transform`` returns
    them unchanged, so that images to predict are not distorted.

    Read more in the :ref:`User Guide <augmentation>`.

    Parameters
    ----------
    rotation : float, default=0.0
        Maximum angle in degrees, from 0 to 180, of a rotation around the centre in either
        direction. Angles are drawn uniformly.

    horizontal_flip : {"random", "alternating"} or None, default=None
        Whether to flip images from left to right. ``"random"`` flips each image with probability
        1/2. ``"alternating"`` flips a random half of the images in the first epoch, and then each
        image in every other epoch [1]_.

    zoom : float, default=0.0
        Maximum zoom, as a fraction below 1. Factors are drawn uniformly from ``1 - zoom`` to
        ``1 + zoom``.

    translation : float, default=0.0
        Maximum shift, as a fraction below 1 of the height and the width. Shifts are drawn uniformly
        from the whole numbers of pixels up to this fraction, rounded.

    contrast : float, default=0.0
        Maximum change of contrast, as a fraction from 0 to 1. Factors are drawn uniformly from
        ``1 - contrast`` to ``1 + contrast``. They multiply the differences of the pixels from the
        mean of the image; the result is clipped to the pixel range.

    erasing : float, default=0.0
        Probability of erasing a random rectangle of an image [2]_.

    erasing_area : tuple of float, default=(0.02, 0.4)
        Minimum and maximum area of the rectangle, as fractions of the image. Areas are drawn
        uniformly.

    erasing_aspect : float, default=0.3
        Minimum ratio of the rectangle's height to its width; the maximum is its inverse. Logarithms
        of ratios are drawn uniformly.

    erasing_value : "random" or float, default="random"
        Value of erased pixels: "random" for uniform noise in each pixel and channel, or a number
        from 0 (black) to 1 (white).

    mixup : float, default=0.0
        Parameter alpha of the Beta distribution of mixup [3]_. The weight of each image is drawn
        from it. Each image and its targets are averaged with the next ones of the batch. 0 is off.

    cutmix : float, default=0.0
        Parameter alpha of the Beta distribution of CutMix [4]_, which replaces a rectangle of each
        image by that of the next one of the batch. If mixup is on too, one of both is chosen for
        each batch with probability 1/2. 0 is off.

    fill_mode : {"constant", "nearest", "reflect"}, default="constant"
        Values of pixels from beyond the border: black, the nearest pixel, or the mirrored image.

    random_state : int, RandomState instance or None, default=None
        Seed of ``fit_transform``; pass an int for reproducible results. Training uses the
        ``random_state`` of the classifier instead. An int here also determines which half of the
        images ``"alternating"`` flips first.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.

    Attributes
    ----------
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
    CNNClassifier : Applies it in training, as its parameter ``augmentation``.
    TransferClassifier : Applies it in training, as its parameter ``augmentation``.

    Notes
    -----
    For training, use the parameter ``augmentation`` of the neural classifiers. In a ``Pipeline``,
    this transformer would distort the training images once instead of anew in each epoch.

    ``fit_transform`` applies the distortions of the first epoch. It cannot mix labels, so do not
    train on its output with ``mixup`` or ``cutmix``. It processes chunks of a few hundred images,
    and mixes images within a chunk.

    Flip, rotation, zoom and translation are combined to one affine map for each image, so that
    pixels are interpolated (bilinearly) only once. Without rotation and zoom, pixels are copied
    exactly.

    The distortions differ from the publications as follows:

    - The random half of the images for alternating flips contains each image with probability 1/2,
      by a hash of its position in the data set.
    - The rectangles to erase are drawn among those that fit into the image, instead of being drawn
      again until one fits. If the image is too narrow for the aspect ratio, they keep their area.
      Ratios are uniform on a logarithmic scale; uniform ratios would favour tall rectangles.
    - The weights of mixup and CutMix are drawn for each image instead of for each batch.

    The targets of CutMix are weighted by the number of pixels, even if a rectangle extends beyond
    the border.

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
        """Whether ``mixup`` or ``cutmix`` is on, so that targets are mixed too."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def is_identity(self) -> bool:
        """Whether all distortions are off."""
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

        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : Augmentation
            Fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or the images are invalid.
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

        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        distorted : ndarray of the shape of ``X``
            Distorted images, in the same pixel range. Integers keep the dtype of ``X``; other
            pixels become float32.

        Raises
        ------
        ValueError
            If a parameter or the images are invalid.
        """
        return self._apply(X, self.fit(X)._distort_first)

    def transform(self, X: Any) -> np.ndarray:
        """Return images unchanged, so that images to predict are not distorted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        same : ndarray of the shape of ``X``
            Copy of the images. Integers keep the dtype of ``X``; other pixels become float32.

        Raises
        ------
        ValueError
            If the images are invalid or of another shape.
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
        """Return the output of a function that fills an array, in the form of ``X``."""
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
        """Fill an array with the distorted images of the first epoch."""
        seed = check_random_state(self.random_state).randint(2**31, size=4)
        self._distort(images, out, 0, np.random.default_rng(seed))

    def _distort(
        self, images: Images, out: np.ndarray, epoch: int, random: np.random.Generator
    ) -> None:
        """Fill an array with the distorted images of an epoch, in chunks."""
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
    """Scale images from [0, 1] to their pixel range."""
    low, high = pixel_range
    if np.issubdtype(dtype, np.floating):
        return images * np.float32(high - low) + np.float32(low)
    # In float64, as float32 would round large integers.
    pixels = np.rint(images.astype(np.float64) * (high - low) + low)
    limits = np.iinfo(dtype)
    return np.clip(pixels, limits.min, limits.max).astype(dtype)
