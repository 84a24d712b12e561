"""ImageLoader: transformer from paths to images."""

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
    """Read photos from files, as the first step of a pipeline on paths.

    With it, splitters and searches work on paths, and a saved pipeline can predict from files. The
    transformer is stateless and can be used without ``fit``.

    Read more in the :ref:`User Guide <photos>`.

    Parameters
    ----------
    image_size : int or tuple of int, default=224
        Height and width of the images in pixels, or one number for both.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        Handling of photos whose aspect ratio differs from that of ``image_size``. ``"crop"`` cuts
        off both ends of the longer side equally; ``"pad"`` adds a white margin; ``"stretch"``
        changes the aspect ratio.

    lazy : bool, default=False
        Whether to return an :class:`ImageFolder` instead of an array. The next step then reads
        photos in chunks. Estimators of this package support it, most others do not. See Notes.

    n_jobs : int, default=None
        Number of threads that read files; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Attributes
    ----------
    image_shape_ : tuple of int
        Height, width and channels of the images.

    pixel_range_ : tuple of float
        Pixel values that become 0 and 1.

    n_features_in_ : int
        Number of pixels times channels of each image. Only if ``X`` was an array.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame of pixels with string names.

    See Also
    --------
    ImageFolder : Represents photos in files, in place of an array.
    load_images : Reads photos into an array, and documents how files are read.
    ProductPhotoPreprocessor : Crops photos around the product.

    Notes
    -----
    Images of ``image_size=224`` take 150 kB each, so 20,000 of them take 3 GB. With ``lazy=True``,
    memory is bounded, but training reads each file in each epoch. Use it to predict many photos, or
    to train on more images than fit in memory.

    Arrays of images are validated and returned unchanged, in their original size, so that a saved
    pipeline takes both paths and arrays. A missing or damaged file raises an error, because a
    transformer must return a row for each sample. To skip such files, pass
    ``ImageFolder.from_paths(paths, y, on_error="skip")``.

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
        """Validate the parameters and ``X``. Files are not read.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1) of str or path-like, \
                ImageFolder, or images
            Paths of photos, as a list, array, Series or DataFrame with one column. Or images in any
            form that estimators of this package take.

        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : ImageLoader
            The transformer itself.

        Raises
        ------
        TypeError
            If ``X`` is a single path, or mixes paths and other values.

        ValueError
            If a parameter is invalid, ``X`` has several columns of paths, or images are invalid.
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
            Paths of photos, or images, as in ``fit``. The files of an ImageFolder are read with the
            ``image_size`` and ``aspect`` of this transformer.

        Returns
        -------
        images : ndarray of shape (n_samples, height, width, 3), dtype uint8, or ImageFolder
            Upright photos in RGB, or the unchanged images. Flat rows if ``set_output`` requests a
            DataFrame.

        Raises
        ------
        TypeError
            If ``X`` is a single path, or mixes paths and other values.

        ValueError
            If a parameter or an image is invalid, or a file cannot be read as an image. The message
            names the file.
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
        """Get the names of the output columns.

        Parameters
        ----------
        input_features : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        names : ndarray of shape (n_features_out,), dtype object
            Names "pixel1", "pixel2" and so on, in the order of rows, columns and channels.
        """
        shape = getattr(self, "image_shape_", None) or (*height_and_width(self.image_size), 3)  # type: ignore[misc]
        return pixel_names(math.prod(shape))

    def _checked(self, X: Any) -> np.ndarray:
        """Validate images and return them unchanged."""
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
