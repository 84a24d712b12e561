"""Training of a calibrated classifier on photos, with its evaluation."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any

import joblib
import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from tqdm.auto import tqdm

from fashionkit.datasets import ImageFolder
from fashionkit.datasets._names import shortened
from fashionkit.decision._evaluate import evaluate, make_card
from fashionkit.decision._fit import Fitter
from fashionkit.decision._labelled import Labelled, list_labelled
from fashionkit.decision._models import TARGET_NAMES
from fashionkit.decision._plan import make_plan

_N_FOLDS = 5


@validate_params(
    {
        "source": [str, os.PathLike, None],
        "labels": "no_validation",
        "model": [str, None],
        "targets": ["array-like", None],
        "groups": [str, os.PathLike, None],
        "criterion": [StrOptions({"risk", "coverage", "confidence"}), None],
        "level": [Interval(Real, 0, 1, closed="neither"), None],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "calibration": [StrOptions({"temperature", "isotonic"}), None],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "image_size": [Interval(Integral, 1, None, closed="left"), None],
        "params": [dict, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def train_photos(
    source: str | os.PathLike[str] | None,
    labels: Any = None,
    *,
    model: str | None = None,
    targets: list[str] | None = None,
    groups: str | os.PathLike[str] | None = None,
    criterion: str | None = "risk",
    level: float | None = 0.05,
    confidence_level: float = 0.95,
    calibration: str | None = "temperature",
    cv: int | None = None,
    n_iter: int | None = None,
    image_size: int | None = None,
    params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    random_state: Any = 0,
    verbose: int = 0,
) -> Bunch:
    """Train a classifier on photos, calibrate it, and evaluate it on photos held out from the fit.

    Read more in the :ref:`User Guide <classify>`.

    Parameters
    ----------
    source : str, path-like or None
        Folder with a sub-folder of photos for each class; or, if ``labels`` are given, the folder
        to which their relative paths refer. None if ``labels`` contain absolute paths, or paths
        relative to their CSV file or to the current directory.

    labels : str, path-like, DataFrame or list of these, default=None
        CSV files or tables with a column "path" and a column of labels, or several columns of
        attributes, each of which becomes a target. From a table with a column "corrected", as
        written by ``classify --review``, the rows in which it is filled are used, in addition to
        all other photos; they replace earlier labels of the same photo.

    model : str, default=None
        Name from :func:`~fashionkit.list_models`. None selects "photos-lda", a linear discriminant
        analysis on features of a frozen network, which takes minutes for some thousand photos. If
        the weights of its network are neither on disk nor can be downloaded, the network of
        "clothing-photos-small-v1" is used instead.

    targets : list of str, default=None
        Columns of labels to learn; None for all columns that are not known to contain anything
        else, such as paths or groups.

    groups : str or path-like, default=None
        Group of each photo, such as its sender: a column of the labels, or a CSV file with the
        columns "file" and "sender_id". Photos of a group are never split between training and
        evaluation. None if the photos are independent.

    criterion : {"risk", "coverage", "confidence"} or None, default="risk"
        Rule by which predictions are accepted, as in :class:`~fashionkit.SelectiveClassifier`.

    level : float or None, default=0.05
        Maximum error rate for "risk", minimum fraction of accepted photos for "coverage", or
        minimum probability for "confidence", between 0 and 1. Must be None for ``criterion=None``.

    confidence_level : float, default=0.95
        Probability that the error rate stays below ``level`` for ``criterion="risk"``.

    calibration : {"temperature", "isotonic"} or None, default="temperature"
        Method of calibration, as in :class:`~fashionkit.SelectiveClassifier`.

    cv : int, default=None
        Number of folds of the evaluation. None means 5 folds for models whose features are computed
        once (see Notes), and otherwise a single split that holds out a fifth of the photos.

    n_iter : int, default=None
        Number of parameter combinations to search in each fit, on the training photos alone; None
        for no search.

    image_size : int, default=None
        Height and width in pixels that photos are resized to; None for the size that the model
        requires, or 96 if it accepts any.

    params : dict, default=None
        Parameters of the model, as for :func:`~fashionkit.make_model`.

    n_jobs : int, default=None
        Number of folds to fit at the same time. None means 1, unless in a
        :func:`joblib.parallel_config` context; -1 means all processors.

    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of the model.

    verbose : int, default=0
        Verbosity: 1 shows a progress bar of the steps.

    Returns
    -------
    result : Bunch
        Dictionary-like object, with the attributes

        - ``model``: fitted :class:`~fashionkit.SelectiveClassifier`; for several targets, a
          :class:`~sklearn.multioutput.MultiOutputClassifier` of one for each target, in a pipeline
          if the features are computed once;
        - ``evaluation``: DataFrame with a row for each target, and the columns "target", "photos",
          "accuracy", "low" and "high" (its 95 % Wilson interval), "calibration_error" (expected
          calibration error), "coverage" (fraction of accepted photos) and "accepted_accuracy";
        - ``per_class``: DataFrame with a row for each class of each target, and the columns
          "target", "class", "precision", "recall", "f1" and "photos";
        - ``predictions``: DataFrame with a row for each photo of each target that was predicted,
          and the columns "target", "path" and "true", followed by those of
          :meth:`SelectiveClassifier.decide <fashionkit.SelectiveClassifier.decide>`;
        - ``metadata``: dict for :func:`~fashionkit.save`, including the model card;
        - ``card``: str, model card in Markdown;
        - ``skipped``: list of (path, reason) of the photos that cannot be read;
        - ``n_corrected``: int, number of labels from columns "corrected".

    Raises
    ------
    TypeError
        If ``labels`` are neither paths nor DataFrames.

    ValueError
        If the tables are inconsistent or contain nothing to learn, no row of a column "corrected"
        is filled, there are too few photos, or a name is unknown.

    FileNotFoundError
        If a file is missing, or the weights of a model that was requested by name.

    Warns
    -----
    UserWarning
        If photos cannot be read, no threshold can be shown to keep the risk, or the weights of the
        default model are unavailable.

    See Also
    --------
    classify_photos : Classify photos with the result.
    fashionkit.SelectiveClassifier : Calibration, and the criteria of accepted predictions.
    fashionkit.compare_models : Compare models on the same photos.

    Notes
    -----
    The returned model uses all readable photos. Features that do not depend on the training photos,
    such as those of a frozen network, are computed once for all targets and folds. The classifier
    on them is calibrated on the predictions of five folds. Other models are calibrated
    on a tenth of the photos, which is held out from their fit.

    The evaluation is of models fitted in the same way, on photos held out from their fit and
    calibration.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from fashionkit.decision import train_photos
    >>> files = tempfile.TemporaryDirectory()
    >>> for label, gray in [("dark", 40), ("light", 200)]:
    ...     (Path(files.name) / label).mkdir()
    ...     for i in range(40):
    ...         Image.new("L", (8, 8), gray + i).save(Path(files.name) / label / f"{i}.png")
    >>> result = train_photos(
    ...     files.name, model="pixels-tree", image_size=8, criterion=None, level=None
    ... )
    >>> result.evaluation[["target", "photos", "accuracy"]]
      target  photos  accuracy
    0  label      80       1.0
    >>> files.cleanup()
    """
    listed = list_labelled(source, labels, targets, groups)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    plan = make_plan(model, params, image_size, seed, n_iter)
    listed, images, skipped = _readable(listed, plan.image_size)
    settings = {
        "criterion": criterion,
        "level": level,
        "confidence_level": confidence_level,
        "calibration": calibration,
        "random_state": seed,
    }
    is_cheap = plan.features is not None
    fitter = Fitter(plan.classifier, plan.search, settings, is_cheap, seed)
    n_folds = cv or (_N_FOLDS if is_cheap else None)
    with tqdm(total=3, disable=not verbose, leave=False) as progress:
        progress.set_description("features" if is_cheap else "images")
        X = images if plan.features is None else plan.features.fit(images).transform(images)
        progress.update()
        progress.set_description("evaluation")
        evaluation, per_class, predictions = evaluate(fitter, X, listed, n_folds, n_jobs)
        progress.update()
        progress.set_description("training")
        fitted = [
            fitter.fit(X, listed.targets[target].to_numpy(object), listed.groups)
            for target in listed.targets
        ]
        progress.update()
    card = make_card(
        plan.name, listed, (evaluation, per_class), _how(n_folds, listed.groups), settings
    )
    metadata = {
        TARGET_NAMES: list(listed.targets),
        "trained_model": plan.name,
        "image_size": plan.image_size,
        "photos": len(images),
        "evaluation": evaluation.astype(object).where(evaluation.notna(), None).to_dict("records"),
        "card": card,
    }
    return Bunch(
        model=fitter.assemble(plan.step, plan.features, fitted),
        evaluation=evaluation,
        per_class=per_class,
        predictions=predictions,
        metadata=metadata,
        card=card,
        skipped=skipped,
        n_corrected=listed.n_corrected,
    )


def _readable(listed: Labelled, size: int) -> tuple[Labelled, ImageFolder, list[tuple[str, str]]]:
    """Return the readable photos, of which each class needs at least two."""
    images = ImageFolder.from_paths(
        listed.paths.tolist(), image_size=size, on_error="skip", n_jobs=joblib.cpu_count()
    )
    if images.skipped:
        rows = np.flatnonzero(np.isin(listed.paths.astype(str), images.filenames))
        listed = listed.take(rows)
    for target in listed.targets:
        counts = listed.targets[target].value_counts()
        if len(counts) < 2 or counts.min() < 2:
            rare = [f"{label!r} has {count}" for label, count in counts.items() if count < 2]
            raise ValueError(
                f"{target} needs at least two classes, and two photos of each that can be read, "
                f"but {shortened(rare, 5) or f'all have {counts.index[0]!r}'}; pass more photos."
            )
    return listed, images, images.skipped


def _how(n_folds: int | None, groups: Any) -> str:
    unit = "photo" if groups is None else "group"
    if n_folds is None:
        part = "Evaluated on a fifth of the photos, held out from the fit and the calibration"
        return f"{part}." if groups is None else f"{part} by group."
    return (
        f"Cross-validated in {n_folds} folds, by {unit}: each photo was predicted by a model that "
        "was fitted without it. The final model uses all photos."
    )
