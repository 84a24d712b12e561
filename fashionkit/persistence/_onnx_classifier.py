"""ONNXClassifier: predictions of an ONNX file, without TensorFlow."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassifierMixin

from fashionkit._backbones.sessions import open_session
from fashionkit._doc_link import DocLinkMixin
from fashionkit._files import ModelFileError
from fashionkit._images import Images, check_images
from fashionkit.persistence._onnx_names import IMAGES, LABEL, METADATA, PROBABILITIES

_OUTPUTS = [LABEL, PROBABILITIES]


class ONNXClassifier(DocLinkMixin, ClassifierMixin, BaseEstimator):
    """Classifier that predicts with an ONNX file.

    As for a :class:`~sklearn.frozen.FrozenEstimator`, ``fit`` does nothing. TensorFlow is never
    imported.

    Read more in the :ref:`User Guide <onnx>`.

    Parameters
    ----------
    path : str or path-like
        Path of a file written by :func:`to_onnx`.

    n_jobs : int, default=None
        Number of threads; None for one, unless in a :func:`joblib.parallel_config` context; -1 for
        all processors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    image_shape_ : tuple of int
        Height, width and channels of the images.

    pixel_range_ : tuple of float
        Pixel values that are black and white in the training images.

    n_features_in_ : int
        Number of pixels times channels of each image.

    See Also
    --------
    to_onnx : Writes the file.
    load : Loads a file of :func:`save`, whose estimator can be trained further.

    Notes
    -----
    The file is read when it is first needed. A pickle of this classifier contains only its path.

    Pixels of other dtypes than uint8 are scaled and rounded to bytes.

    Examples
    --------
    >>> from fashionkit.persistence import ONNXClassifier
    >>> clf = ONNXClassifier("garments.onnx")
    >>> clf.predict(X)  # doctest: +SKIP
    """

    def __init__(self, path: str | PathLike[str], *, n_jobs: int | None = None):
        self.path = path
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Read the file; there is nothing to fit.

        Parameters
        ----------
        X : Ignored
            Not used, present for API consistency by convention.

        y : Ignored
            Not used, present for API consistency by convention.

        **fit_params : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : ONNXClassifier
            The classifier itself.

        Raises
        ------
        ModelFileError
            If the file was not written by :func:`to_onnx`.

        OSError
            If the file cannot be read.
        """
        self._open()
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape ``image_shape_``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Predicted class labels.

        Raises
        ------
        ModelFileError
            If the file was not written by :func:`to_onnx`.

        ValueError
            If the images are invalid or of another shape.
        """
        labels, _ = self._run(X)
        return self.classes_[labels]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape ``image_shape_``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype float64
            Probabilities, in the order of ``classes_``.

        Raises
        ------
        ModelFileError
            If the file was not written by :func:`to_onnx`.

        ValueError
            If the images are invalid or of another shape.
        """
        _, probabilities = self._run(X)
        return probabilities.astype(np.float64)

    @property
    def classes_(self) -> np.ndarray:
        """Class labels."""
        return self._open().classes

    @property
    def image_shape_(self) -> tuple[int, int, int]:
        """Height, width and channels of the images."""
        return self._open().image_shape

    @property
    def pixel_range_(self) -> tuple[float, float]:
        """Pixel values that are black and white."""
        return self._open().pixel_range

    @property
    def n_features_in_(self) -> int:
        """Number of pixels times channels of each image."""
        return int(np.prod(self.image_shape_))

    def _run(self, X: Any) -> list[np.ndarray]:
        images = check_images(self, X)
        session = self._open().session
        outputs = [
            session.run(_OUTPUTS, {IMAGES: _as_bytes(images, rows)}) for rows in _parts(images)
        ]
        return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]

    def _open(self) -> _OnnxFile:
        key = str(self.path), self.n_jobs
        opened = self.__dict__.get("_opened")
        if opened is None or opened.key != key:
            opened = self._opened = _OnnxFile(self.path, self.n_jobs, key)
        return opened

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_opened", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class _OnnxFile:
    """Open ONNX file: its session and its metadata."""

    def __init__(self, path: str | PathLike[str], n_jobs: int | None, key: tuple):
        self.key, self._name = key, str(path)
        data = Path(path).expanduser().read_bytes()
        try:
            self.session = open_session(data, effective_n_jobs(n_jobs))
            entry = self.session.get_modelmeta().custom_metadata_map[METADATA]
            about = json.loads(entry)
            self.classes = np.array(about["classes"])
            height, width, channels = map(int, about["image_shape"])
            low, high = map(float, about["pixel_range"])
        except ImportError:
            raise
        except Exception as error:  # of many types
            raise self._refuse(f"it was not written by to_onnx ({error})") from error
        self.image_shape, self.pixel_range = (height, width, channels), (low, high)
        self._check()

    def _check(self) -> None:
        (given,) = self.session.get_inputs()[:1]
        shape = list(self.image_shape if self.image_shape[2] > 1 else self.image_shape[:2])
        if given.name != IMAGES or given.type != "tensor(uint8)" or given.shape[1:] != shape:
            raise self._refuse(
                f"its input is {given.name!r} of type {given.type} and shape {given.shape}, "
                f"expected {IMAGES!r} of type tensor(uint8) and shape {['n', *shape]}"
            )
        outputs = {one.name: (one.type, one.shape[1:]) for one in self.session.get_outputs()}
        expected = {
            LABEL: ("tensor(int64)", []),
            PROBABILITIES: ("tensor(float)", [len(self.classes)]),
        }
        if outputs != expected or self.classes.ndim != 1:
            raise self._refuse(f"its outputs are {outputs}, expected {expected}")

    def _refuse(self, reason: str) -> ModelFileError:
        return ModelFileError(f"{self._name!r} is refused: {reason[:600]}.")


def _parts(images: Images) -> list[slice]:
    size = images.chunk_size
    return [slice(begin, begin + size) for begin in range(0, len(images), size)]


def _as_bytes(images: Images, rows: slice) -> np.ndarray:
    pixels = images.unscaled(rows)
    if pixels.dtype != np.uint8 or images.pixel_range != (0.0, 255.0):
        pixels = np.clip(np.rint(255 * images.scaled(rows)), 0, 255).astype(np.uint8)
    return pixels[..., 0] if images.channels == 1 else pixels
