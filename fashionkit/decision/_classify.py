"""Classification of photos in files by a fitted model, with a row for each file."""

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
from fashionkit.decision._chunks import Work, digest_state, run_here, run_there
from fashionkit.decision._courier import Parcel
from fashionkit.decision._journal import Journal
from fashionkit.decision._looks import Columns, Looks
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
    """Classify photos in files, with a row for each file, including unreadable ones.

    Photos are read, classified and described in chunks of at most 256, so that memory use does not
    depend on their number. A file that cannot be read has the status "error", with the reason.

    Read more in the :ref:`User Guide <classify>`.

    Parameters
    ----------
    model : estimator, str or path-like
        Fitted classifier, pipeline or search, preferably a
        :class:`~fashionkit.SelectiveClassifier`, which decides which photos to review. Or a file
        written by :func:`~fashionkit.save` or :func:`~fashionkit.to_onnx`, or a name from
        :func:`~fashionkit.list_pretrained`.

    source : str, path-like, array-like of these or ImageFolder
        Photo, folder with photos at any depth, pattern such as ``"photos/**/*.jpg"``, or list of
        photos and folders. In a folder, files whose extension is not that of an image, such as
        "notes.txt" or "list.csv", are ignored. If listed explicitly or matched by a pattern, they
        have the status "error".

    image_size : int or tuple of int, default=None
        Height and width in pixels that photos are cropped and resized to; None for those of the
        training images. Only needed if the model does not store them, as an estimator of
        scikit-learn that was fitted on rows of pixels of images that are not square.

    quality : bool, default=True
        Whether to describe defects of each photo in the column "quality".

    n_colors : int, default=3
        Number of dominant colours of the garment to name, from 0 to 10; 0 for none.

    review_below : float or None, default=None
        Minimum confidence of an accepted prediction, for a model without ``decide``; None accepts
        all predictions. Models with ``decide``, such as "clothing-photos-small-v1", use their own
        threshold.

    target_names : list of str, default=None
        Name of each target of a multi-output model, such as a
        :class:`~sklearn.multioutput.MultiOutputClassifier`. None for the names in the metadata of
        the file, or otherwise "target_1", "target_2" and so on.

    n_jobs : int, default=None
        Number of processes that read and classify. None means 1, unless in a
        :func:`joblib.parallel_config` context, which may also name a cluster, whose workers must
        reach the files by the same paths; -1 means all processors. A single process reads the next
        chunk while it classifies.

    checkpoint_path : str or path-like, default=None
        File to which the rows of each chunk are written as soon as they are finished. After an
        interruption, the same call resumes there. Chunks with files whose size or modification
        time has changed are classified again.

    verbose : int, default=0
        Verbosity: 1 shows a progress bar, with files per second.

    Returns
    -------
    rows : DataFrame of shape (n_files, n_columns)
        One row for each file, in the order of the files, with the columns

        - "path": absolute path of the file;
        - "label", "confidence", "second", "second_confidence", "third", "third_confidence": most
          probable classes and their probabilities; the first is the predicted class;
        - "set": tuple of the classes in the prediction set, empty if the model has none;
        - "status": "accepted"; "review", to be checked by a person; "outlier", unlike the training
          images; or "error", not readable. Without ``decide``, the model accepts all readable
          photos, except those below ``review_below``;
        - "reason": reason of the status, in words; may be empty for accepted photos;
        - "coarse": coarse category, such as "clothes/tops", from the tree of a
          :class:`~fashionkit.HierarchicalCNNClassifier`, or from a table if it contains all
          classes of the model;
        - for each further target of a multi-output model, its name with the predicted class, and
          "NAME_confidence" with the probability. The columns above belong to the first target,
          except "status" and "reason", which are the worst status of all targets and its reasons;
        - "quality": defects of the photo, empty if there are none;
        - "color_1", "hex_1", "share_1" and so on: dominant colours, as in
          :func:`~fashionkit.dominant_colors`.

    Raises
    ------
    TypeError
        If ``model`` or ``source`` has an unsupported type, or a model without a file cannot be
        hashed for a checkpoint.

    ValueError
        If the model does not tell the size of its images, ``source`` contains no files, ``model``
        is an unknown name, ``target_names`` do not match the model, or the checkpoint belongs to
        another model, source, version or settings.

    FileNotFoundError
        If the source or the file of the model does not exist.

    Warns
    -----
    UserWarning
        If the model expects gray images, unlike most photos.

    See Also
    --------
    fashionkit.SelectiveClassifier : Classifier that decides which photos to review.
    fashionkit.train_photos : Train a model on photos.
    fashionkit.load_images : Read photos into an array.

    Notes
    -----
    Photos are read as by :func:`~fashionkit.load_images` with ``aspect="crop"``, and predicted as
    its result would be. A file has the status "error" if it cannot be decoded, has more pixels than
    ``PIL.Image.MAX_IMAGE_PIXELS``, is a folder or a broken link, or changes or disappears during
    reading. Links to folders are followed, each folder once.

    The checkpoint has a line with a checksum for each chunk of files. An incomplete last line of a
    killed process is removed.

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
    >>> rows.loc[rows["status"] == "error", "reason"].item()[:9]
    'it is not'
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
    """Add the rows of chunks whose files are unchanged, and return the numbers of these chunks."""
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
    """Yield the rows of each chunk once, in any order; chunks of lost workers are repeated."""
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
            f"target_names={names!r}, expected {n_targets} different names; pass one for each "
            "target of the model."
        )
    return names
