"""A support vector machine with probabilities, for as many images as Fashion-MNIST has."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

# Probabilities of pairs are kept this far from 0 and 1, as in LIBSVM.
_EPS = 1e-7

# Of the probability of a pair over scores of variance 1.
_LEAST_SLOPE = 0.1

# Values at a time in the systems of equations that are solved for all samples together.
_VALUES_PER_CHUNK = 2**20

Folds = list[tuple[np.ndarray, np.ndarray]]


def couple(wins: np.ndarray) -> np.ndarray:
    """Combine the probabilities of pairs of classes into those of all classes.

    These are the ones that agree best with those of the pairs, by the second method of
    Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise
    Coupling", JMLR 5, 2004, section 4.1.

    Parameters
    ----------
    wins : ndarray of shape (n_samples, n_classes, n_classes)
        Probability that a sample is of the class of the row, if it is of that or of the
        class of the column. The diagonal does not matter.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        They sum to 1.
    """
    n_samples, n_classes, _ = wins.shape
    wins = np.clip(wins, _EPS, 1 - _EPS)
    losses = wins.transpose(0, 2, 1)
    diagonal = np.arange(n_classes)
    # The best probabilities p minimise p'Qp; the last row and column make them sum to 1.
    system = np.zeros((n_samples, n_classes + 1, n_classes + 1))
    system[:, :-1, :-1] = -losses * wins
    squares = losses**2
    squares[:, diagonal, diagonal] = 0
    system[:, diagonal, diagonal] = squares.sum(axis=2)
    system[:, -1, :-1] = system[:, :-1, -1] = 1
    right = np.zeros((n_samples, n_classes + 1, 1))
    right[:, -1] = 1
    probabilities = np.linalg.solve(system, right)[:, :-1, 0]
    return probabilities / probabilities.sum(axis=1, keepdims=True)


class CalibratedSVC(ClassifierMixin, BaseEstimator):
    """Support vector machine with calibrated probabilities.

    One machine is fitted on all samples. What its scores mean is learnt from samples that
    machines like it have not seen: those of a cross-validation on at most
    ``calibration_size`` samples. With tens of thousands of samples this costs a fraction
    of the fit, where :class:`~sklearn.calibration.CalibratedClassifierCV` takes several
    fits of that size.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    C : float, default=1.0
        Cost of a sample on the wrong side of the margin.

    kernel : {"linear", "poly", "rbf", "sigmoid"}, default="rbf"
        Kernel, as in :class:`~sklearn.svm.SVC`.

    gamma : {"scale", "auto"} or float, default="scale"
        Coefficient of the kernel, as in :class:`~sklearn.svm.SVC`.

    class_weight : dict or "balanced", default=None
        Factors of ``C`` by class, as in :class:`~sklearn.svm.SVC`; also of the classes'
        weight in the calibration.

    calibration_size : int, default=10000
        Number of samples for the calibration, stratified by class, but at least ``cv`` of
        each class; all, where there are fewer.

    cv : int, default=3
        Number of folds of the calibration.

    cache_size : float, default=1000
        Size of the kernel's cache in MB.

    backend : {"sklearn", "sklearnex"}, default="sklearn"
        Whose machine it is: scikit-learn's, or that of its extension for x86 processors,
        which is 2 times faster to fit and 7 times to predict with, and gives the same up to
        rounding: ``pip install "fashionkit[intelex]"``.

    random_state : int, RandomState instance or None, default=None
        Draws the samples for the calibration, and their folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.

    svc_ : SVC
        The machine.

    slopes_, intercepts_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Of the sigmoids that turn the scores of pairs of classes into probabilities, in
        the order of :func:`itertools.combinations`.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    fashionkit.make_baseline : Pipelines that end with this.
    InvariantSVC : Also learns what does not change a garment.
    sklearn.svm.SVC : The machine itself.
    sklearn.calibration.CalibratedClassifierCV : Calibrates any classifier.

    Notes
    -----
    The machine scores each pair of classes. A sigmoid for each pair turns scores into
    probabilities [1]_, which are then coupled into those of all classes [2]_. So does
    ``SVC(probability=True)``, but with the scores of all samples. Where the unseen scores
    of a pair say nothing about its classes, as can be with few samples, its probabilities
    are the classes' frequencies, leaning to the class that the machine prefers.

    ``predict`` gives the most probable class, so that it always agrees with
    ``predict_proba``. That is not always the class which ``svc_`` predicts, by votes of
    the pairs.

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
    >>> X, y = make_garments(600, random_state=0)
    >>> clf = make_pipeline(PixelFeatures(), CalibratedSVC(C=3, random_state=0))
    >>> clf.fit(X[:500], y[:500]).predict_proba(X[500:]).shape
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
        "backend": [StrOptions({"sklearn", "sklearnex"})],
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
    def fit(self, X: Any, y: Any) -> CalibratedSVC:
        """Fit the machine, and learn what its scores mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        y : array-like of shape (n_samples,)
            Labels of the classes.

        Returns
        -------
        self : CalibratedSVC
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is only one class, or a class with fewer than ``cv`` samples.

        ImportError
            If ``backend`` is not installed.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, counts = np.unique(y, return_counts=True)
        self._check_counts(counts)
        svc = self._machine()
        # The calibration first: it is short, and fails where anything does.
        rows, folds = self._calibration_folds(y)
        X_drawn, y_drawn = X[rows], y[rows]

        def score(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            machine = clone(svc).fit(X_drawn[train], y_drawn[train])
            return machine.decision_function(X_drawn[test])

        self._calibrate(score, folds, y_drawn)
        self.svc_ = svc.fit(X, y)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        size = max(1, _VALUES_PER_CHUNK // len(self.classes_) ** 2)
        return np.concatenate(
            [
                self._probabilities(self.svc_.decision_function(X[rows]))
                for rows in gen_batches(len(X), size)
            ]
        )

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

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

    def _check_counts(self, counts: np.ndarray) -> None:
        labels = self.classes_.tolist()
        if len(labels) < 2:
            raise ValueError(f"y has one class, {labels[0]!r}; a classifier needs at least two.")
        if counts.min() < self.cv:
            label, count = labels[counts.argmin()], counts.min()
            raise ValueError(
                f"class {label!r} has {count} sample(s), but the calibration with cv={self.cv} "
                "needs one for each fold; pass a smaller cv, leave the class out, or use "
                "sklearn.svm.SVC, which has no probabilities."
            )

    def _machine(self) -> SVC:
        """Return a machine with our parameters, not fitted yet."""
        return _machine_class(self.backend)(
            C=self.C,
            kernel=self.kernel,
            gamma=self.gamma,
            class_weight=self.class_weight,
            cache_size=self.cache_size,
            decision_function_shape="ovo",
        )

    def _calibration_folds(self, y: np.ndarray) -> tuple[np.ndarray, Folds]:
        """Draw samples to calibrate on, and divide them into folds."""
        random_state = check_random_state(self.random_state)
        rows = self._draw(y, random_state)
        folds = StratifiedKFold(self.cv, shuffle=True, random_state=random_state)
        return rows, list(folds.split(rows, y[rows]))

    def _calibrate(
        self, score: Callable[[np.ndarray, np.ndarray], np.ndarray], folds: Folds, y: np.ndarray
    ) -> None:
        """Fit a sigmoid for each pair of classes, on scores of unseen samples."""
        n_classes = len(self.classes_)
        scores = np.empty((len(y), n_classes * (n_classes - 1) // 2))
        # Not cross_val_predict: it numbers the classes, which class_weight then misses.
        for train, test in folds:
            scores[test] = _by_pair(score(train, test))
        weights = compute_sample_weight(self.class_weight, y)
        sigmoids = []
        for pair, column in zip(combinations(self.classes_, 2), scores.T, strict=True):
            either = np.isin(y, pair)
            sigmoids.append(_sigmoid(column[either], y[either] == pair[0], weights[either]))
        self.slopes_, self.intercepts_ = np.transpose(sigmoids)

    def _draw(self, y: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Draw ``calibration_size`` samples by class, but ``cv`` of each class at least."""
        drawn = [
            random_state.permutation(members)[
                : max(self.cv, self.calibration_size * len(members) // len(y))
            ]
            for members in (np.flatnonzero(y == label) for label in self.classes_)
        ]
        return np.sort(np.concatenate(drawn))

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn the machine's scores into probabilities."""
        scores = _by_pair(scores)
        n_classes = len(self.classes_)
        wins = np.zeros((len(scores), n_classes, n_classes))
        first, second = np.triu_indices(n_classes, 1)
        wins[:, first, second] = expit(scores * self.slopes_ + self.intercepts_)
        wins[:, second, first] = 1 - wins[:, first, second]
        return couple(wins)


def _machine_class(backend: str) -> type:
    if backend == "sklearn":
        return SVC
    try:
        from sklearnex.svm import SVC as FasterSVC
    except ImportError as error:
        raise ImportError(
            "backend='sklearnex' needs the Extension for Scikit-learn: pip install "
            "'fashionkit[intelex]'; or pass backend='sklearn'."
        ) from error
    return FasterSVC


def _sigmoid(scores: np.ndarray, first: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Fit slope and intercept of the probability of a pair's first class."""
    scale = scores.std() or 1.0  # the penalty on the slope is the same for scores of any size
    fitted = LogisticRegression(C=10).fit(scores[:, np.newaxis] / scale, first, weights)
    slope, intercept = fitted.coef_[0, 0], fitted.intercept_[0]
    if slope < _LEAST_SLOPE:
        # The scores of so few or so noisy samples say nothing. What is left is how frequent
        # the classes are, and a little of the machine's word.
        frequency = np.clip(np.average(first, weights=weights), _EPS, 1 - _EPS)
        slope = _LEAST_SLOPE
        intercept = logit(frequency) - slope * np.average(scores, weights=weights) / scale
    return slope / scale, intercept


def _by_pair(scores: np.ndarray) -> np.ndarray:
    """Return scores with a column for each pair, positive for the first class of the pair."""
    # Of two classes the machine scores the second.
    return scores if scores.ndim == 2 else -scores[:, np.newaxis]
