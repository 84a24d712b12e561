"""SelectiveClassifier: calibrated probabilities, and which predictions to accept."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    _fit_context,
    clone,
)
from sklearn.utils import (
    check_consistent_length,
    check_random_state,
    column_or_1d,
    get_tags,
    indexable,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
)

from fashionkit._doc_link import DocLinkMixin
from fashionkit.decision._calibrators import calibrate, fit_isotonic, fit_temperature
from fashionkit.decision._criterion import (
    SHARES,
    Criterion,
    check_costs,
    check_criterion,
    choose_threshold,
)
from fashionkit.decision._held_out import predict_held_out
from fashionkit.decision._outliers import make_detector
from fashionkit.decision._routing import route
from fashionkit.decision._selective_predict import SelectivePredictionMixin
from fashionkit.decision._thresholds import outlier_threshold


class SelectiveClassifier(
    DocLinkMixin, SelectivePredictionMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Classifier that knows which of its predictions to leave to a person.

    A classifier is fitted, and its probabilities are calibrated on images that it was not fitted
    on. On the same images it is chosen from which confidence on predictions are accepted: such
    that at most 2 % of them are wrong, say, or that 90 % of the images are accepted. ``predict``
    always returns a class; :meth:`decide` says which to accept, which to review, and which images
    do not look like any that were trained on.

    Read more in :doc:`Decisions </decisions>`.

    Parameters
    ----------
    estimator : classifier
        Classifier with ``predict_proba`` or ``decision_function``. To calibrate one that is fitted
        already, pass a :class:`~sklearn.frozen.FrozenEstimator` of it, and ``fit`` on images that
        it was not fitted on.

    criterion : {"risk", "coverage", "confidence", "cost"} or None, default=None
        What decides which predictions are accepted.

        - "risk": at most ``level`` of the accepted predictions are wrong, with the probability
          ``confidence_level`` [1]_ [2]_; as many are accepted as that allows;
        - "coverage": a share of ``level`` of the images is accepted;
        - "confidence": predictions with a probability of at least ``level`` are accepted;
        - "cost": the class of the lowest expected cost is predicted, and accepted where its cost is
          at most ``level``, the cost of a review [3]_;
        - None: all are accepted.

    level : float, default=None
        What the criterion asks for: from 0 to 1, or a cost. None is only for ``criterion=None``,
        and for "cost" where no prediction is left to review.

    costs : array-like of shape (n_classes, n_classes), default=None
        Cost of predicting the class of a column for an image of the class of a row, both in the
        order of ``classes_``; only for ``criterion="cost"``.

    confidence_level : float, default=0.95
        Probability with which a promise is kept: that of the risk, and that an image's prediction
        set in :meth:`decide` holds its class. The largest share of images like those trained on
        that the outlier detector rejects is ``1 - confidence_level``, with the same probability.

    calibration : {"temperature", "isotonic"} or None, default="temperature"
        "temperature" divides the logarithms of the probabilities by a number that minimises the log
        loss [4]_. It never changes which class is most probable. "isotonic" fits a monotone
        function of the probability of each class against the others [5]_, which needs more images.
        None leaves probabilities as they are.

    outlier_detector : estimator, "auto" or None, default=None
        Finds images of what none of the classes is. Any estimator with ``score_samples``, which is
        fitted on ``X``, such as ``make_pipeline(HOGFeatures(), IsolationForest())``. "auto"
        compares images with their nearest neighbours among the training images. None looks for
        none.

    cv : float, int, cross-validation splitter or iterable, default=0.1
        Which images to calibrate on. A float is the share that is held out, stratified by class;
        the classifier is fitted on the others. An int is a number of folds: the classifier is
        fitted once for each fold, to predict its images, and then on all images. A splitter or an
        iterable of rows makes the folds. Ignored for a :class:`~sklearn.frozen.FrozenEstimator`,
        which is calibrated on all of ``X``.

    random_state : int, RandomState instance or None, default=None
        Draws the images that are held out, and the random part of the prediction sets "aps" and
        "raps". The classifier has a ``random_state`` of its own.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    temperature_ : float
        What the logarithms of probabilities are divided by; 1 without such a calibration.

    isotonic_ : list of IsotonicRegression or None
        A function for each class, or one for the second of two classes.

    threshold_ : float
        Least confidence of an accepted prediction; infinity where none is accepted. With
        ``criterion="cost"``, the highest expected cost.

    coverage_ : float
        Share of the images for calibration that are accepted.

    risk_ : float
        Share of these that are classified wrongly; NaN where none is accepted.

    risk_bound_ : float
        Upper limit of the error rate of accepted images, which holds with the probability
        ``confidence_level`` for this threshold.

    outlier_detector_ : estimator or None
        The fitted detector.

    outlier_threshold_ : float or None
        Images of a lower score are outliers.

    calibration_probabilities_ : ndarray of shape (n_calibration, n_classes)
        Calibrated probabilities of the images for calibration, from which prediction sets follow.

    calibration_targets_ : ndarray of shape (n_calibration,), dtype=int
        Columns of their true classes.

    n_features_in_ : int
        Number of features, or pixels times channels, seen in ``fit``, where the classifier tells.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where the classifier tells.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : Calibrates and never rejects.
    sklearn.model_selection.TunedThresholdClassifierCV : Chooses between two classes.
    fashionkit.plotting.RiskCoverageDisplay : Error rate against the share of accepted images.
    fashionkit.plotting.ThresholdDisplay : Both against the threshold.

    Notes
    -----
    ``X`` is passed to the classifier and the detector as it is: arrays of any dimension, lists,
    DataFrames, or an :class:`~fashionkit.ImageFolder`.

    *Risk.* Thresholds are tested one after the other, from the highest on, with exact binomial
    p-values, until one fails: the fixed-sequence testing of [2]_. No test has to be stricter for
    there being others, as in the algorithm of [1]_. The promise is about images that are drawn as
    those for calibration were: the next season's need a new calibration. It holds where an image of
    higher confidence is not wrong more often than one of lower confidence, for a classifier that
    was fitted on none of the images for calibration: for a float ``cv`` and a FrozenEstimator
    exactly, for folds about. The temperature and the outlier detector use the same images, but a
    temperature hardly changes the order of confidences, and the detector does not see labels. If no
    threshold can be shown to keep the level, ``fit`` warns and nothing is accepted: of few images,
    none can. It takes 149 images without an error to show with 95 % that at most 2 % are wrong.

    *Ties.* Images of one confidence are accepted together, so that "coverage" may accept more.

    *Weights.* ``sample_weight`` counts in the fit, if the classifier takes it, in the calibration,
    in coverage and risk. For the binomial bound, weights that are not equal count as fewer images:
    about right, not exact. Prediction sets and the outlier detector only leave out images of weight
    0.

    *Decision scores.* Of a classifier without ``predict_proba``, the decision scores take the place
    of logarithms of probabilities: that of two classes as log-odds. With ``calibration=None`` such
    probabilities mean little.

    *Two classes in a row.* "isotonic" is 1e-6 parts the uncalibrated probability, so that images
    that its steps make equal keep their order.

    References
    ----------
    .. [1] Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS
       2017, algorithm 2.

    .. [2] A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan and L. Lei, "Learn then Test:
       Calibrating Predictive Algorithms to Achieve Risk Control", 2021, section 2.

    .. [3] C. K. Chow, "On Optimum Recognition Error and Reject Tradeoff", IEEE Transactions on
       Information Theory 16, 1970.

    .. [4] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, section 4.2.

    .. [5] B. Zadrozny and C. Elkan, "Transforming Classifier Scores into Accurate Multiclass
       Probability Estimates", KDD 2002.

    Examples
    --------
    >>> from fashionkit import SelectiveClassifier, make_garments, make_model
    >>> X, y = make_garments(1200, random_state=0)
    >>> clf = SelectiveClassifier(
    ...     make_model("hog-forest", random_state=0),
    ...     criterion="coverage",
    ...     level=0.8,
    ...     cv=0.3,
    ...     random_state=0,
    ... )
    >>> clf.fit(X[:1000], y[:1000]).predict(X[1000:]).shape
    (200,)
    >>> table = clf.decide(X[1000:])
    >>> is_accepted = table["status"] == "accepted"
    >>> accuracy = (table["label"] == y[1000:])[is_accepted].mean()
    >>> bool(accuracy > clf.score(X[1000:], y[1000:]))
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"]), HasMethods(["fit", "predict"])],
        "criterion": [StrOptions({*SHARES, "cost"}), None],
        "level": [Real, None],
        "costs": ["array-like", None],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "calibration": [StrOptions({"temperature", "isotonic"}), None],
        "outlier_detector": [StrOptions({"auto"}), HasMethods(["fit", "score_samples"]), None],
        "cv": [Interval(Real, 0, 1, closed="neither"), "cv_object"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        criterion: str | None = None,
        level: float | None = None,
        costs: Any = None,
        confidence_level: float = 0.95,
        calibration: str | None = "temperature",
        outlier_detector: Any = None,
        cv: Any = 0.1,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.criterion = criterion
        self.level = level
        self.costs = costs
        self.confidence_level = confidence_level
        self.calibration = calibration
        self.outlier_detector = outlier_detector
        self.cv = cv
        self.random_state = random_state

    # The parameters of the estimator are validated where it is fitted.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit the classifier, calibrate it, and choose what to accept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images, or whatever the classifier takes.

        y : array-like of shape (n_samples,)
            Class labels of any type.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image. None gives all images the weight 1.

        **fit_params : dict
            Further parameters of the classifier's ``fit``. Those of one value for each image are
            divided as ``X`` is.

        Returns
        -------
        self : SelectiveClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            If ``estimator`` is no classifier, or has neither probabilities nor decision scores.

        ValueError
            If the data is not valid, or ``level`` or ``costs`` do not go with ``criterion``.

        Warns
        -----
        UserWarning
            If no threshold is known to keep the risk, if a class has one image only, or if the
            classifier takes no ``sample_weight``.
        """
        criterion = Criterion(self.criterion, self.level, self.confidence_level)
        check_criterion(self.estimator, criterion, self.costs)
        y = self._check_y(X, y)
        X = indexable(X)[0]  # sparse ones by rows; images and lists stay as they are
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, y)
        random_state = check_random_state(self.random_state)
        is_seed = isinstance(self.random_state, int | np.integer)
        # A seed is taken as it is, so that prediction sets are those of other packages.
        seed = int(self.random_state) if is_seed else int(random_state.randint(2**31 - 1))
        held_out = predict_held_out(
            self.estimator,
            self._make_detector,
            X,
            y,
            self.cv,
            fit_params=route(self, sample_weight, fit_params),
            random_state=random_state,
        )
        costs = check_costs(self.costs, len(held_out.classes))
        weights = np.ones(len(y)) if weights is None else weights
        weights = weights[held_out.rows].astype(np.float64)
        kept = weights > 0
        weights, targets, logits = weights[kept], held_out.targets[kept], held_out.logits[kept]
        if not len(targets):
            raise ValueError(
                "sample_weight is 0 for all images that were held out for calibration; pass some "
                "of other weights."
            )
        temperature, isotonic = 1.0, None
        if self.calibration == "temperature":
            temperature = fit_temperature(logits, targets, weights)
        elif self.calibration == "isotonic":
            isotonic = fit_isotonic(calibrate(logits, 1.0, None), targets, weights)
        probabilities = calibrate(logits, temperature, isotonic)

        self.estimator_, self.classes_ = held_out.estimator, held_out.classes
        self.temperature_, self.isotonic_ = temperature, isotonic
        self.calibration_probabilities_, self.calibration_targets_ = probabilities, targets
        self._seed, self._costs = seed, costs
        self.outlier_detector_, self.outlier_threshold_ = held_out.detector, None
        is_eligible = np.ones(len(targets), dtype=bool)
        if held_out.scores is not None:
            scores = held_out.scores[kept]
            self.outlier_threshold_ = outlier_threshold(scores, self.confidence_level)
            is_eligible = scores >= self.outlier_threshold_
        chosen = choose_threshold(
            criterion,
            probabilities,
            targets,
            costs=costs,
            is_eligible=is_eligible,
            weights=weights,
        )
        self.threshold_, self.coverage_ = chosen.threshold, chosen.coverage
        self.risk_, self.risk_bound_ = chosen.risk, chosen.risk_bound
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata is passed on.

        Returns
        -------
        routing : MetadataRouter
            What ``fit`` takes, and passes to the ``fit`` of the estimator.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _check_y(self, X: Any, y: Any) -> np.ndarray:
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        check_consistent_length(X, y)
        return y

    @property
    def _make_detector(self) -> Any:
        """Return what makes a detector for a fitted classifier; None where there is none."""
        detector = self.outlier_detector
        if detector is None:
            return None
        return make_detector if isinstance(detector, str) else lambda classifier: clone(detector)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        if self.outlier_detector is not None:
            detector = self.outlier_detector
            takes_sparse = not isinstance(detector, str) and get_tags(detector).input_tags.sparse
            tags.input_tags.sparse &= takes_sparse
        if inner.classifier_tags is not None:
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags
