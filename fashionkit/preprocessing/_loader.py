"""ImageLoader: paths in, images out, so that photos can be the input of any pipeline."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import check_images, fit_images, stacked
from fashionkit.datasets import ImageFolder
from fashionkit.datasets._parameters import height_and_width
from fashionkit.preprocessing._photos import find_paths
from fashionkit.preprocessing._rows import pixel_names, wants_table


class ImageLoader(DocLinkMixin, TransformerMixin, BaseEstimator):
    """Read photos from files: the first step of a pipeline whose input are paths.

    Splitters and searches then pass on paths, and whoever predicts needs no other code to
    read photos. It learns nothing, and can be used without ``fit``.

    Parameters
    ----------
    image_size : int or tuple of int, default=224
        Height and width of the images, or one number for both.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        What happens to a photo of other proportions than `image_size`. ``"crop"`` cuts off
        what is too much, the same on both sides; ``"pad"`` adds a white margin;
        ``"stretch"`` changes the proportions.

    lazy : bool, default=False
        Whether to return an :class:`ImageFolder`, whose photos are read a chunk at a time by
        the next step, instead of an array. Every estimator of this package takes it; most
        others do not. See Notes.

    n_jobs : int, default=None
        Number of threads that read; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Attributes
    ----------
    image_shape_ : tuple of int
        Height, width and channels of the images.

    pixel_range_ : tuple of float
        Pixel values that are black and white.

    n_features_in_ : int
        Number of pixels times channels of each image. Only if ``X`` was an array.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame of pixels with string names.

    See Also
    --------
    ImageFolder : Photos in files in place of an array.
    load_images : Photos without labels in one array; says how files are read.
    ProductPhotoPreprocessor : Photos cropped around the product.

    Notes
    -----
    Photos of `image_size` 224 take 150 kB each: 20,000 of them 3 GB. With ``lazy=True`` memory
    stays bounded, but a training reads each file in each epoch. It is the better choice for
    predicting many photos, and for training on more than memory holds.

    Images that are no files are validated and returned unchanged, in whatever size they are, so
    that a saved pipeline takes arrays as well as paths. A file that is missing or damaged is an
    error: a transformer must return a row for each it was given. To leave such files out,
    pass ``ImageFolder.from_paths(paths, y, on_error="skip")``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from fashionkit import ImageLoader, make_model
    >>> files = tempfile.TemporaryDirectory()
    >>> paths = [Path(files.name) / f"{gray}.png" for gray in range(0, 240, 12)]
    >>> for path in paths:
    ...     Image.new("L", (12, 8), int(path.stem)).save(path)
    >>> labels = ["dark"] * 10 + ["light"] * 10
    >>> ImageLoader(8).transform(paths).shape
    (20, 8, 8, 3)
    >>> model = make_pipeline(ImageLoader(), make_model("pixels-tree", random_state=0))
    >>> search = GridSearchCV(model, {"imageloader__image_size": [4, 8]}, cv=2)
    >>> search.fit(paths, labels).predict(paths[::15])
    array(['dark', 'light'], dtype='<U5')
    >>> files.cleanup()
    """

    _parameter_constraints: dict = {
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple],
        "aspect": [StrOptions({"crop", "pad", "stretch"})],
        "lazy": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        image_size: int | tuple[int, int] = 224,
        *,
        aspect: str = "crop",
        lazy: bool = False,
        n_jobs: int | None = None,
    ):
        self.image_size = image_size
        self.aspect = aspect
        self.lazy = lazy
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> ImageLoader:
        """Check parameters and what ``X`` is; files are not read.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1) of str or path-like, \
                ImageFolder, or images
            Paths of photos: a list, array, Series or a DataFrame with one column. Or images in
            any form that estimators of this package take.

        y : ignored
            There by convention.

        Returns
        -------
        self : ImageLoader
            The same transformer.
        """
        size = height_and_width(self.image_size)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if find_paths(X) is None:
            fit_images(self, X)
        else:
            self.image_shape_ = (*size, 3)  # type: ignore[misc]
            self.pixel_range_ = (0.0, 255.0)
        return self

    def transform(self, X: Any) -> np.ndarray | ImageFolder:
        """Read photos.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1) of str or path-like, \
                ImageFolder, or images
            Paths of photos, or images. Of an ImageFolder only the files count: they are read in
            the size and proportions that this transformer was given.

        Returns
        -------
        images : ndarray of shape (n_samples, height, width, 3), dtype uint8, or ImageFolder
            The photos in RGB, upright; or the images that were passed. Flat rows where
            ``set_output`` asks for DataFrames.

        Raises
        ------
        ValueError
            If a file cannot be read as an image; it is named.
        """
        self._validate_params()
        paths = find_paths(X)
        if paths is None:
            return self._checked(X)
        folder = ImageFolder.from_paths(
            paths,
            X.target if isinstance(X, ImageFolder) else None,
            image_size=self.image_size,
            aspect=self.aspect,
            n_jobs=X.n_jobs if isinstance(X, ImageFolder) and not self.n_jobs else self.n_jobs,
        )
        if wants_table(self):
            return np.asarray(folder).reshape(len(folder), -1)
        return folder if self.lazy else np.asarray(folder)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the pixels, for DataFrames.

        Parameters
        ----------
        input_features : ignored
            There by convention.

        Returns
        -------
        names : ndarray of str
            "pixel1", "pixel2" and so on, by rows, then columns, then channels.
        """
        shape = getattr(self, "image_shape_", None) or (*height_and_width(self.image_size), 3)  # type: ignore[misc]
        return pixel_names(math.prod(shape))

    def _checked(self, X: Any) -> np.ndarray:
        """Return images unchanged, if they are valid."""
        X = stacked(X)
        is_table = len(getattr(X, "shape", (0, 0))) <= 2
        if is_table and hasattr(self, "n_features_in_"):
            images = check_images(self, X)
        else:
            images = fit_images(clone(self), X)
        if is_table or wants_table(self):
            return images.unscaled(slice(None)).reshape(len(images), -1)
        return np.asarray(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.requires_fit = False
        return tags
