"""load: an estimator from a file, without running anything that the file says."""

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
    """Load an estimator that :func:`save` has written, without running code of the file.

    Before anything is made, the file's names, sizes and hashes are checked, and its types are
    looked up in a list of those that are known to be safe. Trees, forests, support vector
    machines and neighbours are checked once more before they are used, so that no crafted file
    makes them read outside of their arrays.

    Read more in the :ref:`User Guide <files>`.

    Parameters
    ----------
    path : str or path-like
        The file.

    trusted : list of str, default=None
        Names of classes and functions, such as ``"my_module.my_network"``, that the file needs
        beyond those of fashionkit and scikit-learn, and that you know to be safe. They are
        imported and used.

    sha256 : str, default=None
        What the SHA-256 of the whole file must be, as hexadecimal digits. It tells a file that
        was replaced by another one from yours; everything else tells damage and traps.

    mmap_mode : {"r", "c"}, default=None
        How arrays are mapped into memory, where processes share them: "r" for reading alone, "c"
        for copying what is written. None reads them. A mapped file must not be changed in place;
        :func:`save` never does.

    verify : bool, default=True
        Whether the SHA-256 of each array is compared with the header's, and a model without
        networks classifies one image before it is returned. This reads the whole file. With
        ``mmap_mode`` and without this, a large file is loaded as fast as a small one.

    Returns
    -------
    estimator : estimator
        It predicts the same bits as the one that was saved, unless that was saved in float16.

    Raises
    ------
    ModelFileError
        A ValueError: the file is refused, as it is damaged, needs what is not trusted, or is no
        such file. The message says why.

    OSError
        If it cannot be read.

    See Also
    --------
    save : Write such a file.
    fashionkit.persistence.describe : What is in such a file, without loading it.

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
            raise ValueError(f"it holds no estimator, but a {type(estimator).__name__}")
        check_object(estimator)
        add_missing_params(estimator)
        build_trees(estimator)
        widen(estimator)
        if verify:
            try_out(estimator)
    except ModelFileError:
        raise
    except Exception as error:  # whatever a crafted state makes libraries raise
        needs = reader.header.get("needs")
        if isinstance(error, ImportError | AttributeError) and needs and isinstance(needs, list):
            raise ModelFileError(
                f"{reader.name!r} needs {', '.join(map(str, needs))}, which cannot be imported: "
                f"{error}"
            ) from error
        raise reader.refuse(f"{str(error)[:500]}.{other_versions(reader.header)}") from error
    return estimator


def _refuse_name(path: Any) -> None:
    """Say how a model of the package is loaded, where its name is passed in place of a file."""
    from fashionkit.persistence._pretrained import PRETRAINED  # which needs this module

    if isinstance(path, str) and path in PRETRAINED and not Path(path).exists():
        raise FileNotFoundError(
            f"path={path!r} is not a file, but the name of a model of the package; pass it to "
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
            f"its SHA-256 is {digest}, and sha256={sha256!r} was expected. It is another file, or "
            "was changed."
        )
