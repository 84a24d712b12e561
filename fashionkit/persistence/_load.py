"""load: an estimator from a file, without running code of the file."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from fashionkit._files import ModelFileError
from fashionkit.persistence._audit import audit
from fashionkit.persistence._container import Reader, open_model
from fashionkit.persistence._meaning import build_trees, check_object, check_trees, try_out
from fashionkit.persistence._precision import widen
from fashionkit.persistence._skops import load_tree
from fashionkit.persistence._versions import add_missing_params, other_versions

_MODES = (None, "r", "c")


def load(
    path: str | PathLike[str],
    *,
    trusted: Sequence[str] | None = None,
    sha256: str | None = None,
    mmap_mode: str | None = None,
    verify: bool = True,
) -> Any:
    """Load an estimator saved by :func:`save`, without running code of the file.

    Before any object is created, the names, sizes and hashes of the file are checked, and its types
    are compared with a list of safe types. Decision trees, forests, support vector machines and
    nearest neighbours are also checked for consistency, so that a crafted file cannot make them
    read outside of their arrays.

    Read more in the :ref:`User Guide <files>`.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    trusted : list of str, default=None
        Names of additional classes and functions that the file needs, such as
        ``"my_module.my_network"``. They are imported and called, so list only code that you know to
        be safe. Safe types of fashionkit and scikit-learn need not be listed.

    sha256 : str, default=None
        Expected SHA-256 of the whole file, in hexadecimal digits. Only this detects that the file
        was replaced by another valid one.

    mmap_mode : {"r", "c"}, default=None
        Mode in which arrays are mapped into memory, which processes share: "r" is read-only, "c"
        copies on write. None reads the arrays. A mapped file must not be changed in place;
        :func:`save` never does so.

    verify : bool, default=True
        Whether to check the SHA-256 of each array, and to let a fitted model without networks
        predict one image. This reads the whole file. With ``mmap_mode`` and ``verify=False``,
        loading time does not depend on the size of the file.

    Returns
    -------
    estimator : estimator
        Loaded estimator. Its predictions are bit-identical to those of the saved one, unless it
        was saved with ``dtype="float16"``.

    Raises
    ------
    ModelFileError
        If the file is not a saved model, is damaged, or needs types that are not trusted. It is a
        ValueError.

    ValueError
        If ``mmap_mode`` is invalid.

    TypeError
        If ``trusted`` is not a list of names.

    OSError
        If the file cannot be read.

    See Also
    --------
    save : Saves an estimator.
    load_pretrained : Loads a model that comes with the package.
    fashionkit.persistence.describe : Describes a file without loading it.

    Notes
    -----
    TensorFlow is imported when a network first predicts, not before.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from fashionkit import CNNClassifier, load, save
    >>> with TemporaryDirectory() as folder:
    ...     load(save(CNNClassifier(epochs=3), f"{folder}/untrained.fashionkit"))
    CNNClassifier(epochs=3)
    """
    if mmap_mode not in _MODES:
        raise ValueError(f"mmap_mode={mmap_mode!r}, expected 'r', 'c' or None.")
    names = _check_trusted(trusted)
    _refuse_name(path)
    with open_model(path, mmap_mode, verify) as reader:
        if sha256 is not None:
            _compare(reader, sha256)
        return _load(reader, names, verify)


def _load(reader: Reader, trusted: list[str], verify: bool) -> Any:
    tree = reader.read_schema()
    names = audit(tree, trusted, reader)
    try:
        loaded = load_tree(tree, reader, names)
        check_trees(loaded)
        estimator = loaded.construct()
        if not hasattr(estimator, "get_params"):
            raise ValueError(f"it contains a {type(estimator).__name__}, expected an estimator")
        check_object(estimator)
        add_missing_params(estimator)
        build_trees(estimator)
        widen(estimator)
        if verify:
            try_out(estimator)
    except ModelFileError:
        raise
    except Exception as error:  # a crafted state can raise anything in other libraries
        needs = reader.header.get("needs")
        if isinstance(error, ImportError | AttributeError) and needs and isinstance(needs, list):
            raise ModelFileError(
                f"{reader.name!r} needs {', '.join(map(str, needs))}, which cannot be imported: "
                f"{error}"
            ) from error
        raise reader.refuse(f"{str(error)[:500]}.{other_versions(reader.header)}") from error
    return estimator


def _refuse_name(path: Any) -> None:
    """Raise an error if the name of a model of the package is passed instead of a path."""
    from fashionkit.persistence._pretrained import PRETRAINED  # which imports this module

    if isinstance(path, str) and path in PRETRAINED and not Path(path).exists():
        raise FileNotFoundError(
            f"path={path!r} is the name of a model of the package, expected a path; call "
            f"load_pretrained({path!r})."
        )


def _check_trusted(trusted: Any) -> list[str]:
    if trusted is None:
        return []
    if isinstance(trusted, str) or not all(isinstance(name, str) for name in trusted):
        raise TypeError(
            f"trusted={trusted!r}, expected a list of names, such as ['my_module.my_network']."
        )
    return list(trusted)


def _compare(reader: Reader, sha256: Any) -> None:
    digest = reader.hash()
    if not isinstance(sha256, str) or digest != sha256.strip().lower():
        raise reader.refuse(
            f"its SHA-256 is {digest}, expected sha256={sha256!r}. It is another file, or was "
            "changed; get it again from its source."
        )
