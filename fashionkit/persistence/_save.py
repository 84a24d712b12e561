"""save: an estimator in one file that is safe to load."""

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

# Libraries whose versions are in the header.
_LIBRARIES = ("keras", "numpy", "scikit-learn", "scipy", "skops", "tensorflow")


def save(
    estimator: BaseEstimator,
    path: str | PathLike[str],
    *,
    metadata: dict[str, Any] | None = None,
    dtype: str = "float32",
) -> Path:
    """Save an estimator in one file that is safe to load.

    Unlike a pickle, the file runs no code when it is loaded. It contains an object tree in the
    format of skops and arrays in NumPy's format. Networks are saved as the name of their
    architecture and their weights, without a Keras configuration.

    Read more in the :ref:`User Guide <files>`.

    Parameters
    ----------
    estimator : estimator
        Estimator or transformer, fitted or not: any of fashionkit, many of scikit-learn, and a
        Pipeline, search or other meta-estimator of scikit-learn that contains them.

    path : str or path-like
        Path of the file. An existing file is replaced completely or not at all.

    metadata : dict, default=None
        Additional information to store, as JSON types: str, numbers, bool, None, lists and dicts.
        :func:`~fashionkit.persistence.describe` returns it.

    dtype : {"float32", "float16"}, default="float32"
        Precision of the kernels of networks in the file. "float16" halves the size of the file.
        The loaded estimator computes in float32, with kernels rounded by at most 0.05 %, or by at
        most 3e-8 for values below 6e-5. Its predictions differ slightly from those of the saved
        estimator, so evaluate it again.

    Returns
    -------
    path : Path
        Path of the written file.

    Raises
    ------
    TypeError
        If ``estimator`` is not an estimator, a part of it cannot be saved, such as a lambda, or
        ``metadata`` is not a dict of JSON types.

    ValueError
        If ``dtype`` is invalid.

    OSError
        If the file cannot be written. An existing file then remains unchanged.

    See Also
    --------
    load : Loads the file.
    fashionkit.persistence.describe : Describes the file without loading it.
    to_onnx : Exports a classifier for other runtimes.

    Notes
    -----
    The cache of a pipeline, ``memory``, is not saved, as it is a folder of one computer. A custom
    function or class is saved by its name only. To load the file, the same code must be importable
    and its name must be passed as ``trusted``.

    With the same versions of all libraries, the same fitted estimator gives the same bytes.

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
            f"estimator={estimator!r} is not an estimator; pass an instance, such as a fitted "
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
        f"metadata={metadata!r}, expected a dict of JSON types (str, numbers, bool, None, lists "
        "and dicts) with str as keys."
    )
