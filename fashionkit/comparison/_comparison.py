"""The results of a comparison: tables, verdicts, figures and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._files import write_files
from fashionkit.comparison._metrics import describe_columns, metric_table
from fashionkit.comparison._report import write_report
from fashionkit.comparison._results import Part, columns, group, per_class, to_frame
from fashionkit.comparison._splits import Data
from fashionkit.comparison._text import Row, as_html, as_text
from fashionkit.comparison._verdicts import PART, Verdicts
from fashionkit.datasets._docs import substitute
from fashionkit.datasets._names import choices

if TYPE_CHECKING:
    import pandas as pd


class Comparison(Verdicts):
    """Results of :func:`~fashionkit.compare_models`: tables, verdicts, figures and files.

    ``print(comparison)`` shows the table and the verdicts on the differences; notebooks show the
    same as HTML. It is returned by :func:`~fashionkit.compare_models`, not constructed directly.

    The *evaluated images* are the test set if there is one, otherwise the test parts of all folds,
    concatenated.

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
        Training history of each model that was trained in epochs; with folds, that of the first
        fold.

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
        Folds with the attributes ``splits``, a list of pairs of arrays with the rows to train and
        to evaluate on, and ``hash``, a str that identifies the folds.

    seed_ : int or None
        Seed of the models.

    See Also
    --------
    compare_models : Fits the models and returns this object.
    fashionkit.plotting.AccuracyDisplay : Accuracy of each model with its interval.
    fashionkit.plotting.ParetoDisplay : Accuracy against cost.
    fashionkit.plotting.PairwiseDisplay : Verdicts on all pairs.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from fashionkit import compare_models, make_garments
    >>> X, y = make_garments(300, random_state=0)
    >>> models = {"tree": DecisionTreeClassifier(random_state=0), "constant": DummyClassifier()}
    >>> comparison = compare_models(models, X[:200], y[:200], X_test=X[200:], y_test=y[200:])
    >>> comparison.to_frame()["model"].tolist()
    ['tree', 'constant']
    >>> comparison.confusion_matrix("tree").shape
    (10, 10)
    """

    def __init__(self, results: Sequence[Result], data: Data, seed: int | None = None):
        self._results = list(results)
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

    @validate_params({"self": "no_validation", "part": PART}, prefer_skip_nested_validation=True)
    @substitute(columns=describe_columns())
    def to_frame(self, part: Part | None = None) -> pd.DataFrame:
        """Return one row per model, most accurate first.

        Parameters
        ----------
        part : {"test", "folds"}, default=None
            Part that is evaluated: the test set or the folds. None is the test set if there is one.

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
            If there are no results of this part.

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
            Columns ``model``, ``fold``, counted from 1, and those of :meth:`to_frame`; empty
            without folds.
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

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write a self-contained HTML report.

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

        See Also
        --------
        save : Writes the report, tables and figures to a folder.

        Notes
        -----
        The first screen says which model is best, how sure that is, at what cost, and what to do
        next. Tables can be sorted and filtered, cells of the confusion matrices show their
        images. The file is readable on a phone, in dark mode, in print and by screen readers.

        It contains pictures of some of the images, at most 2.2 MB in all, and the names of their
        files, the folder of the images and the command line: look at it before you pass it on.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from fashionkit import compare_models, make_garments
        >>> from sklearn.dummy import DummyClassifier
        >>> X, y = make_garments(300, random_state=0)
        >>> comparison = compare_models({"guess": DummyClassifier()}, X, y, cv=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     comparison.to_html(Path(folder) / "report.html").stat().st_size > 100_000
        True
        """
        return write_report(self, path)

    def save(self, folder: str | os.PathLike[str], *, report: bool = True) -> list[Path]:
        """Write tables, verdicts, the report and figures to a folder.

        The files are ``results.csv``, the frame; ``pairwise.csv``, ``per_class.csv`` and
        ``leakage.csv``; ``verdicts.txt``, what is printed; ``folds.csv`` where there are folds;
        ``confusion_matrix_<model>.png`` for each model; ``learning_curves.png`` where a model was
        trained in epochs; other figures; and ``report.html``, the last. Existing files of these
        names are replaced.

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

    @validate_params(
        {"self": "no_validation", "names": ["array-like", set]}, prefer_skip_nested_validation=True
    )
    def without(self, names: Sequence[str]) -> Comparison:
        """Return the comparison without some of the models.

        Parameters
        ----------
        names : sequence of str
            Names of the models to leave out.

        Returns
        -------
        comparison : Comparison
            Comparison of the remaining models.

        Raises
        ------
        ValueError
            If a model is unknown, or no model would be left.
        """
        known = [model.name for model in self._models]
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"Unknown models {choices(unknown)}; choose from {choices(known)}.")
        if all(model.name in names for model in self._ranked):
            raise ValueError(f"Without {choices(names)}, no model with a result is left.")
        left = [result for result in self._results if result.model not in names]
        return Comparison(left, self._data, self.seed_)

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
