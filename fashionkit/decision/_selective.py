"""Selective classification: calibrated probabilities, and which predictions to accept."""

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
    """Classifier with a reject option: accepts confident predictions, leaves others to review.

    A classifier is fitted, and its probabilities are calibrated on images held out from the fit,
    the calibration images. A confidence threshold is chosen on the same images, such that, for
    example, at most 2 % of the accepted predictions are wrong, or 90 % of the images are accepted.
    ``predict`` always returns a class; :meth:`decide` also returns whether to accept the
    prediction, to review it, or to reject the image as an outlier.

    Read more in :doc:`Decisions </decisions>`.

    Parameters
    ----------
    estimator : classifier
        Classifier with ``predict_proba`` or ``decision_function``. To calibrate one that is already
        fitted, wrap it in a :class:`~sklearn.frozen.FrozenEstimator`, and ``fit`` on images that it
        was not fitted on.

    criterion : {"risk", "coverage", "confidence", "cost"} or None, default=None
        Rule by which predictions are accepted.

        - "risk": at most the fraction ``level`` of the accepted predictions is wrong, with
          probability ``confidence_level`` [1]_ [2]_; as many as possible are accepted;
        - "coverage": the fraction ``level`` of the images is accepted;
        - "confidence": predictions with a probability of at least ``level`` are accepted;
        - "cost": the class of the lowest expected cost is predicted, and accepted if this cost is
          at most ``level``, the cost of a review [3]_;
        - None: all predictions are accepted.

    level : float, default=None
        Maximum error rate for "risk", minimum fraction of accepted images for "coverage", minimum
        probability for "confidence", each above 0 and at most 1 ("risk": below 1); or the cost of a
        review for "cost", in the unit of ``costs``, where None accepts all predictions. Must be
        None for ``criterion=None``.

    costs : array-like of shape (n_classes, n_classes), default=None
        Cost of predicting the class of a column for an image of the class of a row, both in the
        order of ``classes_``. Required by ``criterion="cost"``, and invalid for other criteria.

    confidence_level : float, default=0.95
        Probability that the error rate stays below ``level`` for ``criterion="risk"``, and that the
        prediction set of an image in :meth:`decide` contains its class. The outlier detector
        rejects at most the fraction ``1 - confidence_level`` of images like the training images,
        with the same probability.

    calibration : {"temperature", "isotonic"} or None, default="temperature"
        Method of calibration. "temperature" divides the logarithms of the probabilities by the
        number that minimises the log loss [4]_, which never changes the most probable class.
        "isotonic" fits an isotonic regression for each class against the others [5]_, which needs
        more images. None leaves probabilities unchanged.

    outlier_detector : estimator, "auto" or None, default=None
        Detector of images that belong to no class: any estimator with ``score_samples``, such as
        ``make_pipeline(HOGFeatures(), IsolationForest())``, which is fitted on the training images.
        "auto" compares images with their nearest neighbours among the training images. None detects
        no outliers.

    cv : float, int, cross-validation splitter or iterable, default=0.1
        Fraction of each class to hold out for calibration, strictly between 0 and 1; the classifier
        is fitted on the other images. Or a number of folds, a splitter, or an iterable of (train,
        test) row numbers: the classifier is fitted once for each fold, to predict its images, and
        then on all images. Ignored for a :class:`~sklearn.frozen.FrozenEstimator`, which is
        calibrated on all of ``X``.

    random_state : int, RandomState instance or None, default=None
        Seed of the images held out, and of the random part of the prediction sets "aps" and "raps".
        The classifier has a separate ``random_state``.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    temperature_ : float
        Divisor of the logarithms of probabilities; 1 unless ``calibration="temperature"``.

    isotonic_ : list of IsotonicRegression or None
        Regression for each class, or only for the second of two classes. None unless
        ``calibration="isotonic"``.

    threshold_ : float
        Minimum confidence of an accepted prediction; infinity if none is accepted. With
        ``criterion="cost"``, maximum expected cost.

    coverage_ : float
        Fraction of the calibration images that is accepted, weighted by ``sample_weight``.

    risk_ : float
        Fraction of the accepted calibration images that is misclassified, weighted likewise; NaN if
        none is accepted.

    risk_bound_ : float
        Upper confidence limit of the error rate of accepted images at ``threshold_``, by Clopper
        and Pearson [6]_, at ``confidence_level``.

    outlier_detector_ : estimator or None
        Fitted detector.

    outlier_threshold_ : float or None
        Minimum score of an image that is not an outlier.

    calibration_probabilities_ : ndarray of shape (n_calibration, n_classes), dtype=float64
        Calibrated probabilities of the calibration images, from which prediction sets are computed.

    calibration_targets_ : ndarray of shape (n_calibration,), dtype=int
        Column of the true class of each calibration image.

    n_features_in_ : int
        Number of features, or pixels times channels, seen in ``fit``, if the classifier has this
        attribute.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, if the classifier has this attribute.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : Calibration without a reject option.
    sklearn.model_selection.TunedThresholdClassifierCV : Threshold between two classes.
    fashionkit.plotting.RiskCoverageDisplay : Error rate against the fraction of accepted images.
    fashionkit.plotting.ThresholdDisplay : Error rate and coverage against the threshold.

    Notes
    -----
    ``X`` is passed unchanged to the classifier and the detector: an array of any dimension, a list,
    a DataFrame, or an :class:`~fashionkit.ImageFolder`.

    *Risk.* Thresholds are tested in descending order with exact binomial p-values, until one fails:
    the fixed-sequence testing of [2]_. Each test is at the full level, unlike the tests of [1]_,
    which are corrected for their number. The guarantee is for images from the distribution of the
    calibration images; images of a new season need a new calibration. It assumes that the error
    rate does not increase with confidence, and that the classifier was not fitted on the
    calibration images: it is exact for a float ``cv`` and for a FrozenEstimator, approximate for
    folds. The temperature and the outlier detector are fitted on the same images, but a temperature
    hardly changes the order of confidences, and the detector ignores labels. If no threshold can be
    shown to keep the level, ``fit`` warns, and nothing is accepted. A maximum error rate of 2 %,
    for example, needs at least 149 calibration images without an error at
    ``confidence_level=0.95``.

    *Ties.* Images of equal confidence are accepted together, so that "coverage" may accept more
    than ``level``.

    *Weights.* ``sample_weight`` is used in the fit, if the classifier supports it, and in the
    calibration, the coverage and the risk. The binomial bound uses the effective number of images,
    the squared sum of the weights over the sum of their squares [7]_, and is approximate for
    unequal weights. Prediction sets and the outlier threshold exclude images of weight 0, and count
    all others equally.

    *Decision scores.* Without ``predict_proba``, decision scores are used as logarithms of
    probabilities, and as log-odds for two classes. The same holds for a
    :class:`~sklearn.discriminant_analysis.LinearDiscriminantAnalysis`, whose probabilities are
    rounded to 0 and 1 on many features. With ``calibration=None``, probabilities from decision
    scores are not meaningful.

    *Isotonic ties.* The probabilities of "isotonic" contain the uncalibrated ones with a weight of
    1e-6, so that images on the same step keep their order.

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

    .. [6] C. J. Clopper and E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in
       the Case of the Binomial", Biometrika 26, 1934.

    .. [7] Leslie Kish, "Survey Sampling", Wiley, 1965.

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
        """Fit the classifier, calibrate its probabilities, and choose the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Training images, or any other input of the classifier.

        y : array-like of shape (n_samples,)
            Class labels of any type.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image; None for equal weights.

        **fit_params : dict
            Further parameters of the classifier's ``fit``. Those with one value for each image are
            split like ``X``.

        Returns
        -------
        self : SelectiveClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            If ``estimator`` is not a classifier, or has neither ``predict_proba`` nor
            ``decision_function``.

        ValueError
            If the data is invalid, ``level`` or ``costs`` do not match ``criterion``, or all
            calibration images have weight 0.

        Warns
        -----
        UserWarning
            If no threshold can be shown to keep the risk, if a class has a single image, or if the
            classifier does not support ``sample_weight``.
        """
        criterion = Criterion(self.criterion, self.level, self.confidence_level)
        check_criterion(self.estimator, criterion, self.costs)
        y = self._check_y(X, y)
        X = indexable(X)[0]  # makes sparse matrices indexable, returns other input unchanged
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, y)
        random_state = check_random_state(self.random_state)
        is_seed = isinstance(self.random_state, int | np.integer)
        # An int is used directly, so that prediction sets equal those of other packages.
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
                f"sample_weight is 0 for all {len(kept)} calibration images, expected at least one "
                "positive weight; pass other weights, or a larger cv."
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
        """Get the metadata routing of this object.

        Returns
        -------
        routing : MetadataRouter
            Routing of the parameters of ``fit`` to the ``fit`` of the estimator.
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
        """Return a function from a fitted classifier to a detector; None without a detector."""
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
