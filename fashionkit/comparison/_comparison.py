"""What models have achieved: tables, tests of their differences, and files."""

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
from fashionkit.comparison._evaluation import Result, holm, mcnemar
from fashionkit.comparison._report import as_html, as_text
from fashionkit.plotting._confusion import draw_confusion_matrix
from fashionkit.plotting._history import draw_training_histories, training_history

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_COLUMNS = (
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "log_loss",
    "macro_f1",
    "fit_seconds",
    "predict_ms_per_image",
    "error",
)


class Comparison:
    """Results of :func:`~fashionkit.compare_models`: print it, or take its frame.

    Attributes
    ----------
    estimators_ : dict of str to estimator
        The fitted models, best first; without those that failed.

    predictions : dict of str to ndarray of shape (n_test_samples,)
        The class that each model gave each test image.

    errors : dict of str to str
        What went wrong in each model that failed.

    y_test : ndarray of shape (n_test_samples,)
        The true classes.

    labels : ndarray of shape (n_classes,)
        Labels in the order of the confusion matrices.

    class_names : list of str
        Their names.

    See Also
    --------
    compare_models : Makes one.
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
        finished.sort(key=lambda result: -result.accuracy)
        self._results = [*finished, *failed]
        self.estimators_ = {result.name: result.estimator for result in finished}
        self.predictions = {result.name: result.y_pred for result in finished}
        self.errors = {result.name: result.error for result in failed}
        self.y_test = y_test
        self.labels = labels
        self.class_names = list(class_names)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model, best first.

        Returns
        -------
        frame : DataFrame
            With the columns

            model : str
                The name.
            accuracy, accuracy_low, accuracy_high : float
                Fraction of the test images classified correctly, and Wilson's 95 %
                interval for it [1]_.
            log_loss : float
                Mean cross-entropy of the predicted probabilities in nats; NaN for
                models without ``predict_proba``.
            macro_f1 : float
                Mean F1 score of the classes that occur in the test images.
            fit_seconds, predict_ms_per_image : float
                Seconds to fit, and milliseconds to predict one image; see
                :func:`~fashionkit.compare_models` on how they are measured.
            error : str
                What went wrong; only if a model has failed.

        References
        ----------
        .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
           Inference", Journal of the American Statistical Association 22, 1927.
        """
        import pandas as pd

        frame = pd.DataFrame(
            {"model": result.name, **{name: getattr(result, name) for name in _COLUMNS}}
            for result in self._results
        )
        return frame if self.errors else frame.drop(columns="error")

    def confusion_matrix(self, name: str) -> np.ndarray:
        """Count how one model classified the images of each class.

        Parameters
        ----------
        name : str
            The model.

        Returns
        -------
        counts : ndarray of shape (n_classes, n_classes)
            Test images by true class (row) and predicted class (column), both in the
            order of ``labels``.
        """
        if name not in self.predictions:
            why = f"failed: {self.errors[name]}" if name in self.errors else "is unknown"
            raise ValueError(
                f"Model {name!r} {why}; there are {', '.join(map(repr, self.predictions))}."
            )
        return confusion_matrix(self.y_test, self.predictions[name], labels=self.labels)

    def differences(self) -> pd.DataFrame:
        """Test whether the best model is better than each other by more than chance.

        Returns
        -------
        frame : DataFrame
            One row for each model but the best, with the columns

            best, other : str
                The two models.
            difference : float
                How much more accurate the best is.
            only_best, only_other : int
                Test images that only the one or only the other classified correctly.
            p_value : float
                Of McNemar's exact test [1]_ on these two numbers: how probable a
                difference as large would be if both models were equally good.
            p_holm : float
                The same, corrected for the number of tests by Holm's method [2]_.

        Notes
        -----
        The test asks what other test images could have changed, not what training
        again with another seed could.

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
        """Write the results as files, replacing files of the same names.

        ``results.csv``, the frame; ``confusion_matrix_<model>.png`` for each model; and
        ``learning_curves.png``, if any model was trained in epochs.

        Parameters
        ----------
        folder : str or path-like
            Where to write; made if it is not there.

        Returns
        -------
        paths : list of Path
            The files written.

        Raises
        ------
        OSError
            If nothing can be written to the folder.

        Warns
        -----
        UserWarning
            If a single file could not be written. The others are kept.
        """
        folder = prepare_folder(folder)
        writers = self._writers()
        written = []
        for name, write in writers.items():
            try:
                written.append(write_whole(folder / name, write))
            except Exception as error:  # a file that fails is no reason to lose others
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

    def _writers(self) -> dict[str, Callable[[Path], Any]]:
        """Return what writes each file, by the file's name."""
        writers: dict[str, Callable[[Path], Any]] = {
            "results.csv": lambda path: self.to_frame().to_csv(path, index=False)
        }
        for name in self.predictions:
            stem = f"confusion_matrix_{file_name(name)}"
            while f"{stem}.png".lower() in map(str.lower, writers):
                stem += "_"
            writers[f"{stem}.png"] = lambda path, name=name: _save_figure(
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
