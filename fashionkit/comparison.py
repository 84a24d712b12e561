"""Which model is better, and by more than chance? One protocol for all of them."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from tqdm.auto import tqdm

from fashionkit._evaluation import Result, evaluate, holm, mcnemar
from fashionkit._files import file_name, prepare_folder, write_whole
from fashionkit._tables import as_html, as_text
from fashionkit.plotting import (
    draw_confusion_matrix,
    draw_training_histories,
    training_history,
)

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


@validate_params(
    {
        "models": [dict, list, tuple],
        "X": "no_validation",
        "y": ["array-like"],
        "X_test": "no_validation",
        "y_test": ["array-like"],
        "target_names": ["array-like", None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,
)
def compare_models(
    models: Mapping[str, Any] | Sequence[tuple[str, Any]],
    X: Any,
    y: Any,
    *,
    X_test: Any,
    y_test: Any,
    target_names: Sequence[str] | None = None,
    verbose: int = 0,
) -> Comparison:
    """Train models on the same images and compare them on the same other ones.

    Each model is cloned, fitted once on ``(X, y)`` and evaluated once on
    ``(X_test, y_test)``, one after the other. Choose no model and no parameter by the
    result, or it will be too good to be true; a search belongs on the training data.

    Parameters
    ----------
    models : dict of str to estimator, or list of (str, estimator)
        Unfitted classifiers and their names; they are left as they are.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels)
        Training images, passed to each model as they are. scikit-learn's own
        classifiers take flat rows only, ``X.reshape(len(X), -1)``; the estimators of
        fashionkit take every form.

    y : array-like of shape (n_samples,)
        Class labels of any type.

    X_test : array-like
        Test images, of the same form as ``X``.

    y_test : array-like of shape (n_test_samples,)
        Their labels, all of which must occur in ``y``.

    target_names : sequence of str, default=None
        The name of each class, in the order of the sorted labels; by default the
        labels themselves.

    verbose : int, default=0
        1 to show a progress bar over the models.

    Returns
    -------
    comparison : Comparison
        The results.

    Raises
    ------
    ValueError
        If the arguments are not valid, or every model has failed.

    Warns
    -----
    UserWarning
        If a model has failed. The results of the others are kept.

    See Also
    --------
    make_baseline : Hand-made features with classical classifiers.
    CNNClassifier : A convolutional network.
    sklearn.model_selection.cross_validate : Several fits of one model.

    Notes
    -----
    Times are wall times in this process and include whatever else the machine does.
    That of fitting is one call of ``fit``; the first neural network of a process also
    loads TensorFlow in it. That of predicting is one call of ``predict`` on all test
    images, divided by their number, after a call on 8 of them, so that nothing is
    compiled or loaded while the clock runs.

    Examples
    --------
    >>> from fashionkit import compare_models, make_garments
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = make_garments(600, random_state=0)
    >>> X = X.reshape(len(X), -1)
    >>> comparison = compare_models(
    ...     {"knn": KNeighborsClassifier(), "guess": DummyClassifier()},
    ...     X[:400], y[:400], X_test=X[400:], y_test=y[400:],
    ... )
    >>> comparison.to_frame()["model"].tolist()
    ['knn', 'guess']
    >>> comparison.confusion_matrix("knn").shape
    (10, 10)
    """
    clones = _clone_all(models)
    y, y_test = column_or_1d(y, warn=True), column_or_1d(y_test, warn=True)
    labels, names = _check_labels(X, y, X_test, y_test, target_names)
    results = []
    first_error = None
    with tqdm(clones.items(), unit="model", disable=not verbose) as bar:
        for name, estimator in bar:
            bar.set_description(name)
            try:
                result = evaluate(name, estimator, X, y, X_test, y_test)
            except Exception as error:  # whatever a model raises, the others go on
                first_error = first_error or error
                said = " ".join(str(error).split())
                result = Result(name, error=f"{type(error).__name__}: {said}")
                logger.info("Model %r failed.", name, exc_info=True)
                message = f"Model {name!r} failed: {result.error}"
                warnings.warn(message, UserWarning, stacklevel=3)
            results.append(result)
    if all(result.error for result in results):
        reasons = "; ".join(f"{result.name!r}: {result.error}" for result in results)
        raise ValueError(f"Every model failed. {reasons}") from first_error
    return Comparison(results, y_test, labels, names)


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

    target_names : list of str
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
        target_names: Sequence[str],
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
        self.target_names = list(target_names)

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
                draw_confusion_matrix(self.confusion_matrix(name), self.target_names, title=name),
                path,
            )
        found = {name: training_history(e) for name, e in self.estimators_.items()}
        if histories := {name: history for name, history in found.items() if history}:
            writers["learning_curves.png"] = lambda path: _save_figure(
                draw_training_histories(histories), path
            )
        return writers


def _clone_all(models: Any) -> dict[str, Any]:
    """Return clones by name, before anything has cost time."""
    pairs = list(models.items() if isinstance(models, Mapping) else models)
    if not pairs:
        raise ValueError("models is empty; pass at least one classifier by its name.")
    clones: dict[str, Any] = {}
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(f"models has the entry {pair!r}; expected (name, estimator).")
        name, estimator = pair
        if name in clones:
            raise ValueError(f"models has two entries of the name {name!r}; rename one.")
        if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
            raise ValueError(
                f"models[{name!r}] is {estimator!r}; expected a classifier with fit and predict."
            )
        clones[name] = clone(estimator)
    return clones


def _check_labels(
    X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray, target_names: Any
) -> tuple[np.ndarray, list[str]]:
    """Return the labels and their names, after checking that all belongs together."""
    check_consistent_length(X, y)
    check_consistent_length(X_test, y_test)
    check_classification_targets(y)
    if not len(y_test):
        raise ValueError("X_test has no images; at least one is needed.")
    labels = unique_labels(y)
    unseen = np.setdiff1d(y_test, labels)
    if len(unseen):
        raise ValueError(
            f"y_test has the labels {unseen[:5].tolist()} that y has not; "
            "leave them out, or train on them too."
        )
    names = [str(label) for label in labels] if target_names is None else list(target_names)
    if len(names) != len(labels):
        raise ValueError(
            f"target_names has {len(names)} names, but y has {len(labels)} classes: "
            f"{labels[:12].tolist()}."
        )
    return labels, [str(name) for name in names]


def _save_figure(figure: Any, path: Path) -> None:
    figure.savefig(path, format="png", dpi=150)
