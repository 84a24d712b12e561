"""NystroemClassifier: a kernel machine whose cost grows linearly with the number of samples."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.linalg import cho_solve
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import read_rows
from fashionkit.svm._least_squares import (
    Data,
    System,
    chunk_size,
    draw,
    leave_one_out,
    rbf_kernel,
)

# With fewer samples per component, all is computed in double precision.
_MIN_RATIO = 2

# Of the probabilities' scaling, on scores of variance 1: of few samples, a penalty is needed.
_SCALING_C = 1.0


class NystroemClassifier(DocLinkMixin, ClassifierMixin, BaseEstimator):
    r"""Nyström-approximated kernel ridge classifier for any number of samples.

    A support vector machine is fitted on a random subset of the samples. Its support vectors become
    the components of a Nyström approximation [1]_, on which a least-squares classifier is fitted
    with all samples, in one pass. Time grows linearly with the number of samples. Memory is
    constant, except for the data itself, which may be memory-mapped.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    n_components : int, default=10000
        Maximum number of components. Time and memory grow with its square: 3 GB for 10,000.

    C : float, default=1.0
        Penalty of the support vector machine that selects the components.

    gamma : "scale" or float, default="scale"
        Coefficient of the RBF kernel; "scale" is 1 / (number of features * variance of the
        sample), as in :class:`~sklearn.svm.SVC`.

    alpha : float, default=1e-6
        Ridge penalty per sample.

    class_weight : dict or "balanced", default=None
        Weight of each class, multiplied by ``sample_weight``; "balanced" weights classes inversely
        to their frequency.

    max_samples : int, default=30000
        Maximum number of samples to find the support vectors on, stratified by class. Time grows
        with its square.

    calibration_size : int, default=5000
        Maximum number of samples whose leave-one-out scores calibrate the probabilities.

    random_state : int, RandomState instance or None, default=None
        Seed of the drawn samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    components_ : ndarray of shape (n_components, n_features)
        Samples that the kernel is evaluated at.

    dual_coef_ : ndarray of shape (n_components, n_classes)
        Coefficients of the components.

    intercept_ : ndarray of shape (n_classes,)
        Class frequencies, which are added to the scores.

    gamma_ : float
        Coefficient of the kernel.

    scaling_coef_ : ndarray of shape (n_classes, n_classes)
        Matrix that converts scores to log-probabilities, up to a constant for each sample.

    scaling_intercept_ : ndarray of shape (n_classes,)
        Intercepts of the log-probabilities.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    CalibratedSVC : Exact kernel SVM, for up to about 100,000 samples.
    sklearn.kernel_approximation.Nystroem : The same approximation with random components.

    Notes
    -----
    With kernel values :math:`K_{nm}` of samples and components, and :math:`K_{mm}` of
    components, the coefficients solve

    .. math:: (K_{nm}^T K_{nm} + \alpha n K_{mm}) \, a = K_{nm}^T y,

    where a column of ``y`` is 1 for the samples of a class and 0 for others, less its mean ([2]_,
    equation 8). Choosing support vectors as components is not part of these references. If there
    are fewer than ``n_components``, other samples of the subset are added.

    Leave-one-out scores are computed in closed form ([3]_, section 4). A multinomial logistic
    regression turns them into probabilities (matrix scaling, [4]_, section 4.2).

    Samples of weight 0 are ignored. Repeated samples are left out one at a time, so that their
    leave-one-out scores, and therefore the probabilities, are too confident.

    References
    ----------
    .. [1] C. K. I. Williams and M. Seeger, "Using the Nyström Method to Speed Up Kernel
       Machines", NIPS 2000.

    .. [2] A. Rudi, L. Carratino and L. Rosasco, "FALKON: An Optimal Large Scale Kernel Method",
       NIPS 2017.

    .. [3] R. M. Rifkin and R. A. Lippert, "Notes on Regularized Least Squares", MIT Technical
       Report, 2007.

    .. [4] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.

    Examples
    --------
    >>> from fashionkit import NystroemClassifier, PixelFeatures, make_garments
    >>> from sklearn.pipeline import make_pipeline
    >>> X, y = make_garments(250, random_state=0)
    >>> clf = make_pipeline(PixelFeatures(), NystroemClassifier(random_state=0))
    >>> clf.fit(X[:150], y[:150]).predict_proba(X[150:]).shape
    (100, 10)
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [StrOptions({"scale"}), Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "calibration_size": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 10_000,
        *,
        C: float = 1.0,
        gamma: str | float = "scale",
        alpha: float = 1e-6,
        class_weight: dict | str | None = None,
        max_samples: int = 30_000,
        calibration_size: int = 5_000,
        random_state: Any = None,
    ):
        self.n_components = n_components
        self.C = C
        self.gamma = gamma
        self.alpha = alpha
        self.class_weight = class_weight
        self.max_samples = max_samples
        self.calibration_size = calibration_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NystroemClassifier:
        """Select the components and fit the classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; a memory-mapped array is read in chunks.

        y : array-like of shape (n_samples,)
            Class labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample. None gives all samples the weight 1.

        Returns
        -------
        self : NystroemClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is only one class.
        """
        X, y = validate_data(self, read_rows(X), y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        data = self._weighted(X, y, sample_weight)
        random_state = check_random_state(self.random_state)
        drawn = draw(data, self.max_samples, random_state)
        components, gamma = self._choose_components(data, drawn, random_state)
        system = System.of(data, components, gamma)
        factor = system.factorize(self.alpha)
        coef = cho_solve((factor, True), system.moments, check_finite=False)
        rows = draw(data, self.calibration_size, random_state, others_than=drawn)
        scores = leave_one_out(data, rows, components, gamma, factor, coef, system.prior)
        scale = scores.std() or 1.0
        scaling = LogisticRegression(C=_SCALING_C, max_iter=1000).fit(
            scores / scale, data.targets[rows], data.weights[rows]
        )
        self.classes_, self.gamma_ = data.classes, gamma
        self.components_ = components
        self.dual_coef_ = coef.astype(components.dtype)
        self.intercept_ = system.prior
        self.scaling_coef_, self.scaling_intercept_ = _for_all_classes(scaling, scale)
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
        scores = self._scaled_scores(X)
        if len(self.classes_) == 2:
            return scores[:, 1] - scores[:, 0]
        return log_softmax(scores, axis=1)

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
        return softmax(self._scaled_scores(X), axis=1)

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
        return log_softmax(self._scaled_scores(X), axis=1)

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
        scores = self._scaled_scores(X)
        return self.classes_[scores.argmax(axis=1)]

    def _weighted(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> Data:
        """Encode labels, and combine all weights."""
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True, copy=True
        )
        kept = weights > 0
        if not kept.any():  # scikit-learn before 1.8 accepts it
            raise ValueError(
                f"sample_weight has {len(kept)} weights that are all zero; pass a positive weight "
                "for at least one sample of each class, or None."
            )
        classes = np.unique(y[kept])
        if len(classes) < 2:
            raise ValueError(
                f"y has one class, {classes.tolist()[0]!r}; a classifier needs at least two."
            )
        weights[kept] *= compute_sample_weight(self.class_weight, y[kept])
        rows = np.flatnonzero(kept)
        return Data(X, np.searchsorted(classes, y), weights, rows, classes)

    def _choose_components(
        self, data: Data, rows: np.ndarray, random_state: np.random.RandomState
    ) -> tuple[np.ndarray, float]:
        """Return the components, support vectors of some rows, and the kernel's coefficient."""
        X = data.X[rows]
        variance = float(X.var()) or 1.0
        gamma = 1 / (X.shape[1] * variance) if self.gamma == "scale" else float(self.gamma)
        weights = data.weights[rows] / data.weights[rows].mean()
        svc = SVC(C=self.C, gamma=gamma, cache_size=1000).fit(X, data.targets[rows], weights)
        support = random_state.permutation(svc.support_)
        others = random_state.permutation(np.setdiff1d(np.arange(len(rows)), support))
        chosen = np.concatenate([support, others])[: self.n_components]
        components = np.unique(X[chosen], axis=0)
        # Scores that nearly interpolate their samples differ from them in the last bits alone.
        is_exact = len(data.rows) < _MIN_RATIO * len(components)
        return components.astype(np.float64) if is_exact else components, gamma

    def _scaled_scores(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities, up to a constant per row."""
        check_is_fitted(self)
        X = validate_data(self, read_rows(X), dtype=[np.float64, np.float32], reset=False)
        scores = np.concatenate(
            [
                rbf_kernel(X[rows], self.components_, self.gamma_) @ self.dual_coef_
                for rows in gen_batches(len(X), chunk_size(len(self.components_)))
            ]
        )
        return (scores + self.intercept_) @ self.scaling_coef_.T + self.scaling_intercept_


def _for_all_classes(scaling: LogisticRegression, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a row and an intercept for each class, also of two classes."""
    coef, intercept = scaling.coef_ / scale, scaling.intercept_
    if len(coef) == 1:
        return np.vstack([0 * coef, coef]), np.array([0.0, intercept[0]])
    return coef, intercept
