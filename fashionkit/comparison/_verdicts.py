"""What can be said of the results of a comparison: who is better, and what was seen before."""

from __future__ import annotations

from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from fashionkit.comparison._leakage import find_leakage, without_leakage
from fashionkit.comparison._pairwise import (
    DEFAULT_MARGIN,
    compare_on_folds,
    compare_on_test,
    sentences,
)
from fashionkit.comparison._results import ModelResults, Part
from fashionkit.comparison._splits import TEST, Data

if TYPE_CHECKING:
    import pandas as pd

PART = [StrOptions({"test", "folds"}), None]
_MARGIN = [Interval(Real, 0, 1, closed="left")]


class Verdicts:
    """The methods of a comparison that judge its results."""

    predictions_: dict[str, np.ndarray]
    y_true_: np.ndarray
    _data: Data
    _part: Part
    _ranked: list[ModelResults]

    @validate_params(
        {
            "self": "no_validation",
            "margin": _MARGIN,
            "part": PART,
        },
        prefer_skip_nested_validation=True,
    )
    def pairwise(self, margin: float = DEFAULT_MARGIN, part: Part | None = None) -> pd.DataFrame:
        """Test the difference between each pair of models.

        Parameters
        ----------
        margin : float, default=0.005
            Maximum difference in accuracy that counts as practically equal.

        part : {"test", "folds"}, default=None
            Part that is evaluated: the test set or the folds. None is the test set if there is one.

        Returns
        -------
        pairs : DataFrame of shape (n_models * (n_models - 1) / 2, 8)
            One row for each pair, with the columns

            first, second : str
                Names of the models, the more accurate one first.
            difference : float
                Accuracy of the first minus that of the second.
            p_value : float
                On a test set, p value of McNemar's exact test [1]_; on folds, of the corrected
                resampled t-test [2]_.
            p_holm : float
                The same, corrected for all pairs by Holm's method [3]_.
            p_better, p_equal, p_worse : float
                Probabilities that the first is better by more than ``margin``, within ``margin``
                of the second, or worse by more than it [4]_: on folds, by the Bayesian correlated
                t-test; on a test set, by the Dirichlet model of the Bayesian sign test, for the
                shares of images that only one of the two models classified correctly.

        Raises
        ------
        ValueError
            If there are no results of this part.

        Notes
        -----
        The verdicts of a test set cover the variation between sets of test images, not that
        between trainings with different seeds.

        The resampled t-test was derived for repeated random splits, such as
        ``StratifiedShuffleSplit``; for k folds it is a heuristic. All verdicts are NaN for a
        single fold.

        References
        ----------
        .. [1] Q. McNemar, "Note on the sampling error of the difference between
           correlated proportions or percentages", Psychometrika 12, 1947.

        .. [2] C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning
           52, 2003.

        .. [3] S. Holm, "A simple sequentially rejective multiple test procedure",
           Scandinavian Journal of Statistics 6, 1979.

        .. [4] A. Benavoli, G. Corani, J. Demsar and M. Zaffalon, "Time for a Change: a Tutorial for
           Comparing Multiple Classifiers Through Bayesian Analysis", Journal of Machine Learning
           Research 18, 2017.
        """
        if self._check_part(part) == TEST:
            assert self._data.test is not None
            y_true = self._data.test.y
            right = {model.name: model.predictions(TEST) == y_true for model in self._ranked}
            return compare_on_test(right, margin)
        scores = {model.name: model.accuracies() for model in self._ranked}
        return compare_on_folds(scores, self._data.test_share, margin)

    @validate_params(
        {"self": "no_validation", "margin": _MARGIN},
        prefer_skip_nested_validation=True,
    )
    def verdicts(self, margin: float = DEFAULT_MARGIN) -> list[str]:
        """Return one sentence for each pair of neighbours in the ranking.

        Parameters
        ----------
        margin : float, default=0.005
            Maximum difference in accuracy that counts as practically equal.

        Returns
        -------
        sentences : list of str
            The sentences, best models first.
        """
        accuracy = {m.name: m.values(self._part, self._data)["accuracy"] for m in self._ranked}
        return sentences(self.pairwise(margin), list(self.predictions_), accuracy, margin)

    @cached_property
    def leakage(self) -> pd.DataFrame:
        """Evaluated images that also stand, exactly or nearly, among the training images.

        It is computed when it is first asked for.

        Returns
        -------
        leakage : DataFrame
            One row for each such image, by its most similar training image, with the columns

            image : int
                Position among the evaluated images.
            training_image : int
                Position among the training images.
            kind : {"identical", "near"}
                Whether all pixels are the same.
            distance : float
                Distance of both, as :func:`~fashionkit.find_duplicates` measures it.
            label, training_label : object
                Their labels.
            path, training_path : str
                Their files, where the images are those of an ImageFolder.

        See Also
        --------
        without_leakage : Accuracy without these images.
        """
        return find_leakage(self._data)

    def without_leakage(self) -> pd.DataFrame:
        """Return the accuracy of each model without the images of :attr:`leakage`.

        Returns
        -------
        frame : DataFrame
            With the columns ``model``, ``accuracy`` on all evaluated images, ``without_leakage``
            on the others, and ``n_images``, the number of the others.
        """
        return without_leakage(self.predictions_, self.y_true_, self.leakage)

    def _check_part(self, part: Part | None) -> Part:
        if part == TEST and self._data.test is None:
            raise ValueError("part='test', but there is no test set; pass 'folds'.")
        if part == "folds" and not self._data.folds:
            raise ValueError("part='folds', but there are no folds; pass 'test'.")
        return part or self._part
