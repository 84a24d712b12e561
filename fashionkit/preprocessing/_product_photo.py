"""ProductPhotoPreprocessor: transformer from photos of products to images for a model."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import fit_images
from fashionkit.preprocessing._foreground import split
from fashionkit.preprocessing._framing import (
    Box,
    box_of,
    is_negated,
    silhouette,
    square_photo,
    to_gray,
)
from fashionkit.preprocessing._photos import Photo, Photos, are_sizes_free, find_paths
from fashionkit.preprocessing._quality import measure, problems
from fashionkit.preprocessing._rows import pixel_names, wants_table


class _Target(NamedTuple):
    """Form of the output: image size, margin and number of channels."""

    image_size: int
    margin: float
    channels: int


_TARGETS = {"photo": _Target(224, 0.1, 3), "fashion-mnist": _Target(28, 0.0, 1)}

# Longest side to which files are reduced, as a multiple of the image size, which is enough for a
# product that covers a quarter of it; and its minimum in pixels, to find the product and to check
# the quality.
_READ_TIMES = 4
_MIN_READ = 512


class ProductPhotoPreprocessor(DocLinkMixin, TransformerMixin, BaseEstimator):
    """Crop photos around the product, or cut the product out as in Fashion-MNIST.

    With ``target="photo"``, photos are turned upright and cropped to a square around the product.
    With ``target="fashion-mnist"``, the product is cut out in gray, light on black and centred like
    the images of Fashion-MNIST [1]_, so that models trained on these can be applied to photos. The
    transformer is stateless and can be used without ``fit``.

    Read more in the :ref:`User Guide <product_photos>`.

    Parameters
    ----------
    target : {"photo", "fashion-mnist"}, default="photo"
        Form of the images:

        - "photo": RGB squares with the background.
        - "fashion-mnist": gray silhouettes without the background.

    image_size : int, default=None
        Height and width of the images in pixels. None uses 224 for photos and 28 for silhouettes.

    margin : float, default=None
        Margin at each end of the longest side of the product, as a fraction below 1 of this side.
        None uses 0.1 for photos and 0 for silhouettes.

    polarity : {"auto", "negate", "keep"}, default="auto"
        Whether to negate silhouettes, as was done for Fashion-MNIST. ``"auto"`` negates all except
        very light products, with a median luma of at least 210 out of 255, which would become
        black. Photos are never negated.

    n_jobs : int, default=None
        Number of threads that process photos; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels times channels of each image. Only if ``X`` was an array.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame of pixels with string names.

    image_shape_ : tuple of int
        Height, width and channels of the images seen in ``fit``. Only if ``X`` was an array.

    pixel_range_ : tuple of float
        Pixel values that become 0 and 1. Only if ``X`` was an array.

    See Also
    --------
    find_foreground : Segments the product on one photo; documents the algorithm.
    ImageLoader : Reads photos without cropping them around a product.

    Notes
    -----
    If no product stands out, photos are cropped to the central square, and silhouettes show the
    whole photo. A square that is larger than the photo is filled with the colour of the photo's
    border, the median of each channel.

    Silhouettes are computed as in section 2 of [1]_: trimmed, resized so that the longest side has
    28 pixels, sharpened by a Gaussian operator of radius and standard deviation 1, extended to a
    square, negated, and converted to gray. Two steps differ. In [1]_, studio photos were trimmed
    by the colour of their corners; here, the background is removed. In [1]_, pixels were subsampled
    when resizing; here, they are averaged.

    Photos in files are first reduced to a longest side of four times ``image_size``, but at least
    512 pixels. The ``image_size`` of an ImageFolder is ignored; its files are read.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
       Benchmarking Machine Learning Algorithms", 2017, arXiv:1708.07747.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit import ProductPhotoPreprocessor
    >>> photo = np.full((120, 90, 3), 230, np.uint8)
    >>> photo[30:90, 25:65] = [30, 60, 150]
    >>> wide = photo.swapaxes(0, 1)
    >>> ProductPhotoPreprocessor(image_size=64).fit_transform([photo, wide]).shape
    (2, 64, 64, 3)
    >>> silhouettes = ProductPhotoPreprocessor("fashion-mnist")
    >>> X = silhouettes.fit_transform([photo, wide])
    >>> X.shape, [int((image > 0).any(axis=0).sum()) for image in X]  # columns of the garments
    ((2, 28, 28), [19, 28])
    >>> silhouettes.describe([photo, photo // 4])[["foreground", "polarity", "quality"]].round(2)
       foreground polarity   quality
    0        0.22  negated
    1        0.22  negated  too dark
    """

    _parameter_constraints: dict = {
        "target": [StrOptions(set(_TARGETS))],
        "image_size": [Interval(Integral, 1, None, closed="left"), None],
        "margin": [Interval(Real, 0, 1, closed="left"), None],
        "polarity": [StrOptions({"auto", "negate", "keep"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        target: str = "photo",
        *,
        image_size: int | None = None,
        margin: float | None = None,
        polarity: str = "auto",
        n_jobs: int | None = None,
    ):
        self.target = target
        self.image_size = image_size
        self.margin = margin
        self.polarity = polarity
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> ProductPhotoPreprocessor:
        """Validate the parameters and ``X``. Files are not read.

        Parameters
        ----------
        X : array-like of str or path-like, ImageFolder, list of images, or images
            Photos, as in ``transform``.

        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : ProductPhotoPreprocessor
            The transformer itself.

        Raises
        ------
        TypeError
            If ``X`` is a single path, or mixes paths and other values.

        ValueError
            If a parameter is invalid, ``X`` has several columns of paths, or images are invalid.
        """
        for name in ("n_features_in_", "feature_names_in_", "image_shape_", "pixel_range_"):
            self.__dict__.pop(name, None)
        if find_paths(X) is None and not are_sizes_free(X):
            fit_images(self, X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Crop photos around the product, or cut the product out.

        Parameters
        ----------
        X : array-like of str or path-like, ImageFolder, list of images, or images
            Photos, as paths in a list, array, Series or DataFrame with one column; as NumPy or
            Pillow images of any sizes in a list, Series or object array; or as images of one size
            in any form that estimators of this package take.

        Returns
        -------
        images : ndarray of shape (n_samples, image_size, image_size, 3) or \
                (n_samples, image_size, image_size), dtype uint8
            Photos in RGB, or silhouettes. Flat rows if ``X`` has flat rows, or if ``set_output``
            requests a DataFrame.

        Raises
        ------
        TypeError
            If ``X`` is a single path, or mixes paths and other values.

        ValueError
            If a parameter or an image is invalid, or a file cannot be read as an image. The message
            names the file, or the position of the image.
        """
        photos = self._photos(X)
        size, _, channels = target = self._target()
        shape = (size, size, channels) if channels > 1 else (size, size)
        images = np.empty((len(photos), *shape), np.uint8)
        rows = iter(photos.each(lambda photo: self._image(photo, target), self.n_jobs))
        for row, image in enumerate(rows):
            images[row] = image
        if photos.are_rows or wants_table(self):
            return images.reshape(len(images), -1)
        return images

    def describe(self, X: Any) -> pd.DataFrame:
        """Describe the product and the quality of photos.

        Parameters
        ----------
        X : array-like of str or path-like, ImageFolder, list of images, or images
            Photos, as in ``transform``.

        Returns
        -------
        description : DataFrame
            One row for each photo, with the columns

            - ``path``: absolute path; "" for images;
            - ``height``, ``width``: size of the upright photo in pixels;
            - ``top``, ``left``, ``bottom``, ``right``: bounding box of the product in pixels,
              ``bottom`` and ``right`` exclusive; the whole photo if no product was found;
            - ``foreground``: fraction of the photo that is foreground, 0 if no product was found;
            - ``overlap``: overlap of the colours of foreground and background, from 0 to 1;
            - ``polarity``: "negated" or "kept";
            - ``quality``: problems of the photo, separated by commas; "" if there are none;
            - ``brightest``, ``darkest``: 95th and 5th percentile of luma, from 0 to 255;
            - ``clipped``: fraction of the product's pixels that are white;
            - ``sharpness``: mean squared Laplacian divided by the mean squared gradient;
            - ``proportion``: ratio of the longer to the shorter side of the photo;
            - ``enlargement``: number of the image's pixels per pixel of the photo, along a side.

        Raises
        ------
        TypeError
            If ``X`` is a single path, or mixes paths and other values.

        ValueError
            If a parameter or an image is invalid, or a file cannot be read as an image.

        Notes
        -----
        The problems in ``quality`` are:

        - "too dark": ``brightest`` is less than 100;
        - "too light": ``clipped`` is more than 0.05, or ``darkest`` more than 190;
        - "blurred": ``sharpness`` is less than 1. The variance of the Laplacian [1]_ depends
          on the contrast and the texture of the cloth. Its ratio to the squared gradient, another
          focus measure (both in [2]_), depends less on them. It is computed on a copy of at most
          256 pixels, because a blur that is invisible there does no harm;
        - "tiny": ``enlargement`` is more than 2;
        - "odd proportions": ``proportion`` is more than 3;
        - "no foreground": no product was found.

        The limits were chosen on photos of clothes taken by their sellers, and on degraded copies
        of these; see ``benchmarks/photo_quality.py`` and the :ref:`User Guide <product_photos>`.

        References
        ----------
        .. [1] J. L. Pech-Pacheco, G. Cristobal, J. Chamorro-Martinez and J. Fernandez-Valdivia,
           "Diatom Autofocusing in Brightfield Microscopy: a Comparative Study", International
           Conference on Pattern Recognition, 2000.

        .. [2] S. Pertuz, D. Puig and M. A. Garcia, "Analysis of Focus Measure Operators for
           Shape-from-Focus", Pattern Recognition 46(5), 2013.
        """
        photos = self._photos(X)
        target = self._target()
        rows = photos.each(lambda photo: self._describe(photo, target), self.n_jobs)
        description = pd.DataFrame(rows)
        paths = [""] * len(rows) if photos.paths is None else photos.paths.tolist()
        description.insert(0, "path", paths)
        return description

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Get the names of the output columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only validated: if given, the names seen in ``fit``.

        Returns
        -------
        names : ndarray of shape (n_features_out,), dtype object
            Names "pixel1", "pixel2" and so on, in the order of rows, columns and channels.
        """
        if hasattr(self, "n_features_in_"):
            _check_feature_names_in(self, input_features)
        size, _, channels = self._target()
        return pixel_names(size * size * channels)

    def _photos(self, X: Any) -> Photos:
        self._validate_params()
        return Photos(self, X, self._read_side)

    @property
    def _read_side(self) -> int:
        """Longest side in pixels to which files are reduced."""
        return max(_MIN_READ, _READ_TIMES * self._target().image_size)

    def _target(self) -> _Target:
        """Return the form of the output, from the parameters."""
        target = _TARGETS[self.target]
        if self.image_size is not None:
            target = target._replace(image_size=int(self.image_size))
        return target if self.margin is None else target._replace(margin=float(self.margin))

    def _image(self, photo: Photo, target: _Target) -> np.ndarray:
        mask, _ = split(photo.rgb)
        if target.channels == 3:
            return square_photo(photo.rgb, mask, target.image_size, target.margin)
        gray = to_gray(photo.rgb)
        negate = is_negated(gray, mask, self.polarity)
        return silhouette(gray, mask, target.image_size, target.margin, negate)

    def _describe(self, photo: Photo, target: _Target) -> dict[str, Any]:
        mask, overlap = split(photo.rgb)
        box = box_of(mask)
        scale = max(photo.size) / max(mask.shape)
        inner = target.image_size / (1 + 2 * target.margin)
        numbers = measure(photo.rgb, mask, box, scale, inner)
        negate = target.channels == 1 and is_negated(to_gray(photo.rgb), mask, self.polarity)
        whole = Box(*(min(round(scale * end), most) for end, most in _ends(box, photo.size)))
        return {
            "height": photo.size[0],
            "width": photo.size[1],
            **whole._asdict(),
            "foreground": float(mask.mean()),
            "overlap": overlap,
            "polarity": "negated" if negate else "kept",
            "quality": problems(numbers, bool(mask.any())),
            **numbers,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = False
        return tags


def _ends(box: Box, size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return each end of a box with its maximum."""
    height, width = size
    return [(box.top, height), (box.left, width), (box.bottom, height), (box.right, width)]
