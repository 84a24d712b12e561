"""The results of a comparison: tables, tests of differences, and files."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import confusion_matrix

from fashionkit._files import file_name, prepare_folder, write_whole
from fashionkit.comparison._evaluation import Result
from fashionkit.comparison._metrics import describe_columns, metric_columns
from fashionkit.comparison._report import as_html, as_text
from fashionkit.comparison._statistics import holm, mcnemar
from fashionkit.datasets._docs import substitute
from fashionkit.datasets._names import choices
from fashionkit.plotting._confusion import draw_confusion_matrix
from fashionkit.plotting._history import draw_training_histories, training_history

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class Comparison:
    """Results of :func:`~fashionkit.compare_models`, as a table, sentences and files.

    ``print(comparison)`` shows the table and which differences exceed chance; notebooks
    show the same as HTML.

    Attributes
    ----------
    estimators_ : dict of str to estimator
        The fitted models, most accurate first; without those that failed.

    predictions : dict of str to ndarray of shape (n_test_samples,)
        Predicted label of each test image, by model.

    errors : dict of str to str
        Type and message of the exception, for each model that failed.

    y_test : ndarray of shape (n_test_samples,)
        True labels of the test images.

    labels : ndarray of shape (n_classes,)
        Labels in the order of the confusion matrices.

    class_names : list of str
        Names of the labels, in the same order.

    See Also
    --------
    compare_models : Fits the models and returns this object.
    """

    def __init__(
        self,
        results: Sequence[Result],
        y_test: np.ndarray,
        labels: np.ndarray,
        class_names: Sequence[str],
    ):
        failed = [result for result in results if result.error]
        finished = [result for result in results if not result.error]
        finished.sort(key=lambda result: -result.metrics["accuracy"])
        self._results = [*finished, *failed]
        self.estimators_ = {result.name: result.estimator for result in finished}
        self.predictions = {result.name: result.y_pred for result in finished}
        self.errors = {result.name: result.error for result in failed}
        self.y_test = y_test
        self.labels = labels
        self.class_names = list(class_names)

    @substitute(columns=describe_columns())
    def to_frame(self) -> pd.DataFrame:
        """Return one row per model, most accurate first.

        Returns
        -------
        frame : DataFrame
            With the columns

            model : str
                Name of the model.
            {columns}
            error : str
                Type and message of the exception; only where a model failed.

        Notes
        -----
        :func:`~fashionkit.compare_models` says how times are measured. The interval is
        that of [1]_.

        References
        ----------
        .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
           Inference", Journal of the American Statistical Association 22, 1927.
        """
        import pandas as pd

        frame = pd.DataFrame([self._row(result) for result in self._results])
        return frame if self.errors else frame.drop(columns="error")

    def confusion_matrix(self, name: str) -> np.ndarray:
        """Return the confusion matrix of one model on the test images.

        Parameters
        ----------
        name : str
            Name of the model.

        Returns
        -------
        counts : ndarray of shape (n_classes, n_classes)
            Number of test images by true class (row) and predicted class (column),
            both in the order of ``labels``.

        Raises
        ------
        ValueError
            If the model is unknown or failed.
        """
        if name not in self.predictions:
            why = f"failed: {self.errors[name]}" if name in self.errors else "is unknown"
            raise ValueError(f"Model {name!r} {why}; choose from {choices(self.predictions)}.")
        return confusion_matrix(self.y_test, self.predictions[name], labels=self.labels)

    def differences(self) -> pd.DataFrame:
        """Test the most accurate model against each other one by McNemar's test.

        Returns
        -------
        frame : DataFrame
            One row for each model except the most accurate, with the columns

            best, other : str
                Names of the two models.
            difference : float
                Accuracy of the best minus accuracy of the other.
            only_best, only_other : int
                Number of test images that only this one of the two classified
                correctly.
            p_value : float
                P value of McNemar's exact test [1]_ on these two numbers.
            p_holm : float
                The same, corrected for multiple testing by Holm's method [2]_.

        Notes
        -----
        The test covers the variation between sets of test images, not that between
        trainings with different seeds.

        References
        ----------
        .. [1] Q. McNemar, "Note on the sampling error of the difference between
           correlated proportions or percentages", Psychometrika 12, 1947.

        .. [2] S. Holm, "A simple sequentially rejective multiple test procedure",
           Scandinavian Journal of Statistics 6, 1979.
        """
        import pandas as pd

        best, *others = self.predictions
        right = {name: y == self.y_test for name, y in self.predictions.items()}
        rows = []
        for other in others:
            only_best = int(np.sum(right[best] & ~right[other]))
            only_other = int(np.sum(right[other] & ~right[best]))
            difference = (only_best - only_other) / len(self.y_test)
            p_value = mcnemar(only_best, only_other)
            rows.append((best, other, difference, only_best, only_other, p_value))
        columns = ["best", "other", "difference", "only_best", "only_other", "p_value"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(p_holm=holm(frame["p_value"].to_numpy(float)))

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the table and the figures to a folder.

        The files are ``results.csv``, the frame; ``confusion_matrix_<model>.png`` for
        each model; and ``learning_curves.png`` where a model was trained in epochs.
        Existing files of these names are replaced.

        Parameters
        ----------
        folder : str or path-like
            Folder to write to; created where it is missing.

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
        folder = prepare_folder(folder)
        writers = self._writers()
        written = []
        for name, write in writers.items():
            try:
                written.append(write_whole(folder / name, write))
            except Exception as error:  # the other files are still worth writing
                logger.info("Writing %s failed.", name, exc_info=True)
                message = f"{folder / name} could not be written: {error}"
                warnings.warn(message, UserWarning, stacklevel=2)
        return written

    def __str__(self) -> str:
        return as_text(self._results, self.differences())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html(self._results, self.differences())

    def _row(self, result: Result) -> dict[str, Any]:
        values = {name: result.metrics.get(name, np.nan) for name in metric_columns()}
        return {"model": result.name, **values, "error": result.error}

    def _writers(self) -> dict[str, Callable[[Path], Any]]:
        """Return a function that writes each file, by file name."""
        writers: dict[str, Callable[[Path], Any]] = {
            "results.csv": lambda path: self.to_frame().to_csv(path, index=False)
        }
        for name in self.predictions:
            stem = f"confusion_matrix_{file_name(name)}"
            while f"{stem}.png".lower() in map(str.lower, writers):
                stem += "_"
            writers[f"{stem}.png"] = lambda path, name=name: _save_figure(  # type: ignore[misc]
                draw_confusion_matrix(self.confusion_matrix(name), self.class_names, title=name),
                path,
            )
        found = {name: training_history(e) for name, e in self.estimators_.items()}
        if histories := {name: history for name, history in found.items() if history}:
            writers["learning_curves.png"] = lambda path: _save_figure(
                draw_training_histories(histories), path
            )
        return writers


def _save_figure(figure: Any, path: Path) -> None:
    figure.savefig(path, format="png", dpi=150)
