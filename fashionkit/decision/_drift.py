"""Tests for shifts between the calibration images of a model and new decisions."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from fashionkit.decision._criterion import choose
from fashionkit.decision._models import find_model
from fashionkit.decision._predicted import Predicted, check_decisions, check_table
from fashionkit.decision._selective import SelectiveClassifier
from fashionkit.decision._shifts import compare_predictions, to_table

if TYPE_CHECKING:
    import pandas as pd


@validate_params(
    {
        "model": "no_validation",
        "decisions": "no_validation",
        "n_permutations": [Interval(Integral, 19, None, closed="left")],
        "significance": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_with_calibration(
    model: Any,
    decisions: pd.DataFrame,
    *,
    n_permutations: int = 999,
    significance: float = 0.05,
    random_state: Any = 0,
) -> pd.DataFrame | None:
    """Compare decisions on new images with those on the calibration images of the model.

    A :class:`~fashionkit.SelectiveClassifier` keeps the probabilities of its calibration images, so
    that a comparison needs neither reference images nor labels.

    Read more in the :ref:`User Guide <drift>`.

    Parameters
    ----------
    model : SelectiveClassifier, Pipeline, search, str or path-like
        Fitted model that made the decisions: a SelectiveClassifier, or a Pipeline or search that
        ends in one; or its file, or its name from :func:`~fashionkit.list_pretrained`.

    decisions : DataFrame of shape (n_samples, n_columns)
        Result of its ``decide`` or of :func:`~fashionkit.classify_photos`, with the columns
        ``label``, ``confidence`` and ``status``. Images of status "error" are only used for the
        review rate.

    n_permutations : int, default=999
        Number of permutations of each test. The smallest possible p value is
        ``1 / (n_permutations + 1)``.

    significance : float, default=0.05
        Corrected p value below which a measure has shifted.

    random_state : int, RandomState instance or None, default=0
        Seed of the permutations.

    Returns
    -------
    shifts : DataFrame of shape (3, 6) or None
        Rows "class shares", "confidence" and "review rate" of
        :meth:`PredictionMonitor.compare <fashionkit.PredictionMonitor.compare>`. None if the model
        has no SelectiveClassifier, or fewer than two of the images are readable.

    Raises
    ------
    TypeError
        If ``decisions`` is not a DataFrame, or ``model`` has an unsupported type.

    ValueError
        If ``decisions`` lack a column, or do not match the classes of the model.

    FileNotFoundError
        If the file of the model does not exist.

    See Also
    --------
    fashionkit.PredictionMonitor : Comparison with any reference images, including embeddings.

    Notes
    -----
    Calibration images count equally in the class shares and confidences, and by their
    ``sample_weight`` in the review rate.

    Examples
    --------
    >>> from fashionkit import SelectiveClassifier, make_garments, make_model
    >>> from fashionkit.decision import compare_with_calibration
    >>> X, y = make_garments(900, random_state=0)
    >>> clf = SelectiveClassifier(
    ...     make_model("hog-fast", random_state=0),
    ...     criterion="coverage",
    ...     level=0.8,
    ...     cv=0.3,
    ...     random_state=0,
    ... ).fit(X[:600], y[:600])
    >>> compare_with_calibration(clf, clf.decide(X[600:]))["verdict"].tolist()
    ['within chance', 'within chance', 'within chance']
    >>> upside_down = clf.decide(X[600:, ::-1])
    >>> compare_with_calibration(clf, upside_down)["verdict"].iloc[1]
    'mean confidence fell from ... to ...'
    """
    selective = _selective_of(find_model(model).estimator)
    if selective is None:
        return None
    check_is_fitted(selective)
    check_table(decisions)
    if "status" in decisions and (decisions["status"] != "error").sum() < 2:
        return None
    new = check_decisions(decisions, selective.classes_, len(decisions), has_status=True)
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    rows = compare_predictions(
        _calibration_of(selective), new, selective.classes_, n_permutations, rng
    )
    return to_table(rows, significance)


def _selective_of(model: Any) -> SelectiveClassifier | None:
    """Return the SelectiveClassifier in which a model ends; None if there is none."""
    while not isinstance(model, SelectiveClassifier):
        if isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return None
    return model


def _calibration_of(selective: SelectiveClassifier) -> Predicted:
    """Return the summary of the decisions on the calibration images."""
    probabilities = selective.calibration_probabilities_
    chosen = choose(probabilities, selective._costs)[0]
    n_images = len(chosen)
    n_accepted = round(selective.coverage_ * n_images)
    return Predicted(
        np.bincount(chosen, minlength=len(selective.classes_)),
        probabilities[np.arange(n_images), chosen],
        np.arange(n_images),
        np.array([n_accepted, n_images - n_accepted]),
    )
