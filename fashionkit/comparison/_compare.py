"""One protocol for all models: the same images, folds and seed for each."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils._param_validation import validate_params
from sklearn.utils.parallel import Parallel, delayed

import fashionkit
from fashionkit._images import users_level
from fashionkit.comparison._checkpoint import Checkpoint
from fashionkit.comparison._comparison import Comparison
from fashionkit.comparison._evaluation import Result, evaluate
from fashionkit.comparison._metrics import metric_columns
from fashionkit.comparison._models import describe_model, read_models
from fashionkit.comparison._progress import Progress
from fashionkit.comparison._splits import Data, make_data, seed_of
from fashionkit.datasets._names import choices

logger = logging.getLogger(__name__)

_UNFINISHED = "KeyboardInterrupt: not finished"
_CHECKPOINT_FORMAT = 1


@validate_params(
    {
        "models": [dict, list, tuple],
        "X": "no_validation",
        "y": ["array-like"],
        "X_test": "no_validation",
        "y_test": ["array-like", None],
        "cv": ["cv_object"],
        "groups": ["array-like", None],
        "scoring": [str, callable, list, tuple, set, dict, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "checkpoint_dir": [str, os.PathLike, None],
        "class_names": ["array-like", dict, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,
)
def compare_models(
    models: Mapping[str, Any] | Sequence[str | tuple[str, Any]],
    X: Any,
    y: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    cv: Any = None,
    groups: Any = None,
    scoring: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    verbose: int = 0,
) -> Comparison:
    """Compare classifiers on the same test images, on the same folds, or on both.

    Each model is cloned and fitted on all training images, to be evaluated on the test images;
    or on the training part of each fold, to be evaluated on the rest. Choosing a model or a
    parameter by the result makes the result optimistic: pass a search as a model instead, which
    chooses on the training images alone.

    Read more in the :ref:`User Guide <comparison>`.

    Parameters
    ----------
    models : dict of str to estimator, or list of str or of (str, estimator)
        Classifiers by name; they are cloned, and not changed. A string is the name of a model
        that :func:`~fashionkit.make_model` makes. Searches, such as those of
        :func:`~fashionkit.make_search`, are models like others. A
        :class:`~sklearn.frozen.FrozenEstimator` is compared as it is, without fitting.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), DataFrame or ImageFolder
        Training images. scikit-learn's own classifiers get them as flat rows, all other models
        as they are.

    y : array-like of shape (n_samples,)
        Class labels of any type.

    X_test : array-like, DataFrame or ImageFolder, default=None
        Test images, in the same form as ``X``; None for folds only.

    y_test : array-like of shape (n_test_samples,), default=None
        Labels of the test images, all of which must occur in ``y``.

    cv : int, splitter or iterable of (train, test), default=None
        Folds of the training images: a number of stratified folds, a splitter of scikit-learn,
        also one that repeats, or pairs of arrays of rows. None for a test set only. Where there
        are both, models are ranked by the test set.

    groups : array-like of shape (n_samples,), default=None
        Group of each training image, for splitters such as
        :class:`~sklearn.model_selection.StratifiedGroupKFold`: photos by one sender stay together.

    scoring : str, callable, list or dict, default=None
        Scores to add to those that are always measured, as for
        :func:`~sklearn.model_selection.cross_validate`.

    n_jobs : int, default=None
        Number of models or folds to fit at the same time; None for 1, unless a
        :func:`joblib.parallel_config` says otherwise, which may also name a cluster. Times
        depend on it.

    random_state : int, RandomState instance or None, default=None
        Seed of every ``random_state`` that is None, in all models. Folds have the seed of their
        splitter.

    checkpoint_dir : str or path-like, default=None
        Folder to write each result to as soon as it is finished, with its fitted model. The same
        call goes on where it was, and a call with more models adds to what is there. The files
        are pickles: load only your own.

    class_names : sequence or dict of str, default=None
        Name of each label: a dict from label to name, or names of the labels 0, 1, ... or of
        the sorted labels; by default the labels themselves.

    verbose : int, default=0
        1 shows a progress bar, or a line for each model where the output is no terminal;
        2 shows the epochs of networks, too.

    Returns
    -------
    comparison : Comparison
        Tables, verdicts, figures, predictions and fitted models.

    Raises
    ------
    ValueError
        If the arguments are invalid, the checkpoint is of other data or folds, or every model
        failed.

    OSError
        If ``checkpoint_dir`` is not writable.

    KeyboardInterrupt
        After Ctrl-C before any model has a result.

    Warns
    -----
    UserWarning
        If a model failed, or after Ctrl-C. The results of the others are kept.

    See Also
    --------
    make_model : Makes models by their names.
    make_search : Makes searches of models by their names.
    Comparison : What is returned.
    sklearn.model_selection.cross_validate : Several fits of one model.

    Notes
    -----
    Wall times and CPU times are those of one process, so other load on the machine increases the
    former. The fit time is that of one call of ``fit``; for the first neural network of a process
    it includes loading TensorFlow. The prediction time is that of one call of ``predict`` on all
    evaluated images. A call on 8 images precedes it, so that compiling and loading are not
    included. Features that several named models share are computed once, and their times count
    for each of these models.

    Examples
    --------
    >>> from fashionkit import compare_models, make_garments
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = make_garments(600, random_state=0)
    >>> comparison = compare_models(
    ...     ["hog-knn", ("guess", DummyClassifier())],
    ...     X[:400], y[:400], X_test=X[400:], y_test=y[400:], random_state=0,
    ... )
    >>> comparison.to_frame()["model"].tolist()
    ['hog-knn', 'guess']
    >>> comparison.pairwise()["p_value"][0] < 0.001
    True
    """
    seed = seed_of(random_state)
    with contextlib.ExitStack() as stack:
        memory = _feature_folder(checkpoint_dir, stack)
        clones = read_models(models, seed=seed, memory=memory)
        data = make_data(X, y, X_test, y_test, cv=cv, groups=groups, class_names=class_names)
        scorer = _make_scorer(scoring, clones)
        run = _Run(clones, data, scorer, seed, checkpoint_dir, memory)
        results = run.go(n_jobs, verbose)
    if all(result.error for result in results):
        reasons = "; ".join(f"{result.model!r}: {result.error}" for result in results)
        cause = next((result.exception for result in results if result.exception), None)
        raise ValueError(f"Every model failed. {reasons}") from cause
    return Comparison(results, data, seed)


class _Run:
    """The evaluations of one call, some of which may be finished."""

    def __init__(
        self,
        clones: dict[str, Any],
        data: Data,
        scorer: Callable | None,
        seed: int | None,
        checkpoint_dir: Any,
        memory: Any,
    ):
        self._clones = clones
        self._data = data
        self._scorer = scorer
        self._memory = memory
        self._tasks = [(name, part) for name in clones for part in data.parts]
        self._keys: dict[str, str] = {}
        self._checkpoint: Checkpoint | None = None
        if checkpoint_dir is not None:
            self._keys = {name: describe_model(name, clones[name]) for name in clones}
            settings = _settings(data, seed, scorer)
            self._checkpoint = Checkpoint(checkpoint_dir, settings)

    def go(self, n_jobs: int | None, verbose: int) -> list[Result]:
        """Return all results in the order of the models."""
        results: dict[tuple[str, str], Result] = {}
        with Progress(list(self._clones), len(self._data.parts), bool(verbose)) as progress:
            for result in self._read():
                results[result.model, result.part] = result
                progress.add(result)
            left = [task for task in self._tasks if task not in results]
            try:
                for result in self._evaluate(left, n_jobs, verbose, progress):
                    results[result.model, result.part] = result
                    self._keep(result)
                    progress.add(result)
            except KeyboardInterrupt:
                if all(result.error for result in results.values()):
                    raise
                _warn_of_interruption([task for task in self._tasks if task not in results])
        return [results.get(task) or Result(*task, error=_UNFINISHED) for task in self._tasks]

    def _read(self) -> Iterator[Result]:
        """Yield what is finished already."""
        for name, part in self._tasks if self._checkpoint else ():
            result = self._checkpoint.read(name, self._keys[name], part)  # type: ignore[union-attr]
            if result is not None:
                yield result

    def _evaluate(
        self, tasks: list[tuple[str, str]], n_jobs: int | None, verbose: int, progress: Progress
    ) -> Iterator[Result]:
        """Yield the results of tasks as they finish."""

        def calls() -> Iterator[Any]:
            for name, part in tasks:
                progress.begin(name)
                estimator = _shown(clone(self._clones[name]), verbose)
                yield delayed(evaluate)(
                    name, estimator, part, self._data, scorer=self._scorer, memory=self._memory
                )

        return Parallel(n_jobs=n_jobs, return_as="generator_unordered")(calls())

    def _keep(self, result: Result) -> None:
        if result.error:
            logger.info("Model %r failed on %s.\n%s", *_place(result), result.traceback)
            message = f"Model {result.model!r} failed: {result.error}"
            warnings.warn(message, UserWarning, stacklevel=users_level())
        elif self._checkpoint:
            self._checkpoint.write(result, self._keys[result.model])


def _place(result: Result) -> tuple[str, str]:
    return result.model, result.part


def _feature_folder(checkpoint_dir: Any, stack: contextlib.ExitStack) -> str:
    """Return the folder for features that models share: it goes with the checkpoint, or after."""
    if checkpoint_dir is not None:
        return str(Path(checkpoint_dir).expanduser() / "features")
    # Files of a process that was killed may still be open on Windows.
    folder = tempfile.TemporaryDirectory(prefix="fashionkit-", ignore_cleanup_errors=True)
    return stack.enter_context(folder)


def _make_scorer(scoring: Any, clones: dict[str, Any]) -> Callable | None:
    """Return a function that computes a dict of all scores that are not measured anyway."""
    if callable(scoring):
        scoring = {getattr(scoring, "__name__", "score"): scoring}
    names = [scoring] if isinstance(scoring, str) else scoring or ()
    measured = metric_columns()
    if isinstance(scoring, Mapping):
        if taken := [name for name in scoring if name in measured]:
            raise ValueError(
                f"scoring has the names {choices(taken)}, which are columns of the table already; "
                "rename them."
            )
    else:
        scoring = [name for name in names if name not in measured]
    if not scoring:
        return None
    return check_scoring(next(iter(clones.values())), scoring=scoring, raise_exc=False)


def _settings(data: Data, seed: int | None, scorer: Callable | None) -> dict[str, Any]:
    """Return what results of one checkpoint have in common."""
    return {
        "format": _CHECKPOINT_FORMAT,
        "fashionkit": fashionkit.__version__,
        "training images": data.train.fingerprint(),
        "test images": data.test.fingerprint() if data.test else None,
        "folds": data.describe_folds().hash,
        "random_state": seed,
        "scoring": sorted(scorer._scorers) if scorer is not None else [],  # type: ignore[attr-defined]
    }


def _shown(estimator: Any, verbose: int) -> Any:
    """Let a network show its epochs."""
    params = estimator.get_params(deep=False)
    if verbose >= 2 and "verbose" in params and "epochs" in params:
        estimator.set_params(verbose=1)
    return estimator


def _warn_of_interruption(left: list[tuple[str, str]]) -> None:
    models = list(dict.fromkeys(name for name, _ in left))
    message = f"The comparison was interrupted; it has no results of {choices(models)}."
    warnings.warn(message, UserWarning, stacklevel=users_level())
