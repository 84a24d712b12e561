"""compare_with_calibration: whether new decisions differ from those on the calibration images."""

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
from fashionkit.decision._predicted import Predicted, check_decisions
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
    """Compare decisions on new images with those on the images for calibration.

    A :class:`~fashionkit.SelectiveClassifier` keeps what it said of the images that it was
    calibrated on, so that nothing else is needed to see that new ones differ: no reference images,
    and no labels.

    Read more in :ref:`drift`.

    Parameters
    ----------
    model : SelectiveClassifier, Pipeline, search, str or path-like
        The fitted model that has made the decisions; its file; or its name. A Pipeline or search
        ends in a SelectiveClassifier.

    decisions : DataFrame of shape (n_samples, n_columns)
        What its ``decide`` or :func:`~fashionkit.classify_photos` returns: the columns ``label``,
        ``confidence`` and ``status``. Rows of status "error" do not count.

    n_permutations : int, default=999
        Number of permutations of each test.

    significance : float, default=0.05
        Corrected p value below which the verdict is that something has shifted.

    random_state : int, RandomState instance or None, default=0
        Draws permutations.

    Returns
    -------
    shifts : DataFrame of shape (3, 6) or None
        The rows "class shares", "confidence" and "review rate" of
        :meth:`PredictionMonitor.compare <fashionkit.PredictionMonitor.compare>`. None if the model
        keeps no calibration, or fewer than two of the images could be read.

    Raises
    ------
    ValueError
        If ``decisions`` are not those of the model.

    See Also
    --------
    fashionkit.PredictionMonitor : Also compares embeddings of the images with any reference.

    Notes
    -----
    Weights of images for calibration do not count.

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
    if "status" in decisions and (decisions["status"] != "error").sum() < 2:
        return None
    new = check_decisions(decisions, selective.classes_, len(decisions), has_status=True)
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    rows = compare_predictions(
        _calibration_of(selective), new, selective.classes_, n_permutations, rng
    )
    return to_table(rows, significance)


def _selective_of(model: Any) -> SelectiveClassifier | None:
    """Return the selective classifier at the end of a model."""
    while not isinstance(model, SelectiveClassifier):
        if isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return None
    return model


def _calibration_of(selective: SelectiveClassifier) -> Predicted:
    """Return what a selective classifier says of the images that it was calibrated on."""
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
