"""save: an estimator in one file that is safe to open."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

import fashionkit
from fashionkit._files import write_whole
from fashionkit.persistence._container import FORMAT, HEADER, SCHEMA, Writer
from fashionkit.persistence._describe import describe_estimator
from fashionkit.persistence._prepare import Preparation
from fashionkit.persistence._skops import save_tree

# Whose versions are in the header.
_LIBRARIES = ("keras", "numpy", "scikit-learn", "scipy", "skops", "tensorflow")


def save(
    estimator: BaseEstimator,
    path: str | PathLike[str],
    *,
    metadata: dict[str, Any] | None = None,
    dtype: str = "float32",
) -> Path:
    """Save an estimator in one file, which is safe to open.

    Unlike a pickle, the file runs no code when it is loaded. It holds an object tree as skops
    writes it, and arrays in NumPy's format; of networks the name of their architecture and their
    weights, never a configuration of Keras.

    Read more in the :ref:`User Guide <files>`.

    Parameters
    ----------
    estimator : estimator
        Any estimator or transformer of fashionkit, fitted or not; a Pipeline, search or other
        meta-estimator of scikit-learn around them; and many estimators of scikit-learn alone.

    path : str or path-like
        The file to write. A file that is there is replaced, by the whole of the new one or not
        at all.

    metadata : dict, default=None
        What you want to keep with the model, as JSON can hold it: texts, numbers, lists and
        dicts. :func:`~fashionkit.persistence.describe` returns it.

    dtype : {"float32", "float16"}, default="float32"
        What the file holds of each kernel of a network. "float16" halves a network's file. What
        is loaded computes in float32, with kernels that are rounded by at most 0.05 %, numbers
        below 6e-5 by at most 3e-8, so that it predicts a little differently from the estimator
        that was saved: evaluate it once more.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    TypeError
        If something in the estimator cannot be saved, such as a lambda. The message says where
        it is and what to do.

    ValueError
        If ``dtype`` is neither of the two.

    OSError
        If the file cannot be written. What was there before is still there.

    See Also
    --------
    load : Load such a file.
    fashionkit.persistence.describe : What is in such a file, without loading it.

    Notes
    -----
    The cache of a pipeline, ``memory``, is not saved: it is a folder of one machine. A function
    or class of yours is saved by its name alone: whoever loads the file needs the same code, and
    names it in ``trusted``.

    The same fitted estimator gives the same bytes, with the same versions of all libraries.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from fashionkit import load, make_garments, make_model, save
    >>> X, y = make_garments(200, random_state=0)
    >>> model = make_model("pixels-tree", random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = save(model, f"{folder}/garments.fashionkit", metadata={"shop": "ours"})
    ...     again = load(path)
    >>> bool((again.predict(X) == model.predict(X)).all())
    True
    """
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        raise TypeError(
            f"estimator={estimator!r} is not an estimator; pass one, such as a fitted "
            "CNNClassifier or a Pipeline."
        )
    metadata = _check_metadata(metadata)
    if dtype not in ("float32", "float16"):
        raise ValueError(f"dtype={dtype!r}, expected 'float32' or 'float16'.")
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"path={str(path)!r} is a folder; pass the name of a file in it.")
    preparation = Preparation(dtype)
    prepared = preparation.prepare(estimator, "estimator")
    header = {
        "format": FORMAT,
        "versions": {
            "python": platform.python_version(),
            "fashionkit": fashionkit.__version__,
            **{name: version(name) for name in _LIBRARIES},
        },
        "model": describe_estimator(estimator),
        "needs": sorted(preparation.needs),
        "metadata": metadata,
    }
    return write_whole(path, lambda part: _write(prepared, header, part))


def _write(estimator: Any, header: dict[str, Any], path: Path) -> None:
    writer = Writer(path)
    try:
        writer.write_json(SCHEMA, save_tree(estimator, writer))
        writer.write_json(HEADER, {**header, "members": dict(writer.members)})
        writer.close()
    finally:
        writer.abandon()


def _check_metadata(metadata: Any) -> dict[str, Any]:
    if metadata is None:
        return {}
    try:
        text = json.dumps(metadata, allow_nan=False)
        if isinstance(metadata, dict) and json.loads(text) == metadata:
            return metadata
    except (TypeError, ValueError):
        pass
    raise TypeError(
        f"metadata={metadata!r}, expected a dict of texts, numbers, lists and dicts, as JSON holds "
        "them, with texts as keys."
    )
