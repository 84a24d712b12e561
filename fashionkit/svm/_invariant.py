"""A support vector machine that also learns from distorted support vectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.utils import check_array, gen_batches
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import check_images, fit_images
from fashionkit.svm._calibrated import CalibratedSVC

# Pixels whose views are in memory at a time: some 10,000 small images, or 50 photos.
_VALUES_PER_CHUNK = 2**23

# Shorter rows are those of small tables, such as scikit-learn's checks have, not of images.
_LONG_ROW = 100

# Of warnings from fit, behind what validates parameters. Those of check_images name the user's line
# where the public method itself calls it.
_USERS_LINE = 4


class InvariantSVC(ClassifierMixin, BaseEstimator):
    """Support vector machine that learns what does not change a garment.

    It is fitted twice. The second time, the images that were support vectors are joined by
    their mirror images, or by copies that are moved by a pixel. The class of an image is that
    of the mean scores of all such views of it. With tens of thousands of images, this costs a
    fraction of what distorting all of them would.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    estimator : Pipeline
        Transformers from images to features, and a :class:`~fashionkit.CalibratedSVC`: any
        baseline that :func:`~fashionkit.make_baseline` makes with a name that ends in "svm".

    views : {"flip", "shift", "flip+shift"} or None, default="flip"
        Views of an image: "flip" adds its mirror image, "shift" it moved by one pixel towards
        two corners, with the lowest value of pixels at the border. Prediction takes 2, 3 or 6
        times as long. None adds nothing, to compare with.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None takes the
        ``image_shape`` of a transformer that has one; else it is inferred: a square if there
        is one, gray before RGB; else one row of pixels.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.

    features_ : Pipeline
        The fitted transformers.

    svm_ : CalibratedSVC
        The machine, fitted on the support vectors and their views, and its calibration.

    n_support_vectors_ : int
        How many of the images were support vectors of the first fit.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Lowest and highest value that pixels are meant to have.

    See Also
    --------
    CalibratedSVC : The machine that is fitted twice.
    make_baseline : Makes pipelines that end with it.
    Augmentation : Distorts the training images of neural classifiers.

    Notes
    -----
    The method is that of virtual support vectors [1]_, with the mean over views beside it:
    what is not a support vector does not change the machine, and its views seldom would. The
    parameters of the machine are those that the first fit had, also where they depend on the
    data, as ``gamma="scale"`` and ``class_weight="balanced"`` do.

    The calibration, too, compares scores of views: in each of its folds a machine is fitted
    twice.

    Features that are the same for an image and its mirror image, such as those of a
    BackboneFeatures with ``mirror=True`` or colour histograms, gain nothing from "flip": pass
    ``mirror=False``, or "shift". Views that are near each other share the cost of a mistake, so
    that a smaller ``C`` than for the plain pipeline may be better.

    The memory of the pipeline keeps the features of all images, but not those of their other
    views, which depend on the machine's parameters.

    References
    ----------
    .. [1] D. DeCoste and B. Schölkopf, "Training Invariant Support Vector Machines", Machine
       Learning 46, 2002.

    Examples
    --------
    >>> from fashionkit import InvariantSVC, make_baseline, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> clf = InvariantSVC(make_baseline("hog-svm", random_state=0), views="flip")
    >>> clf.fit(X[:500], y[:500]).predict_proba(X[500:]).shape
    (100, 10)
    """

    _parameter_constraints: dict = {
        "estimator": [Pipeline],
        "views": [StrOptions({"flip", "shift", "flip+shift"}), None],
        "image_shape": [tuple, None],
    }

    def __init__(
        self,
        estimator: Pipeline,
        *,
        views: str | None = "flip",
        image_shape: tuple[int, ...] | None = None,
    ):
        self.estimator = estimator
        self.views = views
        self.image_shape = image_shape

    # The parameters of the estimator's steps are validated where they are used.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> InvariantSVC:
        """Fit the machine, then again with views of its support vectors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,)
            Labels of the classes.

        Returns
        -------
        self : InvariantSVC
            The fitted classifier.

        Raises
        ------
        TypeError
            If ``estimator`` is not transformers and a CalibratedSVC.

        ValueError
            If there is only one class, or a class with fewer samples than the calibration
            has folds.
        """
        features, svm = self._parts()
        images, y = fit_images(self, X, y, image_shape=_shape_asked_for(self.estimator))
        self._warn_of_lines()
        check_classification_targets(y)
        self.classes_, counts = np.unique(y, return_counts=True)
        svm._validate_params()
        svm.classes_ = self.classes_
        svm._check_counts(counts)
        pixels = images.pixels
        rows = check_array(features.fit_transform(pixels, y), input_name="features")
        self.features_ = features
        machine = svm._machine().set_params(**_as_first_fitted(svm, rows, y))
        drawn, folds = svm._calibration_folds(y)
        seen = [rows[drawn], *self._describe_views(pixels, drawn)]
        y_drawn = y[drawn]

        def score(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            fitted, _ = _fit_twice(
                machine,
                seen[0][train],
                y_drawn[train],
                lambda support: [view[train[support]] for view in seen[1:]],
            )
            return _mean([fitted.decision_function(view[test]) for view in seen])

        svm._calibrate(score, folds, y_drawn)
        svm.svc_, self.n_support_vectors_ = _fit_twice(
            machine, rows, y, lambda support: self._describe_views(pixels, support)
        )
        svm.n_features_in_ = rows.shape[1]
        self.svm_ = svm
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._probabilities(check_images(self, X).pixels)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return np.log(self._probabilities(check_images(self, X).pixels))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        check_is_fitted(self)
        probabilities = self._probabilities(check_images(self, X).pixels)
        return self.classes_[probabilities.argmax(axis=1)]

    def _parts(self) -> tuple[Pipeline, CalibratedSVC]:
        """Return the transformers and the machine, neither of them fitted."""
        *transformers, (name, last) = self.estimator.steps
        if not transformers or not isinstance(last, CalibratedSVC):
            raise TypeError(
                f"estimator ends in {type(last).__name__} after {len(transformers)} steps, "
                "expected a Pipeline of transformers and a CalibratedSVC, such as "
                "make_baseline('hog-svm')."
            )
        # With a last step that does nothing, the memory keeps what all the others make.
        return clone(self.estimator).set_params(**{name: "passthrough"}), clone(last)

    def _warn_of_lines(self) -> None:
        """Warn where flat rows, whose shape nobody knows, are mirrored and moved as lines."""
        if self.views and self.image_shape_[0] == 1 and self.image_shape_[1] > _LONG_ROW:
            warnings.warn(
                f"X has images of one row of {self.image_shape_[1]} pixels, whose views="
                f"{self.views!r} mean little; pass image_shape=(height, width) if they are flat "
                "images that are not square.",
                UserWarning,
                stacklevel=_USERS_LINE,
            )

    def _describe_views(self, pixels: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
        """Return the features of each view of some images but the first."""
        black = self.pixel_range_[0]
        chunks = [
            [self._describe(view) for view in other_views(pixels[rows[chunk]], self.views, black)]
            for chunk in _chunks(pixels, len(rows))
        ]
        return [np.concatenate(view) for view in zip(*chunks, strict=True)]

    def _describe(self, pixels: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            # We have warned of it already.
            warnings.filterwarnings("ignore", "X has pixels in the range", UserWarning)
            return check_array(self.features_.transform(pixels), input_name="features")

    def _probabilities(self, pixels: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [self.svm_._probabilities(self._score(pixels[chunk])) for chunk in _chunks(pixels)]
        )

    def _score(self, pixels: np.ndarray) -> np.ndarray:
        views = (pixels, *other_views(pixels, self.views, self.pixel_range_[0]))
        return _mean([self.svm_.svc_.decision_function(self._describe(view)) for view in views])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _shape_asked_for(estimator: Pipeline) -> tuple[int, ...] | None:
    """Return the shape of flat rows that a transformer has been given, if any."""
    params = estimator.get_params().items()
    shapes = (value for name, value in params if name.endswith("__image_shape"))
    return next((shape for shape in shapes if shape is not None), None)


def _chunks(pixels: np.ndarray, n_samples: int | None = None) -> Iterator[slice]:
    size = max(1, _VALUES_PER_CHUNK // math.prod(pixels.shape[1:]))
    return gen_batches(len(pixels) if n_samples is None else n_samples, size)


def other_views(pixels: np.ndarray, views: str | None, black: float) -> Iterator[np.ndarray]:
    """Yield images moved by a pixel towards two corners, or mirrored, or all of these.

    Parameters
    ----------
    pixels : ndarray of shape (n_samples, height, width, channels)
        Images.

    views : {"flip", "shift", "flip+shift"} or None
        Which.

    black : float
        What lies beyond the border.

    Yields
    ------
    view : ndarray of shape (n_samples, height, width, channels)
        All of the images, in one of their other views.
    """
    seen = [pixels]
    if views and "shift" in views:
        padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=black)
        seen += [padded[:, :-2, :-2], padded[:, 2:, 2:]]
        yield from seen[1:]
    if views and "flip" in views:
        yield from (view[:, :, ::-1] for view in seen)


def _as_first_fitted(svm: CalibratedSVC, rows: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Return the parameters that depend on the data, as numbers for all samples."""
    params = {}
    if svm.gamma == "scale":
        variance = rows.var(dtype=np.float64)
        params["gamma"] = 1 / (rows.shape[1] * variance) if variance else 1.0
    if svm.class_weight == "balanced":
        weights = compute_class_weight("balanced", classes=svm.classes_, y=y)
        params["class_weight"] = dict(zip(svm.classes_.tolist(), weights, strict=True))
    return params


def _fit_twice(
    machine: SVC,
    rows: np.ndarray,
    y: np.ndarray,
    other_views_of: Callable[[np.ndarray], Any],
) -> tuple[SVC, int]:
    """Fit on samples, and then on the support vectors among them and their other views."""
    support = np.sort(clone(machine).fit(rows, y).support_)
    views = [rows[support], *other_views_of(support)]
    return clone(machine).fit(np.concatenate(views), np.tile(y[support], len(views))), len(support)


def _mean(scores: list[np.ndarray]) -> np.ndarray:
    return sum(scores[1:], scores[0]) / len(scores)
