"""classify_photos: a fitted model and files in, a row for each file out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from numbers import Integral, Real
from typing import Any

import joblib
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

import fashionkit
from fashionkit.decision._chunks import Columns, Work, digest_state, run_here, run_there
from fashionkit.decision._courier import Parcel
from fashionkit.decision._journal import Journal
from fashionkit.decision._looks import Looks
from fashionkit.decision._models import find_model
from fashionkit.decision._reading import make_reader
from fashionkit.decision._rows import count_targets
from fashionkit.decision._sources import list_source
from fashionkit.decision._table import Table

_FORMAT = 1
_N_TRIES = 3

Done = tuple[int, str, Columns]


@validate_params(
    {
        "model": "no_validation",
        "source": "no_validation",
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple, None],
        "quality": ["boolean"],
        "n_colors": [Interval(Integral, 0, 10, closed="both")],
        "review_below": [Interval(Real, 0, 1, closed="both"), None],
        "target_names": ["array-like", None],
        "n_jobs": [Integral, None],
        "checkpoint_path": [str, os.PathLike, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def classify_photos(
    model: Any,
    source: Any,
    *,
    image_size: int | tuple[int, int] | None = None,
    quality: bool = True,
    n_colors: int = 3,
    review_below: float | None = None,
    target_names: list[str] | None = None,
    n_jobs: int | None = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Classify photos in files: a row for each, whatever is wrong with it.

    Photos are read, predicted and described a few at a time, so that any number of them takes
    little memory. A file that cannot be read becomes a row that says why.

    Read more in the :ref:`User Guide <classify>`.

    Parameters
    ----------
    model : estimator, str or path-like
        A fitted classifier, pipeline or search; best a
        :class:`~fashionkit.SelectiveClassifier`, which says which photos to check. Or the
        file of one, of :func:`~fashionkit.save` or of :func:`~fashionkit.to_onnx`; or a name from
        :func:`~fashionkit.list_pretrained`.

    source : str, path-like, array-like of these or ImageFolder
        A photo, a folder with photos at any depth, a pattern such as ``"photos/**/*.jpg"``, or a
        list of photos and folders. In a folder, files that are called like something else than an
        image, such as "notes.txt" or "list.csv", are left out; those that are listed themselves,
        or fit a pattern, are rows of status "error".

    image_size : int or tuple of int, default=None
        Height and width that photos are resized to, by cropping their centres; None for what the
        model was trained on. It is only needed where the model does not know, such as an estimator
        of scikit-learn fitted on rows of pixels that are no square.

    quality : bool, default=True
        Whether to say what is wrong with a photo: the column "quality".

    n_colors : int, default=3
        Number of dominant colours of the garment to name; 0 for none.

    review_below : float or None, default=None
        Least confidence of an accepted prediction, for a model without ``decide``; None accepts
        all. A :class:`~fashionkit.SelectiveClassifier`, which "clothing-photos-small-v1" is, knows
        by itself.

    target_names : list of str, default=None
        Names of the targets of a model with several, such as a
        :class:`~sklearn.multioutput.MultiOutputClassifier`. None for those in the metadata of the
        file, or else "target_1" and so on.

    n_jobs : int, default=None
        Number of processes that read and predict; None for 1 unless in a
        :func:`joblib.parallel_config` context, -1 for all processors. With the backend "dask", the
        workers of a cluster, which see the files by the same paths. One process reads ahead while
        it predicts.

    checkpoint_path : str or path-like, default=None
        A file to which finished rows are written at once. The same call goes on from there after
        it was interrupted or killed. Photos whose size or date has changed since are classified
        again.

    verbose : int, default=0
        Whether to show progress, with files per second.

    Returns
    -------
    rows : DataFrame of shape (n_files, n_columns)
        In the order of the files, with the columns

        - "path": the absolute path of the file;
        - "label", "confidence", "second", "second_confidence", "third", "third_confidence": the
          most probable classes, and their probabilities;
        - "set": the classes that are possible, where the model says so;
        - "status": "accepted"; "review", to be checked by somebody; "outlier", unlike all that the
          model has seen; or "error", not readable. A model without ``decide`` accepts all that can
          be read;
        - "reason": why it is not accepted;
        - "coarse": the coarse category, such as "clothes/tops", of a
          :class:`~fashionkit.HierarchicalCNNClassifier` by its tree, of others where all classes
          are known by name;
        - of a model of several targets, the name of each further one, and its confidence as
          "NAME_confidence"; the columns above are those of the first. "status" is the worst of
          all;
        - "quality": what is wrong with the photo, empty where nothing is;
        - "color_1", "hex_1", "share_1" and so on: the dominant colours, as
          :func:`~fashionkit.dominant_colors` names them.

    Raises
    ------
    ValueError
        If the model does not say which images it takes, if there are no files, if `model` is a
        name that is not known, or if the checkpoint is of another model, source, version or
        settings.

    FileNotFoundError
        If the source or the file of the model does not exist.

    Warns
    -----
    UserWarning
        If the model takes gray images, which photos hardly are.

    See Also
    --------
    fashionkit.SelectiveClassifier : Decides which photos are for people.
    fashionkit.train_photos : Train a model on photos of your own.
    fashionkit.load_images : Read photos into an array.

    Notes
    -----
    Photos are read as :func:`~fashionkit.load_images` does, with ``aspect="crop"``, so that the
    rows are what the model says of its result. A file is an error where it cannot be decoded, has
    more pixels than ``PIL.Image.MAX_IMAGE_PIXELS``, is a folder or a broken link, or changes or
    vanishes while it is read. Folders are followed through links, each once.

    The checkpoint has a line with a checksum for each chunk of files. What a killed process has
    begun to write is cut off.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from fashionkit import classify_photos, load_images, make_model
    >>> files = tempfile.TemporaryDirectory()
    >>> paths = [Path(files.name) / f"{gray}.png" for gray in range(10, 250, 10)]
    >>> for gray, path in zip(range(10, 250, 10), paths):
    ...     Image.new("RGB", (40, 40), (gray, gray, gray)).save(path)
    >>> X = load_images(paths, image_size=8)
    >>> y = ["dark" if image.mean() < 128 else "light" for image in X]
    >>> model = make_model("pixels-tree", random_state=0).fit(X, y)
    >>> _ = (Path(files.name) / "broken.png").write_bytes(b"no image")
    >>> rows = classify_photos(model, files.name, quality=False, n_colors=0)
    >>> rows["status"].value_counts().to_dict()
    {'accepted': 24, 'error': 1}
    >>> rows.loc[rows["status"] == "error", "reason"].item()[:10]
    'it is none'
    >>> files.cleanup()
    """
    found = find_model(model)
    check_is_fitted(found.estimator)
    listed = list_source(source)
    reader = make_reader(found.estimator, image_size)
    names = _check_names(target_names, found.target_names, count_targets(found.estimator))
    work = Work(reader, Looks(bool(quality), int(n_colors)), names, review_below)
    size = reader.chunk_size
    chunks = [
        (number, listed.paths[start : start + size])
        for number, start in enumerate(range(0, len(listed.paths), size))
    ]
    table = Table(len(listed.paths), size)
    journal = None
    if checkpoint_path is not None:
        settings = {
            "format": _FORMAT,
            "fashionkit version": fashionkit.__version__,
            "model": found.identify(),
            "source": _describe_source(listed.paths),
            "settings": joblib.hash((reader, size, work.looks, names, review_below)),
        }
        journal = Journal(checkpoint_path, settings)
    with (
        journal or nullcontext(),
        tqdm(
            total=len(listed.paths), unit="file", disable=not verbose, dynamic_ncols=True
        ) as progress,
    ):
        kept = _add_kept(journal, chunks, table)
        progress.update(sum(len(paths) for number, paths in chunks if number in kept))
        left = [chunk for chunk in chunks if chunk[0] not in kept]
        for number, state, columns in _run(work, found.estimator, left, n_jobs):
            if journal is not None:
                journal.append(number, {"files": state, "rows": columns})
            table.add(number, columns)
            progress.update(len(columns["path"]))
    return table.to_frame(listed.skipped)


