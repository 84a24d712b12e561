"""CalibratedSVC: a support vector machine with calibrated probabilities."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import read_rows
from fashionkit.svm._pairwise import PairwiseSigmoids, log_odds
from fashionkit.svm._samples import (
    count_classes,
    draw_folds,
    leave_out_zero_weights,
    out_of_fold,
    weights_of,
)
from fashionkit.svm._svc import fit_svc, make_svc, pair_scores

# Maximum number of values in the systems of equations that are solved together.
_VALUES_PER_CHUNK = 2**20


class CalibratedSVC(DocLinkMixin, ClassifierMixin, BaseEstimator):
    """Support vector machine with calibrated probabilities.

    An SVC is fitted on all samples. Its probabilities are calibrated on out-of-fold decision scores
    from a cross-validation on at most ``calibration_size`` samples. With tens of thousands of
    samples this costs a fraction of the fit, whereas
    :class:`~sklearn.calibration.CalibratedClassifierCV` needs several fits of that size.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    C : float, default=1.0
        Penalty for samples on the wrong side of the margin, as in :class:`~sklearn.svm.SVC`.

    kernel : {"linear", "poly", "rbf", "sigmoid"}, default="rbf"
        Kernel, as in :class:`~sklearn.svm.SVC`.

    gamma : {"scale", "auto"} or float, default="scale"
        Coefficient of the kernel, as in :class:`~sklearn.svm.SVC`.

    class_weight : dict or "balanced", default=None
        Factor of ``C`` for each class, as in :class:`~sklearn.svm.SVC`, and its weight in the
        calibration.

    calibration_size : int, default=10000
        Maximum number of samples for the calibration, stratified by class, but at least ``cv`` of
        each class.

    cv : int, default=3
        Number of folds of the calibration.

    cache_size : float, default=1000
        Size of the kernel cache in MB.

    backend : {"sklearn", "sklearnex", "auto"}, default="sklearn"
        SVC implementation to fit with: scikit-learn's, or that of its extension for x86 processors,
        which is 2 times faster and gives the same results up to rounding:
        ``pip install "fashionkit[intelex]"``. "auto" uses the extension if it is installed. A
        fitted model does not need it.

    random_state : int, RandomState instance or None, default=None
        Seed of the samples drawn for the calibration, and of their folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    svc_ : SVC
        The fitted SVC.

    slopes_, intercepts_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Coefficients of the sigmoids that turn the scores of pairs of classes into
        probabilities, in the order of :func:`itertools.combinations`.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    fashionkit.make_baseline : Makes pipelines that end with a CalibratedSVC.
    InvariantSVC : SVM trained on virtual support vectors.
    sklearn.svm.SVC : SVM without calibration.
    sklearn.calibration.CalibratedClassifierCV : Calibration of any classifier.

    Notes
    -----
    An SVC scores each pair of classes. A sigmoid for each pair turns scores into probabilities
    [1]_, which are then coupled into those of all classes [2]_. ``SVC(probability=True)`` uses the
    same method, but with the scores of all samples. If the out-of-fold scores of a pair are
    uninformative, as may happen with few samples, its probabilities are the class frequencies,
    slightly increased for the class that the SVC prefers.

    ``predict`` returns the most probable class, so that it always agrees with ``predict_proba``. It
    may differ from the prediction of ``svc_``, which is by votes of the pairs.

    ``gamma="scale"`` and ``class_weight="balanced"`` count samples, not their weights, as in
    :class:`~sklearn.svm.SVC`. Samples of weight 0 are ignored; the indices in ``svc_.support_`` do
    not count them.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons
       to Regularized Likelihood Methods", Advances in Large Margin Classifiers, 1999.

    .. [2] T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability Estimates for Multi-class
       Classification by Pairwise Coupling", Journal of Machine Learning Research 5, 2004.

    Examples
    --------
    >>> from fashionkit import CalibratedSVC, PixelFeatures, make_garments
    >>> from sklearn.pipeline import make_pipeline
    >>> X, y = make_garments(250, random_state=0)
    >>> clf = make_pipeline(PixelFeatures(), CalibratedSVC(C=3, random_state=0))
    >>> clf.fit(X[:150], y[:150]).predict_proba(X[150:]).shape
    (100, 10)
    """

    _parameter_constraints: dict = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "kernel": [StrOptions({"linear", "poly", "rbf", "sigmoid"})],
        "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "calibration_size": [Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "cache_size": [Interval(Real, 0, None, closed="neither")],
        "backend": [StrOptions({"sklearn", "sklearnex", "auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str = "rbf",
        gamma: str | float = "scale",
        class_weight: dict | str | None = None,
        calibration_size: int = 10_000,
        cv: int = 3,
        cache_size: float = 1000,
        backend: str = "sklearn",
        random_state: Any = None,
    ):
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.class_weight = class_weight
        self.calibration_size = calibration_size
        self.cv = cv
        self.cache_size = cache_size
        self.backend = backend
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CalibratedSVC:
        """Fit the SVC, and calibrate its probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Class labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the SVC, as a factor of ``C``, and in the calibration. None
            gives all samples the weight 1.

        Returns
        -------
        self : CalibratedSVC
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is only one class.

        ImportError
            If ``backend`` is not installed.

        Warns
        -----
        UserWarning
            If a class has fewer than ``cv`` samples: its probabilities are rough.
        """
        X, y = validate_data(self, read_rows(X), y)
        check_classification_targets(y)
        X, y, sample_weight = leave_out_zero_weights(X, y, sample_weight)
        classes = count_classes(y, self.cv)
        svc = make_svc(self.get_params())
        # The calibration first: it is short, and fails where anything does.
        sigmoids = self._calibrate(svc, X, y, sample_weight)
        svc = fit_svc(svc, X, y, sample_weight)
        # All at once: after Ctrl-C nothing of two fits is mixed.
        self.classes_, self.svc_ = classes, svc
        self.slopes_, self.intercepts_ = sigmoids
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class, or the log-odds of two classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,) of two classes
            Logarithms of the probabilities; the class with the highest is predicted. With two
            classes, the log-odds of ``classes_[1]``, which is predicted where they are positive.
        """
        return log_odds(self.predict_proba(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        X = validate_data(self, read_rows(X), reset=False)
        sigmoids = PairwiseSigmoids(self.slopes_, self.intercepts_)
        size = max(1, _VALUES_PER_CHUNK // len(self.classes_) ** 2)
        return np.concatenate(
            [
                sigmoids.probabilities(pair_scores(self.svc_, X[rows]))
                for rows in gen_batches(len(X), size)
            ]
        )

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Log-probabilities, in the order of ``classes_``.
        """
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _calibrate(
        self, svc: Any, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> PairwiseSigmoids:
        """Learn the sigmoids from out-of-fold scores."""
        rows, folds = draw_folds(
            y, calibration_size=self.calibration_size, cv=self.cv, random_state=self.random_state
        )
        X, y, sample_weight = X[rows], y[rows], weights_of(sample_weight, rows)

        def score(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            fitted = fit_svc(svc, X[train], y[train], weights_of(sample_weight, train))
            return pair_scores(fitted, X[test])

        return PairwiseSigmoids.learn(
            out_of_fold(score, folds),
            y,
            class_weight=self.class_weight,
            sample_weight=sample_weight,
        )
