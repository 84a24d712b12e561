"""What a fitted SelectiveClassifier says of images: classes, probabilities, sets, decisions."""

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
    """The methods of a fitted SelectiveClassifier that take images."""

    # What ``fit`` sets.
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
        """Predict a class for each image, also where it would be left to review.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable class; with ``criterion="cost"``, that of the lowest expected cost.
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
            Natural logarithms, in the order of ``classes_``.
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
        """Predict, for each image, a set of classes that holds the true one.

        A fraction of ``confidence`` of the sets hold the true class, or more, on average over
        images like those for calibration, whatever the classifier: conformal prediction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        confidence : float, default=0.95
            Least share of the sets that hold the true class.

        method : {"lac", "aps", "raps"}, default="lac"
            How sets are made.

            - "lac": the classes of enough probability [1]_, which makes the smallest sets on
              average. A set may be empty, where the classifier is less sure of all classes than of
              nearly all images for calibration: such an image is unlike them, or lies between
              classes;
            - "aps": the most probable classes, until their sum is enough [2]_: larger sets for
              images that are hard. No set is empty;
            - "raps": the same, with a penalty for classes of high ranks, which makes sets smaller
              where there are many classes [3]_.

        conditional : {"class"} or None, default=None
            "class" keeps the share within each class by itself (Mondrian) [4]_, which needs enough
            images of each: of fewer than 19 for 0.95, the class is in all sets.

        Returns
        -------
        sets : ndarray of shape (n_samples, n_classes), dtype=bool
            Whether a class is in the set.

        Raises
        ------
        ValueError
            If a parameter is invalid, or there are too few images for calibration for "raps".

        Notes
        -----
        The sets are those of MAPIE's ``SplitConformalClassifier`` for the calibrated probabilities
        and the same ``random_state``; those of "aps" and "raps" with its default
        ``include_last_label=True``. Their scores are randomised in the calibration, as in [2]_,
        and not in the prediction: sets of the same image are always the same, and somewhat larger
        than ``confidence`` asks for. Penalty and rank of "raps" are chosen on a tenth of the images
        for calibration, as in [3]_; MAPIE 1.6 tunes the penalty otherwise, so that some of its sets
        may differ.

        Calibration by temperature changes the sets of "lac" little. That it uses the same images is
        of no account, for it is one number.

        References
        ----------
        .. [1] M. Sadinle, J. Lei and L. Wasserman, "Least Ambiguous Set-Valued Classifiers with
           Bounded Error Levels", Journal of the American Statistical Association 114, 2019.

        .. [2] Y. Romano, M. Sesia and E. J. Candès, "Classification with Valid and Adaptive
           Coverage", NeurIPS 2020.

        .. [3] A. N. Angelopoulos, S. Bates, J. Malik and M. I. Jordan, "Uncertainty Sets for Image
           Classifiers using Conformal Prediction", ICLR 2021.

        .. [4] Vladimir Vovk, "Conditional Validity of Inductive Conformal Predictors", ACML 2012.
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
        """Say of each image what it is, how sure that is, and whether to accept it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        table : DataFrame of shape (n_samples, 9)
            One row for each image, in the order of ``X`` and with its index, with the columns

            - ``label``: what :meth:`predict` returns;
            - ``confidence``: its calibrated probability;
            - ``second``, ``second_confidence``, ``third`` and ``third_confidence``: the classes
              that are most probable after it; None and NaN where there are fewer classes;
            - ``set``: tuple of the classes in the prediction set "lac" of ``confidence_level``, the
              label first;
            - ``status``: "accepted", "review", or "outlier" for images that the detector rejects.
              :func:`~fashionkit.classify_photos` adds "error";
            - ``reason``: why, in plain words.
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
