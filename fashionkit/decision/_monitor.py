"""Monitoring of a classifier: tests for shifts between reference images and new ones."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import reject_single, stacked
from fashionkit.decision._embedding import NAMES, Embedding, choose, in_form
from fashionkit.decision._permutation import compare_rows
from fashionkit.decision._predicted import Predicted, check_decisions, predict
from fashionkit.decision._shift_words import Row
from fashionkit.decision._shifts import compare_predictions, to_table

if TYPE_CHECKING:
    import pandas as pd


class PredictionMonitor(DocLinkMixin, BaseEstimator):
    """Permutation tests for shifts between reference images and new ones.

    An evaluation of a model is only valid for images of the same distribution. Without labels, four
    measures are compared: the shares of predicted classes, the confidences, the fraction of images
    that a :class:`~fashionkit.SelectiveClassifier` does not accept, and embeddings of the images.
    The tests assume nothing but exchangeable images.

    Read more in the :ref:`User Guide <drift>`.

    Parameters
    ----------
    model : classifier
        Fitted classifier with ``predict_proba``, or a Pipeline or search that ends in one. With a
        method ``decide``, such as that of a SelectiveClassifier, the review rate is compared as
        well. If the monitor is cloned, wrap the model in a :class:`~sklearn.frozen.FrozenEstimator`
        to keep it fitted.

    embedding : {"auto", "features", "hog", "probabilities"} or transformer, default="auto"
        Vectors by which images are compared.

        - "features": for a network of fashionkit, its last feature maps, averaged over each map;
          for a Pipeline, the input of its last step;
        - "hog": :class:`~fashionkit.HOGFeatures` of the images;
        - "probabilities": predicted probabilities of the model;
        - "auto": "features" if the model has them; otherwise "hog", or "probabilities" if the
          images are paths;
        - a transformer: it is cloned and fitted on one half of the reference images, and the other
          half is compared.

        Embeddings of more than 256 features are reduced to 256 by a random projection.

    n_permutations : int, default=999
        Number of permutations of each test. The smallest possible p value is
        ``1 / (n_permutations + 1)``.

    max_samples : int, default=1000
        Maximum number of images of either sample whose embeddings are compared, drawn at random.
        The other tests use all images.

    significance : float, default=0.05
        Corrected p value below which a measure has shifted.

    random_state : int, RandomState instance or None, default=None
        Seed of the drawn images and of the permutations.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels of the model.

    class_shares_ : ndarray of shape (n_classes,)
        Share of each class among the predictions on the reference images.

    embedding_ : {"features", "hog", "probabilities", "transformer"}
        Kind of the embedding.

    n_reference_ : int
        Number of reference images.

    n_features_in_ : int
        Number of features seen in the ``fit`` of the model, or otherwise in that of the embedding,
        if either has this attribute.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in that ``fit``, if ``X`` was a DataFrame with string names.

    See Also
    --------
    fashionkit.decision.compare_with_calibration : Comparison with the calibration images of a
        SelectiveClassifier, without embeddings.
    find_label_issues : Training images whose label is likely to be wrong.

    Notes
    -----
    Reference images must not be training images, on which a model is overconfident, so that all
    other images look shifted. Test images are suitable.

    The monitor keeps the number of predictions of each class, the confidences, and up to
    ``max_samples`` embeddings of the reference images, but not the images. Images of status "error"
    are only used for the review rate.

    Shares are compared by the total variation distance, and confidences by the Kolmogorov-Smirnov
    distance. Embeddings are compared by the unbiased estimate of the squared maximum mean
    discrepancy [1]_, with a Gaussian kernel whose bandwidth is the median distance. P values count
    the observed samples as one of the permutations [2]_, and are corrected for the number of tests
    by the method of Holm [3]_. In a comparison of methods [4]_, tests on the predictions of a
    classifier detected the most shifts.

    A significant shift need not be harmful: with thousands of images, very small differences are
    significant. The columns ``reference`` and ``new`` show their size. At a significance of 0.05, a
    daily comparison reports a shift by chance about every 20 days.

    References
    ----------
    .. [1] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf and A. Smola, "A Kernel
       Two-Sample Test", Journal of Machine Learning Research 13, 2012.

    .. [2] B. Phipson and G. K. Smyth, "Permutation P-values Should Never Be Zero", Statistical
       Applications in Genetics and Molecular Biology 9, 2010.

    .. [3] S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
       of Statistics 6, 1979.

    .. [4] S. Rabanser, S. Günnemann and Z. C. Lipton, "Failing Loudly: An Empirical Study of
       Methods for Detecting Dataset Shift", NeurIPS 2019.

    Examples
    --------
    >>> from fashionkit import PredictionMonitor, make_garments, make_model
    >>> X, y = make_garments(700, random_state=0)
    >>> model = make_model("hog-fast", random_state=0).fit(X[:300], y[:300])
    >>> monitor = PredictionMonitor(model, random_state=0).fit(X[300:500])
    >>> monitor.compare(X[500:])["verdict"].tolist()
    ['within chance', 'within chance', 'within chance']
    >>> upside_down = X[500:, ::-1]
    >>> monitor.summarize(monitor.compare(upside_down))["shifted"]
    'class shares, confidence, embedding'
    """

    _parameter_constraints: dict = {
        "model": [HasMethods(["fit", "predict"])],
        "embedding": [StrOptions(set(NAMES)), HasMethods(["fit", "transform"])],
        "n_permutations": [Interval(Integral, 19, None, closed="left")],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "significance": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        model: Any,
        *,
        embedding: Any = "auto",
        n_permutations: int = 999,
        max_samples: int = 1000,
        significance: float = 0.05,
        random_state: Any = None,
    ):
        self.model = model
        self.embedding = embedding
        self.n_permutations = n_permutations
        self.max_samples = max_samples
        self.significance = significance
        self.random_state = random_state

    # The model is fitted, and a transformer validates its parameters itself.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Predict and embed the reference images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            Reference images, which must not be training images, in any form that the model accepts.

        y : ignored
            Not used; present for API consistency.

        Returns
        -------
        self : PredictionMonitor
            The fitted monitor.

        Raises
        ------
        NotFittedError
            If the model is not fitted.

        ValueError
            If the model has no ``predict_proba``, or there are fewer than two images.
        """
        check_is_fitted(self.model)
        X = stacked(X)
        reject_single(X, y)
        predicted = predict(self.model, X)
        rng = check_random_state(self.random_state)
        self._seed = int(rng.randint(np.iinfo(np.int32).max))
        self.classes_ = np.asarray(self.model.classes_)
        self.n_reference_ = len(predicted)
        self._class_counts = predicted.class_counts
        self.class_shares_ = self._class_counts / max(1, self._class_counts.sum())
        self._confidences = np.sort(predicted.confidences).astype(np.float32)
        self._review_counts = predicted.review_counts
        self._fit_embedding(X, predicted, rng)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            for part in (self._transformer, self.model):
                if hasattr(part, name):
                    setattr(self, name, getattr(part, name))
        return self

    def compare(self, X: Any, decisions: pd.DataFrame | None = None) -> pd.DataFrame:
        """Compare new images with the reference images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            New images, at least two.

        decisions : DataFrame, default=None
            Predictions of the model on these images, with the columns ``label``, ``confidence``
            and, if the model has ``decide``, ``status``; such as the result of
            :func:`~fashionkit.classify_photos`. None predicts the images.

        Returns
        -------
        shifts : DataFrame of shape (3, 6) or (4, 6)
            One row for each of "class shares", "confidence", "review rate" (if the model has
            ``decide``) and "embedding", with the columns

            - ``reference``, ``new``: share of the class that changed most, mean confidence, or
              fraction of images that are not accepted; NaN for the embedding;
            - ``statistic``: distance of the two samples;
            - ``p_value``: probability of at least this distance by chance;
            - ``p_holm``: p value corrected for the number of tests;
            - ``verdict``: result in words.

        Raises
        ------
        TypeError
            If ``decisions`` is not a DataFrame.

        ValueError
            If there are fewer than two images, or ``decisions`` do not match the images or the
            model.
        """
        check_is_fitted(self)
        X = stacked(X)
        reject_single(X, None)
        if decisions is None:
            predicted = predict(self.model, X)
        else:
            has_status = self._review_counts is not None
            predicted = check_decisions(decisions, self.classes_, _num_samples(X), has_status)
        rng = np.random.default_rng(self._seed)
        return to_table(self._compare(X, predicted, rng), self.significance)

    def summarize(self, shifts: pd.DataFrame) -> pd.Series:
        """Summarise a comparison in one row.

        Parameters
        ----------
        shifts : DataFrame of shape (3, 6) or (4, 6)
            Result of :meth:`compare`.

        Returns
        -------
        summary : Series of shape (4,)
            Series with the entries

            - ``n_reference``: number of reference images;
            - ``shifted``: names of the measures that have shifted, separated by commas, or "none";
            - ``p_holm``: smallest corrected p value;
            - ``verdict``: verdicts of the measures that have shifted, in words.

        Raises
        ------
        ValueError
            If ``shifts`` lacks a column or rows.
        """
        import pandas as pd

        check_is_fitted(self)
        if missing := [name for name in ("p_holm", "verdict") if name not in shifts]:
            raise ValueError(
                f"shifts has no column {missing[0]!r}; pass the DataFrame that compare returns."
            )
        if shifts.empty:
            raise ValueError("shifts has no rows; pass the DataFrame that compare returns.")
        is_shifted = shifts["p_holm"] < self.significance
        said = "; ".join(shifts["verdict"][is_shifted]) or "no shift beyond chance"
        return pd.Series(
            {
                "n_reference": self.n_reference_,
                "shifted": ", ".join(shifts.index[is_shifted]) or "none",
                "p_holm": float(shifts["p_holm"].min()),
                "verdict": said,
            }
        )

    def _fit_embedding(self, X: Any, predicted: Predicted, rng: np.random.RandomState) -> None:
        """Choose and fit the embedding, and embed up to ``max_samples`` reference images."""
        self.embedding_, transformer = choose(self.embedding, self.model, X)
        rows = rng.permutation(predicted.readable)
        if self.embedding_ == "transformer":
            # Images that a transformer was fitted on are not exchangeable with new ones.
            seen, rows = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            _require_two(rows, "embedded half of X")
            transformer.fit(in_form(transformer, _safe_indexing(X, np.sort(seen))))
        rows = np.sort(rows[: self.max_samples])
        images = _safe_indexing(X, rows)
        if self.embedding_ == "hog":
            transformer.fit(images)
        self._transformer = transformer
        self._embeddings = self._embed(images)

    def _embed(self, X: Any) -> np.ndarray:
        return Embedding(self.model, self.embedding_, self._transformer).transform(X)

    def _compare(self, X: Any, predicted: Predicted, rng: np.random.Generator) -> list[Row]:
        n = self.n_permutations
        reference = Predicted(
            self._class_counts, self._confidences, np.array([]), self._review_counts
        )
        rows = compare_predictions(reference, predicted, self.classes_, n, rng)
        chosen = np.sort(rng.permutation(predicted.readable)[: self.max_samples])
        difference = compare_rows(self._embeddings, self._embed(_safe_indexing(X, chosen)), n, rng)
        rows.append(Row("embedding", np.nan, np.nan, difference, ""))
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _require_two(rows: np.ndarray, what: str) -> None:
    if len(rows) < 2:
        raise ValueError(f"{what} has {len(rows)} images, expected at least 2; pass more images.")