def _describe_source(paths: list[str]) -> str:
    digest = hashlib.sha256("\0".join(paths).encode("utf-8", "surrogateescape"))
    return f"{len(paths)} files, {digest.hexdigest()[:16]}"


def _add_kept(
    journal: Journal | None, chunks: list[tuple[int, list[str]]], table: Table
) -> set[int]:
    """Take over the rows of a journal whose files are unchanged; return their chunks."""
    kept: set[int] = set()
    if journal is None:
        return kept
    for number, paths in chunks if journal.records else []:
        record = journal.records.pop(number, None)
        if record is not None and record["files"] == digest_state(paths):
            table.add(number, record["rows"])
            kept.add(number)
    return kept


def _run(
    work: Work, model: Any, chunks: list[tuple[int, list[str]]], n_jobs: int | None
) -> Iterator[Done]:
    """Yield the rows of each chunk once, in any order; lost workers' are done again."""
    if effective_n_jobs(n_jobs) == 1 or len(chunks) < 2:
        yield from run_here(work, model, chunks)
        return
    parcel = Parcel(model)
    done: set[int] = set()
    try:
        for n_tries in range(1, _N_TRIES + 1):
            tasks = (
                delayed(run_there)(work, parcel, parcel.arrays, number, paths)
                for number, paths in chunks
                if number not in done
            )
            try:
                for result in Parallel(n_jobs, return_as="generator_unordered")(tasks):
                    done.add(result[0])
                    yield result
                return
            except BrokenProcessPool:
                if n_tries == _N_TRIES:
                    raise
    finally:
        parcel.forget()


def _check_names(given: Any, found: list[str] | None, n_targets: int) -> list[str]:
    """Return a name for each target of a model."""
    if given is None:
        given = found if found and len(found) == n_targets else None
    if given is None:
        return [f"target_{number}" for number in range(1, n_targets + 1)]
    names = [str(name) for name in given]
    if len(names) != n_targets or len(set(names)) < n_targets:
        raise ValueError(
            f"target_names={names!r}, expected {n_targets} different names, one for each target of "
            "the model."
        )
    return names
