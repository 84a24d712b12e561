"""One protocol for all models: the same images, folds and seed for each."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.comparison._comparison import Comparison
from fashionkit.comparison._metrics import metric_columns
from fashionkit.comparison._models import read_models
from fashionkit.comparison._run import Run
from fashionkit.comparison._splits import make_data, seed_of
from fashionkit.datasets._names import choices

# Columns of the tables beside those of the metrics.
_LABEL_COLUMNS = ("model", "fold", "error")


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
        "class_names": ["array-like", dict, None],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "checkpoint_dir": [str, os.PathLike, None],
        "random_state": ["random_state"],
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
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    n_jobs: int | None = None,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Comparison:
    """Compare classifiers on the same test images, on the same folds, or on both.

    Each model is cloned, fitted on all training images and evaluated on the test images. With
    folds, it is fitted on the training part of each fold and evaluated on the rest. Choosing a
    model or a parameter by the result makes the result optimistic. To choose on the training images
    alone, pass a search as a model.

    Read more in the :ref:`User Guide <comparison>`.

    Parameters
    ----------
    models : dict of str to estimator, or list of str or of (str, estimator)
        Classifiers to compare, by name. They are cloned, not changed. A string is a name that
        :func:`~fashionkit.make_model` knows. Searches, such as those of
        :func:`~fashionkit.make_search`, are allowed. A :class:`~sklearn.frozen.FrozenEstimator` is
        evaluated without fitting.

    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
            (n_samples, height, width, channels), DataFrame or ImageFolder
        Training images. scikit-learn's own classifiers receive them as flat rows, all other models
        as they are. Arrays are passed as read-only views.

    y : array-like of shape (n_samples,)
        Class labels of any type.

    X_test : array-like, DataFrame or ImageFolder, default=None
        Test images, in the same form as ``X``; None for folds only.

    y_test : array-like of shape (n_test_samples,), default=None
        Labels of the test images, all of which must occur in ``y``.

    cv : int, splitter or iterable of (train, test), default=None
        Number of stratified folds of the training images, a splitter, or pairs of arrays of row
        numbers. None uses the test set only. If both are given, models are ranked by the test set.

    groups : array-like of shape (n_samples,), default=None
        Group of each training image, such as its sender, for splitters such as
        :class:`~sklearn.model_selection.StratifiedGroupKFold`, which keep a group together.

    scoring : str, callable, list or dict, default=None
        Additional scores, as for :func:`~sklearn.model_selection.cross_validate`. A callable
        returns one number; for several, pass a dict. A score that is undefined for a model is NaN.

    class_names : sequence or dict of str, default=None
        Name of each label: a dict from label to name, or names of the labels 0, 1, ... or of the
        sorted labels. None uses the labels themselves.

    n_jobs : int, default=None
        Number of models or folds to fit at the same time. None means 1, unless in a
        :func:`joblib.parallel_config` context, which may also name a cluster. Measured times depend
        on it.

    checkpoint_dir : str or path-like, default=None
        Folder in which each result is saved as soon as it is finished, with its fitted model. The
        same call resumes there, and a call with more models adds to the results. A network resumes
        after its last finished epoch, unless it has callbacks or its own ``checkpoint_dir``. The
        files are pickles: load only files that you trust.

    random_state : int, RandomState instance or None, default=None
        Seed of every ``random_state`` that is None, in all models. Folds are seeded by their
        splitter.

    verbose : int, default=0
        Verbosity: 1 shows a progress bar, or a line for each model where the output is not a
        terminal; 2 also shows the epochs of networks.

    Returns
    -------
    comparison : Comparison
        Tables, verdicts, figures, predictions and fitted models.

    Raises
    ------
    ValueError
        If an argument is invalid, the checkpoint belongs to other data or folds, or every model
        failed.

    OSError
        If ``checkpoint_dir`` is not writable.

    KeyboardInterrupt
        After Ctrl-C before any model has a result.

    Warns
    -----
    UserWarning
        If a model, a score, or the probabilities of a model failed, or after Ctrl-C. All other
        results are kept.

    See Also
    --------
    make_model : Makes a model by its name.
    make_search : Makes a search over the parameters of a named model.
    Comparison : The returned object.
    sklearn.model_selection.cross_validate : Cross-validates one model.

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
    >>> X, y = make_garments(300, random_state=0)
    >>> comparison = compare_models(
    ...     ["pixels-tree", ("guess", DummyClassifier())],
    ...     X[:200], y[:200], X_test=X[200:], y_test=y[200:], random_state=0,
    ... )
    >>> comparison.to_frame()["model"].tolist()
    ['pixels-tree', 'guess']
    >>> print(comparison.verdicts()[0])
    pixels-tree (...) is better than guess (...): ... more than chance (p < 0.001). ...
    """
    seed = seed_of(random_state)
    with contextlib.ExitStack() as stack:
        memory = _feature_folder(checkpoint_dir, stack)
        clones = read_models(models, seed=seed, memory=memory)
        data = make_data(X, y, X_test, y_test, cv=cv, groups=groups, class_names=class_names)
        scorers = _read_scorers(scoring, clones)
        run = Run(clones, data, scorers, seed, checkpoint_dir, memory)
        results = run.go(n_jobs, verbose)
    failed = {result.model: result for result in reversed(results) if result.error}
    if len(failed) == len(clones):
        reasons = "; ".join(f"{name!r}: {failed[name].error}" for name in clones)
        cause = next((result.exception for result in results if result.exception), None)
        raise ValueError(f"Every model failed. {reasons}") from cause
    return Comparison(results, data, seed)


def _feature_folder(checkpoint_dir: Any, stack: contextlib.ExitStack) -> str:
    """Return the folder for features that models share: it goes with the checkpoint, or after."""
    if checkpoint_dir is not None:
        return str(Path(checkpoint_dir).expanduser() / "features")
    # Files of a process that was killed may still be open on Windows.
    folder = tempfile.TemporaryDirectory(prefix="fashionkit-", ignore_cleanup_errors=True)
    return stack.enter_context(folder)


def _read_scorers(scoring: Any, clones: dict[str, Any]) -> dict[str, Callable]:
    """Return functions that compute all scores that are not measured anyway."""
    measured = metric_columns()
    if callable(scoring):
        scoring = {getattr(scoring, "__name__", "score"): scoring}
    if isinstance(scoring, str):
        scoring = [scoring]
    if isinstance(scoring, Mapping):
        if taken := [name for name in scoring if name in (*_LABEL_COLUMNS, *measured)]:
            raise ValueError(
                f"scoring has the names {choices(taken)}, which are columns of the table already; "
                "rename them."
            )
    else:
        if others := [entry for entry in scoring or () if not isinstance(entry, str)]:
            raise ValueError(
                f"scoring has the entry {others[0]!r}, expected a name of scikit-learn; pass a "
                "dict from name to callable."
            )
        scoring = {name: name for name in scoring or () if name not in measured}
    model = next(iter(clones.values()))
    return {
        name: get_scorer(score) if isinstance(score, str) else check_scoring(model, scoring=score)
        for name, score in scoring.items()
    }
