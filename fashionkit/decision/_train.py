"""train_photos: photos and labels in, a calibrated model and what it is worth out."""

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
    """Train a model on photos, calibrate it, and measure it on photos that it has not seen.

    Read more in the :ref:`User Guide <classify>`.

    Parameters
    ----------
    source : str, path-like or None
        A folder with a sub-folder of photos for each class; or, beside `labels`, the folder in
        which their relative paths begin.

    labels : str, path-like, DataFrame or list of these, default=None
        CSV files or tables with a column "path" and one of labels, or several of attributes, each
        of which becomes a target. Of a table with a column "corrected", as ``classify --review``
        writes it, the rows that are filled are added to the others, and take their place.

    model : str, default=None
        A name of :func:`~fashionkit.list_models`. None is "photos-lda", a linear discriminant
        analysis on frozen features, which learns from some thousand photos in minutes; where the
        weights of its network are neither on disk nor can be downloaded, the same on the network
        of "clothing-photos-small-v1".

    targets : list of str, default=None
        Columns of labels to learn; None for all.

    groups : str or path-like, default=None
        Which photos belong together, such as those of a sender, and are never trained on where
        others of them are tested on: a column of the labels, or a CSV file with the columns
        "file" and "sender_id". None where photos have nothing to do with each other.

    criterion : {"risk", "coverage", "confidence"} or None, default="risk"
        What decides which predictions are accepted, as in
        :class:`~fashionkit.SelectiveClassifier`.

    level : float, default=0.05
        Its level: the largest error rate of what is accepted, the share that is accepted, or the
        least confidence. None with ``criterion=None``.

    confidence_level : float, default=0.95
        Probability that the error rate is kept.

    calibration : {"temperature", "isotonic"} or None, default="temperature"
        How probabilities are calibrated.

    cv : int, default=None
        Number of folds that the evaluation takes, so that every photo is predicted by a model that
        has not seen it. None takes 5 where features are computed once, and else one part of a
        fifth.

    n_iter : int, default=None
        Number of combinations of parameters to search, each time on the photos that are trained
        on; None for no search.

    image_size : int, default=None
        Side in pixels that photos are resized to; None for what the model is made for, 96 where it
        is made for any.

    params : dict, default=None
        Parameters of the model, as for :func:`~fashionkit.make_model`.

    n_jobs : int, default=None
        Number of folds to fit at a time.

    random_state : int, RandomState instance or None, default=0
        Draws folds and first weights.

    verbose : int, default=0
        Whether to show progress.

    Returns
    -------
    result : Bunch
        With the attributes

        - ``model``: the fitted :class:`~fashionkit.SelectiveClassifier`; of several
          targets, a pipeline of features and a
          :class:`~sklearn.multioutput.MultiOutputClassifier` of them;
        - ``evaluation``: DataFrame, of each target the accuracy with its interval, the expected
          calibration error, the share accepted and the accuracy of that;
        - ``per_class``: DataFrame, of each class precision, recall and number of photos;
        - ``predictions``: DataFrame, of each photo that was predicted its path, its labels and
          what was decided;
        - ``metadata``: dict to pass to :func:`~fashionkit.save`, with the model card;
        - ``card``: the model card, as Markdown;
        - ``skipped``: path and reason of each photo that could not be read;
        - ``n_corrected``: number of labels from columns "corrected".

    Raises
    ------
    ValueError
        If the tables contradict themselves, there is nothing to learn, a column "corrected" is
        not filled in any row, there are too few photos, or a name is not known.

    FileNotFoundError
        If a file is missing, or the weights of a model that was asked for by its name.

    Warns
    -----
    UserWarning
        If photos cannot be read, no threshold is known to keep the risk, or the weights of the
        default model are unavailable.

    See Also
    --------
    classify_photos : Classify photos with the result.
    fashionkit.compare_models : Compare models on the same photos.

    Notes
    -----
    The returned model is fitted on all photos. Where features are the same whichever photos are
    trained on, they are computed once, for all targets and folds, and the classifier behind them
    is calibrated on predictions of five folds; other models on a tenth of the photos, which they
    are not trained on. The figures are those of models of the same kind on the photos that these
    have not seen.

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
    """Return the photos that can be read; a class needs two of them."""
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
                f"{target} needs at least two classes, and two photos of each that can be read: "
                f"{shortened(rare, 5) or f'all have {counts.index[0]!r}'}."
            )
    return listed, images, images.skipped


def _how(n_folds: int | None, groups: Any) -> str:
    unit = "photo" if groups is None else "group"
    if n_folds is None:
        part = "Of a fifth of the photos, which the evaluated model had not seen"
        return f"{part}." if groups is None else f"{part}, nor any of their groups."
    return (
        f"Each photo was predicted by a model that had not seen it: {n_folds} folds, by {unit}. "
        "The model itself has learnt from all photos."
    )
