"""Prediction methods of SelectiveClassifier: classes, probabilities, sets, decisions."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fashionkit.decision._calibrators import calibrate
from fashionkit.decision._conformal import METHODS, predict_sets
from fashionkit.decision._criterion import choose
from fashionkit.decision._decide import ACCEPTED, OUTLIER, REVIEW, decision_table, explain
from fashionkit.decision._held_out import predict_logits

if TYPE_CHECKING:
    import pandas as pd


class SelectivePredictionMixin:
    """Prediction methods of a fitted SelectiveClassifier."""

    # Set in ``fit``.
    estimator_: Any
    classes_: np.ndarray
    temperature_: float
    isotonic_: list | None
    threshold_: float
    confidence_level: float
    outlier_detector_: Any
    outlier_threshold_: float | None
    calibration_probabilities_: np.ndarray
    calibration_targets_: np.ndarray
    _costs: np.ndarray | None
    _seed: int

    def predict(self, X: Any) -> np.ndarray:
        """Predict a class for each image, whether or not it would be accepted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Most probable class; with ``criterion="cost"``, the class of the lowest expected cost.
        """
        chosen, _ = choose(self.predict_proba(X), self._costs)
        return self.classes_[chosen]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the calibrated probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Probabilities, in the order of ``classes_``. Each row sums to 1.
        """
        check_is_fitted(self)
        logits = predict_logits(self.estimator_, X, self.classes_)
        return calibrate(logits, self.temperature_, self.isotonic_)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the logarithm of the calibrated probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Natural logarithms, in the order of ``classes_``; that of 0 is about -708.
        """
        probabilities = self.predict_proba(X)
        return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))

    def predict_set(
        self,
        X: Any,
        confidence: float = 0.95,
        *,
        method: str = "lac",
        conditional: str | None = None,
    ) -> np.ndarray:
        """Predict a set of classes for each image by conformal prediction.

        On average over images from the distribution of the calibration images, at least the
        fraction ``confidence`` of the sets contains the true class, for any classifier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        confidence : float, default=0.95
            Minimum fraction of sets that contain the true class, between 0 and 1.

        method : {"lac", "aps", "raps"}, default="lac"
            Conformity score of the sets.

            - "lac": all classes whose probability reaches a threshold [1]_, which gives the
              smallest sets on average. A set is empty if all probabilities are low: such an image
              is unlike the calibration images, or between classes;
            - "aps": the most probable classes, until their cumulative probability reaches a
              threshold [2]_, which gives larger sets for difficult images. No set is empty;
            - "raps": "aps" with a penalty on classes of high rank, which gives smaller sets if
              there are many classes [3]_.

        conditional : {"class"} or None, default=None
            Whether the fraction holds within each class ("class", Mondrian conformal prediction
            [4]_), or over all images (None). "class" needs enough calibration images of each class:
            with fewer than 19 of them at 0.95, a class is in all sets.

        Returns
        -------
        sets : ndarray of shape (n_samples, n_classes), dtype=bool
            Whether each class is in the set, in the order of ``classes_``.

        Raises
        ------
        ValueError
            If a parameter is invalid, or there are too few calibration images for "raps".

        See Also
        --------
        decide : Decisions, with the set "lac" of ``confidence_level``.

        Notes
        -----
        The sets equal those of MAPIE's ``SplitConformalClassifier`` for the calibrated
        probabilities and the same ``random_state``; for "aps" and "raps", with its default
        ``include_last_label=True``. Their scores are randomised in the calibration, as in [2]_,
        but not in the prediction: the set of an image is deterministic, and somewhat larger than
        necessary. Penalty and rank of "raps" are chosen on a tenth of the calibration images, by
        appendix E of [3]_; MAPIE 1.6 tunes the penalty differently, so that some of its sets may
        differ.

        The temperature is fitted on the same calibration images. The guarantee then is
        approximate, but a single parameter hardly affects it.

        References
        ----------
        .. [1] M. Sadinle, J. Lei and L. Wasserman, "Least Ambiguous Set-Valued Classifiers with
           Bounded Error Levels", Journal of the American Statistical Association 114, 2019.

        .. [2] Y. Romano, M. Sesia and E. J. Candès, "Classification with Valid and Adaptive
           Coverage", NeurIPS 2020.

        .. [3] A. N. Angelopoulos, S. Bates, J. Malik and M. I. Jordan, "Uncertainty Sets for Image
           Classifiers using Conformal Prediction", ICLR 2021.

        .. [4] Vladimir Vovk, "Conditional Validity of Inductive Conformal Predictors", ACML 2012.

        Examples
        --------
        >>> from fashionkit import SelectiveClassifier, make_garments, make_model
        >>> X, y = make_garments(600, random_state=0)
        >>> model = make_model("hog-fast", random_state=0)
        >>> clf = SelectiveClassifier(model, cv=0.3, random_state=0).fit(X[:500], y[:500])
        >>> sets = clf.predict_set(X[500:], confidence=0.9)
        >>> sets.shape
        (100, 10)
        """
        check_is_fitted(self)
        if not isinstance(confidence, Real) or not 0 < confidence < 1:
            raise ValueError(f"confidence={confidence!r}, expected a number between 0 and 1.")
        if method not in METHODS:
            raise ValueError(f"method={method!r}, expected one of {', '.join(map(repr, METHODS))}.")
        if conditional not in (None, "class"):
            raise ValueError(f"conditional={conditional!r}, expected 'class' or None.")
        return self._sets(self.predict_proba(X), confidence, method, conditional)

    def decide(self, X: Any) -> pd.DataFrame:
        """Predict each image, and decide whether to accept the prediction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        table : DataFrame of shape (n_samples, 9)
            One row for each image, in the order of ``X`` and with its index if it is a DataFrame,
            with the columns

            - ``label``: predicted class, as returned by :meth:`predict`;
            - ``confidence``: its calibrated probability;
            - ``second``, ``second_confidence``, ``third`` and ``third_confidence``: the next most
              probable classes and their probabilities; None and NaN if there are fewer classes;
            - ``set``: tuple of the classes in the prediction set "lac" of ``confidence_level``,
              beginning with ``label`` if the set contains it;
            - ``status``: "accepted", "review", or "outlier" if the detector rejects the image.
              :func:`~fashionkit.classify_photos` adds "error";
            - ``reason``: reason of the status, in words.

        See Also
        --------
        predict_set : Prediction sets by other methods and for other confidences.
        fashionkit.classify_photos : Decisions on photos in files.
        """
        check_is_fitted(self)
        probabilities = self.predict_proba(X)
        chosen, cost = choose(probabilities, self._costs)
        if cost is None:
            measure, unit = probabilities[np.arange(len(chosen)), chosen], "confidence"
            is_accepted = measure >= self.threshold_
        else:
            measure, unit = cost, "cost"
            is_accepted = measure <= self.threshold_
        status = np.where(is_accepted, ACCEPTED, REVIEW)
        if self.outlier_detector_ is not None:
            scores = np.asarray(self.outlier_detector_.score_samples(X))
            status = np.where(scores < self.outlier_threshold_, OUTLIER, status)
        reasons = [
            explain(one, value, self.threshold_, unit)
            for one, value in zip(status.tolist(), measure.tolist(), strict=True)
        ]
        sets = self._sets(probabilities, self.confidence_level, "lac", None)
        index = getattr(X, "index", None)
        return decision_table(
            self.classes_,
            probabilities,
            chosen,
            sets,
            status,
            reasons,
            None if callable(index) else index,
        )

    def _sets(
        self, probabilities: np.ndarray, confidence: float, method: str, conditional: str | None
    ) -> np.ndarray:
        return predict_sets(
            probabilities,
            self.calibration_probabilities_,
            self.calibration_targets_,
            confidence,
            method=method,
            by_class=conditional == "class",
            seed=self._seed,
        )
