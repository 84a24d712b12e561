"""The results of a comparison: tables, verdicts, figures and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._files import write_files
from fashionkit.comparison._leakage import find_leakage, without_leakage
from fashionkit.comparison._metrics import describe_columns, metric_table
from fashionkit.comparison._pairwise import (
    DEFAULT_MARGIN,
    compare_on_folds,
    compare_on_test,
    sentences,
)
from fashionkit.comparison._report import write_report
from fashionkit.comparison._results import Part, columns, group, per_class, to_frame
from fashionkit.comparison._splits import TEST, Data
from fashionkit.comparison._text import Row, as_html, as_text
from fashionkit.datasets._docs import substitute
from fashionkit.datasets._names import choices

if TYPE_CHECKING:
    import pandas as pd

_PART = [StrOptions({"test", "folds"}), None]


class Comparison:
    """Results of :func:`~fashionkit.compare_models`: tables, verdicts, figures and files.

    ``print(comparison)`` shows the table and what can be said of the differences; notebooks
    show the same as HTML.

    The *evaluated images* are the test set where there is one, or else the test parts of all
    folds, one after the other.

    Attributes
    ----------
    estimators_ : dict of str to estimator
        The models fitted on all training images, most accurate first; empty without a test set.

    predictions_ : dict of str to ndarray of shape (n_evaluated,)
        Predicted label of each evaluated image, by model, most accurate first.

    probabilities_ : dict of str to ndarray of shape (n_evaluated, n_classes), dtype float64
        Predicted probabilities, in the order of ``classes_``; None for a model without
        ``predict_proba``.

    histories_ : dict of str to dict
        Training history of each model that was trained in epochs; of folds, that of the first.

    errors_ : dict of str to str
        Type and message of the exception, for each model that failed.

    y_true_ : ndarray of shape (n_evaluated,)
        True labels of the evaluated images.

    images_ : array-like, DataFrame or ImageFolder
        The test images as they were passed, or the training images where there are only folds.

    indices_ : ndarray of shape (n_evaluated,), dtype int64
        Position of each evaluated image in ``images_``.

    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the confusion matrices.

    class_names_ : list of str
        Names of the labels, in the same order.

    folds_ : Bunch
        ``splits``, a list of pairs of arrays of rows, to train on and to evaluate on; and
        ``hash``, a str that is the same for two people who use the same folds.

    seed_ : int or None
        Seed of the models.

    See Also
    --------
    compare_models : Fits the models and returns this object.
    fashionkit.plotting.AccuracyDisplay : Accuracy of each model with its interval.
    fashionkit.plotting.ParetoDisplay : Accuracy against cost.
    fashionkit.plotting.PairwiseDisplay : Verdicts on all pairs.
    """

    def __init__(self, results: Sequence[Result], data: Data, seed: int | None = None):
        self._data = data
        self._part: Part = "folds" if data.test is None else "test"
        self._models = group(results, data, self._part)
        self._ranked = [model for model in self._models if not model.error]
        evaluated = data.train if data.test is None else data.test
        self.images_ = evaluated.X
        self.indices_ = np.arange(len(evaluated))
        if data.test is None:
            self.indices_ = np.concatenate([test for _, test in data.folds])
        self.y_true_ = evaluated.y[self.indices_]
        self.classes_ = data.labels
        self.class_names_ = list(data.class_names)
        self.folds_: Bunch = data.describe_folds()
        self.seed_ = seed
        self.errors_ = {model.name: model.error for model in self._models if model.error}
        self.predictions_ = {m.name: m.predictions(self._part) for m in self._ranked}
        self.probabilities_ = {m.name: m.probabilities(self._part) for m in self._ranked}
        found = {m.name: m.of(self._part)[0].history for m in self._ranked}
        self.histories_ = {name: history for name, history in found.items() if history}
        fitted = {m.name: m.test.estimator for m in self._ranked if m.test is not None}
        self.estimators_ = {name: one for name, one in fitted.items() if one is not None}

    @validate_params({"self": "no_validation", "part": _PART}, prefer_skip_nested_validation=True)
    @substitute(columns=describe_columns())
    def to_frame(self, part: Part | None = None) -> pd.DataFrame:
        """Return one row per model, most accurate first.

        Parameters
        ----------
        part : {"test", "folds"}, default=None
            What the figures are of: the test set, or the folds. None is the test set where there
            is one.

        Returns
        -------
        frame : DataFrame
            With the columns

            model : str
                Name of the model.
            {columns}
            error : str
                Type and message of the exception; only where a model failed.

            Scores passed as ``scoring`` follow under their names. Of folds, each figure is the
            mean, and a column with the ending ``_std`` has the standard deviation.

        Raises
        ------
        ValueError
            If there is no such part.

        Notes
        -----
        :func:`~fashionkit.compare_models` says how times are measured. The interval is that of
        [1]_ on a test set, and that of [2]_ on folds.

        References
        ----------
        .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
           Inference", Journal of the American Statistical Association 22, 1927.

        .. [2] C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning
           52, 2003.
        """
        return to_frame(self._models, self._check_part(part), self._data, self._score_names())

    def fold_scores(self) -> pd.DataFrame:
        """Return one row per model and fold, in the order of the ranking.

        Returns
        -------
        frame : DataFrame
            With the columns ``model``, ``fold``, counted from 1, and those of :meth:`to_frame`;
            empty without folds.
        """
        import pandas as pd

        rows = [
            {"model": model.name, "fold": i, **result.metrics}
            for model in self._ranked
            for i, result in enumerate(model.folds, start=1)
        ]
        names = columns("test", self._score_names())
        return pd.DataFrame(rows, columns=["model", "fold", *names])

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall and F1 score of each class for each model.

        Returns
        -------
        frame : DataFrame
            With the columns ``model``, ``class``, ``precision``, ``recall``, ``f1`` and
            ``support``, the number of evaluated images of the class.
        """
        return per_class(self.predictions_, self.y_true_, self.classes_, self.class_names_)

    def confusion_matrix(self, name: str) -> np.ndarray:
        """Return the confusion matrix of one model on the evaluated images.

        Parameters
        ----------
        name : str
            Name of the model.

        Returns
        -------
        counts : ndarray of shape (n_classes, n_classes)
            Number of images by true class (row) and predicted class (column), both in the order
            of ``classes_``.

        Raises
        ------
        ValueError
            If the model is unknown or failed.
        """
        if name not in self.predictions_:
            why = f"failed: {self.errors_[name]}" if name in self.errors_ else "is unknown"
            raise ValueError(f"Model {name!r} {why}; choose from {choices(self.predictions_)}.")
        return confusion_matrix(self.y_true_, self.predictions_[name], labels=self.classes_)

    @validate_params(
        {
            "self": "no_validation",
            "margin": [Interval(Real, 0, 1, closed="left")],
            "part": _PART,
        },
        prefer_skip_nested_validation=True,
    )
    def pairwise(self, margin: float = DEFAULT_MARGIN, part: Part | None = None) -> pd.DataFrame:
        """Return what can be said of the difference between each two models.

        Parameters
        ----------
        margin : float, default=0.005
            Largest difference in accuracy that is practically none.

        part : {"test", "folds"}, default=None
            What the verdicts are drawn from; None is the test set where there is one.

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
            If there is no such part.

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
        {"self": "no_validation", "margin": [Interval(Real, 0, 1, closed="left")]},
        prefer_skip_nested_validation=True,
    )
    def verdicts(self, margin: float = DEFAULT_MARGIN) -> list[str]:
        """Return one sentence for each two neighbours of the ranking.

        Parameters
        ----------
        margin : float, default=0.005
            Largest difference in accuracy that is practically none.

        Returns
        -------
        sentences : list of str
            The sentences, best models first.
        """
        accuracy = self.to_frame().set_index("model")["accuracy"]
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
                Distance of both, as :func:`fashionkit.inspection.find_duplicates` measures it.
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

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write a report of everything as one HTML file that needs no other.

        Parameters
        ----------
        path : str or path-like
            File to write, replaced where it exists.

        Returns
        -------
        path : Path
            The file.

        Raises
        ------
        OSError
            If the file is not writable.
        """
        return write_report(self, path)

    def save(self, folder: str | os.PathLike[str], *, report: bool = True) -> list[Path]:
        """Write tables, verdicts, the report and figures to a folder.

        The files are ``results.csv``, the frame; ``pairwise.csv`` and ``per_class.csv``;
        ``folds.csv`` where there are folds; ``confusion_matrix_<model>.png`` for each model;
        ``learning_curves.png`` where a model was trained in epochs; other figures; and
        ``report.html``, the last. Existing files of these names are replaced.

        Parameters
        ----------
        folder : str or path-like
            Folder to write to; created where it is missing.

        report : bool, default=True
            Whether to write the HTML report.

        Returns
        -------
        paths : list of Path
            The files written.

        Raises
        ------
        OSError
            If the folder is not writable.

        Warns
        -----
        UserWarning
            If a file could not be written. The others are kept.
        """
        return write_files(self, folder, with_report=report)

    def __str__(self) -> str:
        return as_text(self._rows(), self._sentences())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html(self._rows(), self._sentences())

    def _rows(self) -> list[Row]:
        """Return the values of each model, or why it has none."""
        return [
            Row(model.name, model.values(self._part, self._data), model.error)
            for model in self._models
        ]

    def _check_part(self, part: Part | None) -> Part:
        if part == TEST and self._data.test is None:
            raise ValueError("part='test', but there is no test set; pass 'folds'.")
        if part == "folds" and not self._data.folds:
            raise ValueError("part='folds', but there are no folds; pass 'test'.")
        return part or self._part

    def _score_names(self) -> list[str]:
        """Return the names of the scores passed as ``scoring``."""
        known = {name for metric in metric_table() for name in metric.column_names}
        first = self._ranked[0].of(self._part)[0].metrics if self._ranked else ()
        return [name for name in first if name not in known]

    def _sentences(self) -> list[str]:
        """Return what is said below the table."""
        n_pairs = len(self._ranked) * (len(self._ranked) - 1) // 2
        said = self.verdicts()
        if n_pairs > 1:
            said.append(f"(p corrected for {n_pairs} tests by Holm's method.)")
        return said
