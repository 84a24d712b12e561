"""InvariantSVC: a support vector machine trained on virtual support vectors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.utils import check_array, gen_batches
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import LazyImages, check_images, fit_images
from fashionkit.preprocessing._views import VIEWS, make_views
from fashionkit.svm._calibrated import CalibratedSVC
from fashionkit.svm._pairwise import PairwiseSigmoids, log_odds
from fashionkit.svm._samples import (
    count_classes,
    draw_folds,
    leave_out_zero_weights,
    out_of_fold,
    weights_of,
)
from fashionkit.svm._svc import make_svc, pair_scores
from fashionkit.svm._virtual import as_first_fitted, fit_twice

# Maximum number of pixels whose views are in memory: some 10,000 small images, or 50 photos.
_VALUES_PER_CHUNK = 2**23

# Of so few images, all views are described and scored together.
_FEW = 16

# Shorter rows are those of small tables, as in scikit-learn's checks, not of images.
_LONG_ROW = 100

# Of warnings from fit, behind the parameter validation. Those of check_images name the user's
# line where the public method itself calls it.
_USERS_LINE = 4


class InvariantSVC(DocLinkMixin, ClassifierMixin, BaseEstimator):
    """Support vector machine trained on virtual support vectors.

    An SVC is fitted twice. The second fit is on the support vectors of the first one, together with
    their mirror images or copies shifted by a pixel [1]_. Probabilities are calibrated on the mean
    scores of all views of an image. With tens of thousands of images, this costs a fraction of
    training on the views of all images.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    estimator : Pipeline
        Transformers from images to features, and a :class:`~fashionkit.CalibratedSVC`, such as
        a baseline that :func:`~fashionkit.make_baseline` makes with that classifier.

    views : {"flip", "shift", "flip+shift"} or None, default="flip"
        Views of an image: "flip" adds its mirror image; "shift" adds the image shifted by one pixel
        towards two corners, with the lowest pixel value at the border. Prediction takes 2, 3 or 6
        times as long. None adds no views, for comparison.

    image_shape : tuple of int, default=None
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None uses the ``image_shape`` of a transformer that has one. Otherwise it is inferred: a
        square if possible, gray rather than RGB; else a single row of pixels.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    features_ : Pipeline
        The fitted transformers.

    svc_ : SVC
        The SVC fitted on the support vectors and their views.

    slopes_, intercepts_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Coefficients of the sigmoids that turn the mean scores of pairs of classes into
        probabilities, in the order of :func:`itertools.combinations`.

    n_support_vectors_ : int
        Number of images that were support vectors of the first fit.

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
    CalibratedSVC : SVM without views.
    fashionkit.make_baseline : Makes pipelines that end with a CalibratedSVC.
    fashionkit.Augmentation : Augmentation of the training images of neural classifiers.

    Notes
    -----
    Samples that are not support vectors do not affect an SVC, and their views rarely would. The
    second fit has the parameters of the first, including those that depend on the data, such as
    ``gamma="scale"`` and ``class_weight="balanced"``.

    In each fold of the calibration, an SVC is also fitted twice.

    Features that are equal for an image and its mirror image, such as colour histograms or those of
    BackboneFeatures with ``mirror=True``, do not benefit from "flip": pass ``mirror=False``, or
    "shift". Views that are close to each other share the penalty of a misclassification, so that a
    smaller ``C`` than for the plain pipeline may be better.

    The pipeline's ``memory`` caches the features of all images, but not those of the other views of
    support vectors, which depend on the SVC's parameters.

    All views of an image have its weight. Images of weight 0 are ignored, except for
    ``pixel_range_`` and ``image_shape_``.

    References
    ----------
    .. [1] D. DeCoste and B. Schölkopf, "Training Invariant Support Vector Machines", Machine
       Learning 46, 2002.

    Examples
    --------
    >>> from fashionkit import InvariantSVC, make_baseline, make_garments
    >>> X, y = make_garments(250, random_state=0)
    >>> clf = InvariantSVC(make_baseline("hog", "svm", random_state=0), views="flip")
    >>> clf.fit(X[:150], y[:150]).predict_proba(X[150:]).shape
    (100, 10)
    """

    _parameter_constraints: dict = {
        "estimator": [Pipeline],
        "views": [StrOptions(set(VIEWS)), None],
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
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> InvariantSVC:
        """Fit the SVC, then a second one with views of its support vectors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,)
            Class labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image and of its views in the SVC and in the calibration. It is not
            passed to the transformers. None gives all images the weight 1.

        Returns
        -------
        self : InvariantSVC
            The fitted classifier.

        Raises
        ------
        TypeError
            If ``estimator`` is not a pipeline of transformers and a CalibratedSVC.

        ValueError
            If there is only one class.

        Warns
        -----
        UserWarning
            If a class has fewer samples than the calibration has folds: its probabilities
            are rough.
        """
        features, svm = self._parts()
        images, y = fit_images(self, X, y, image_shape=_shape_asked_for(self.estimator))
        self._warn_of_lines()
        check_classification_targets(y)
        svm._validate_params()
        pixels, y, sample_weight = leave_out_zero_weights(images.pixels, y, sample_weight)
        classes = count_classes(y, svm.cv)
        rows = check_array(features.fit_transform(pixels, y), input_name="features")
        self.__dict__.pop("svc_", None)  # after Ctrl-C nothing of two fits is mixed
        self.classes_, self.features_ = classes, features
        svc = make_svc({**svm.get_params(), **as_first_fitted(svm, rows, y)})
        self.slopes_, self.intercepts_ = self._calibrate(svc, svm, pixels, rows, y, sample_weight)
        self.svc_, self.n_support_vectors_ = fit_twice(
            svc, rows, y, sample_weight, partial(self._describe_views, pixels)
        )
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class, or the log-odds of two classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) of two classes
            Logarithms of the probabilities; the class with the highest is predicted. With two
            classes, the log-odds of ``classes_[1]``, which is predicted where they are positive.
        """
        check_is_fitted(self)
        return log_odds(self._probabilities(check_images(self, X).pixels))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._probabilities(check_images(self, X).pixels)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of the shape seen in ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Log-probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return np.log(self._probabilities(check_images(self, X).pixels))

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each image.

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
        """Return the transformers and the CalibratedSVC, neither of them fitted."""
        *transformers, (name, last) = self.estimator.steps
        if not transformers or not isinstance(last, CalibratedSVC):
            raise TypeError(
                f"estimator ends in {type(last).__name__} after {len(transformers)} steps, "
                "expected a Pipeline of transformers and a CalibratedSVC, such as "
                "make_baseline('hog', 'svm')."
            )
        # With a last step that does nothing, the memory keeps the output of all the others.
        return clone(self.estimator).set_params(**{name: "passthrough"}), clone(last)

    def _warn_of_lines(self) -> None:
        """Warn where flat rows of unknown shape are mirrored and shifted as lines."""
        if self.views and self.image_shape_[0] == 1 and self.image_shape_[1] > _LONG_ROW:
            warnings.warn(
                f"X has images of one row of {self.image_shape_[1]} pixels, whose views="
                f"{self.views!r} mean little; pass image_shape=(height, width) if they are flat "
                "images that are not square.",
                UserWarning,
                stacklevel=_USERS_LINE,
            )

    def _calibrate(
        self,
        svc: SVC,
        svm: CalibratedSVC,
        pixels: np.ndarray,
        rows: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
    ) -> PairwiseSigmoids:
        """Learn the sigmoids from out-of-fold scores, which are means over views."""
        drawn, folds = draw_folds(
            y, calibration_size=svm.calibration_size, cv=svm.cv, random_state=svm.random_state
        )
        views = [rows[drawn], *self._describe_views(pixels, drawn)]
        y, sample_weight = y[drawn], weights_of(sample_weight, drawn)

        def score(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            fitted, _ = fit_twice(
                svc,
                views[0][train],
                y[train],
                weights_of(sample_weight, train),
                lambda support: [view[train[support]] for view in views[1:]],
            )
            return _mean([pair_scores(fitted, view[test]) for view in views])

        return PairwiseSigmoids.learn(
            out_of_fold(score, folds),
            y,
            class_weight=svm.class_weight,
            sample_weight=sample_weight,
        )

    def _describe_views(self, pixels: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
        """Return the features of each view of some images, without the images themselves."""
        chunks = []
        for chunk in _chunks(pixels, len(rows)):
            _, *others = self._views(np.asarray(pixels[rows[chunk]]))
            chunks.append([self._describe(view) for view in others])
        return [np.concatenate(view) for view in zip(*chunks, strict=True)]

    def _views(self, pixels: np.ndarray) -> Iterator[np.ndarray]:
        black = self.pixel_range_[0]
        return make_views(pixels, self.views, partial(np.pad, constant_values=black))

    def _describe(self, pixels: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            # The public method has warned of it already.
            warnings.filterwarnings("ignore", "X has pixels in the range", UserWarning)
            return check_array(self.features_.transform(pixels), input_name="features")

    def _probabilities(self, pixels: np.ndarray | LazyImages) -> np.ndarray:
        sigmoids = PairwiseSigmoids(self.slopes_, self.intercepts_)
        return np.concatenate(
            [
                sigmoids.probabilities(self._score(np.asarray(pixels[chunk])))
                for chunk in _chunks(pixels)
            ]
        )

    def _score(self, pixels: np.ndarray) -> np.ndarray:
        views = list(self._views(pixels))
        if len(pixels) > _FEW:
            return _mean([pair_scores(self.svc_, self._describe(view)) for view in views])
        scores = pair_scores(self.svc_, self._describe(np.concatenate(views)))
        return _mean(list(scores.reshape(len(views), len(pixels), -1)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _shape_asked_for(estimator: Pipeline) -> tuple[int, ...] | None:
    """Return the shape of flat rows that a transformer has been given, if any."""
    params = estimator.get_params().items()
    shapes = (value for name, value in params if name.endswith("__image_shape"))
    return next((shape for shape in shapes if shape is not None), None)


def _chunks(pixels: np.ndarray | LazyImages, n_samples: int | None = None) -> Iterator[slice]:
    size = max(1, _VALUES_PER_CHUNK // math.prod(pixels.shape[1:]))
    return gen_batches(len(pixels) if n_samples is None else n_samples, size)


def _mean(scores: list[np.ndarray]) -> np.ndarray:
    return sum(scores[1:], scores[0]) / len(scores)
