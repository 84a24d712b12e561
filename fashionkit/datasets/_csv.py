"""Read Fashion-MNIST from the CSV files that Kaggle distributes."""

import os
import warnings
from collections.abc import Generator
from contextlib import closing
from typing import IO, TYPE_CHECKING

import numpy as np

from fashionkit.datasets._names import choices

if TYPE_CHECKING:
    import pandas as pd

LABEL_COLUMN = "label"
PIXEL_COLUMNS = tuple(f"pixel{i}" for i in range(1, 28 * 28 + 1))
_COLUMNS = [LABEL_COLUMN, *PIXEL_COLUMNS]

# 6 MB of int64 at a time, so that 47 MB of pixels never become 376 MB.
_CHUNK_ROWS = 1000

# Some more columns are read than there should be: pandas drops, and not always
# with a warning, what a line has beyond the columns that it was told of.
_READ_COLUMNS = len(_COLUMNS) + 15


def load_fashion_mnist_csv(
    path: str | os.PathLike[str] | IO,
) -> tuple[np.ndarray, np.ndarray]:
    """Load Fashion-MNIST from a CSV file with Kaggle's columns.

    Such files hold the images of Fashion-MNIST [1]_, one in each row.

    Parameters
    ----------
    path : str, path-like or file-like
        CSV file with a header line and the 785 columns ``label`` and ``pixel1`` to ``pixel784``, in
        any order. A path is decompressed according to its extension: ``.gz``, ``.bz2``, ``.xz``,
        ``.zst``, ``.zip`` or ``.tar``, the last two with one file inside.

    Returns
    -------
    X : ndarray of shape (n_samples, 28, 28), dtype uint8
        The images; ``pixel1`` is at the top left and ``pixel28`` at the top right.
    y : ndarray of shape (n_samples,), dtype int64
        The class ids, 0 to 9, positions in ``CLASS_NAMES``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If columns are missing or unknown, if there are no rows, if a value is missing or not a
        whole number, if a pixel is outside 0 to 255, if a label is outside 0 to 9, if the file is
        not a CSV file, or if its compression is damaged.

    See Also
    --------
    fetch_fashion_mnist : The same data, downloaded if necessary.

    References
    ----------
    .. [1] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset
       for Benchmarking Machine Learning Algorithms", 2017, arXiv:1708.07747.

    Examples
    --------
    >>> import csv, io
    >>> from fashionkit.datasets import load_fashion_mnist_csv
    >>> header = ["label", *(f"pixel{i}" for i in range(1, 785))]
    >>> ankle_boot = [9, *[0] * 783, 255]
    >>> file = io.StringIO()
    >>> csv.writer(file).writerows([header, ankle_boot])
    >>> _ = file.seek(0)
    >>> X, y = load_fashion_mnist_csv(file)
    >>> X.shape, X.dtype, y
    ((1, 28, 28), dtype('uint8'), array([9]))
    >>> X[0, 27, 26:]
    array([  0, 255], dtype=uint8)
    """
    if not hasattr(path, "read"):
        path = os.path.expanduser(path)
    name = getattr(path, "name", "stream") if hasattr(path, "read") else path
    source = f"CSV file {name!r}"
    rows = _read_rows(path, source)
    if not len(rows):
        raise ValueError(f"{source} has a header but no rows; expected at least one.")
    return rows[:, 1:].reshape(-1, 28, 28), rows[:, 0].astype(np.int64)


def _read_rows(path: str | os.PathLike[str] | IO, source: str) -> np.ndarray:
    """Return label and pixels of every row, shape (n_samples, 785), uint8."""
    import pandas as pd

    pieces = [np.empty((0, len(_COLUMNS)), np.uint8)]
    n_rows = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        with closing(_read_chunks(path, source)) as chunks:
            header = _names(next(chunks))
            positions = _column_positions(header, source)
            for chunk in chunks:
                surplus = chunk.iloc[:, len(header) :].notna()
                too_long = surplus.any(axis="columns").to_numpy()
                if too_long.any():
                    raise ValueError(
                        f"{source}, row {n_rows + int(too_long.argmax()) + 1} after "
                        f"the header, has more values than the {len(header)} columns; "
                        "correct or drop the row."
                    )
                pieces.append(_as_uint8(chunk[positions], n_rows, source))
                n_rows += len(chunk)
    return np.concatenate(pieces)


def _read_chunks(
    path: str | os.PathLike[str] | IO, source: str
) -> Generator["pd.DataFrame", None, None]:
    """Yield the header, then the rows; say what is wrong with a file that pandas cannot read."""
    import pandas as pd

    try:
        with pd.read_csv(
            path,
            header=None,
            names=range(_READ_COLUMNS),
            index_col=False,
            chunksize=_CHUNK_ROWS,
            low_memory=False,
        ) as reader:
            yield reader.get_chunk(1)
            yield from reader
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"{source} has more than {_READ_COLUMNS} columns; expected 'label' and "
            "'pixel1' to 'pixel784'."
        ) from error
    except MemoryError:
        raise
    # Each decompressor has errors of its own.
    except Exception as error:
        # The operating system's errors have a number; those of decompressors have none.
        if getattr(error, "errno", None) is not None:
            raise
        raise ValueError(
            f"{source} cannot be read as CSV: {_reason(error)}. Expected a header line and "
            f"{len(_COLUMNS)} comma-separated values in each line, of one file alone if it is an "
            "archive; if the file was downloaded, delete it and fetch it again."
        ) from error


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


def _names(first_line: "pd.DataFrame") -> list[str]:
    """Return the header's names, '' for an empty one, without empty ones at the end."""
    import pandas as pd

    cells = first_line.astype(object).to_numpy().ravel()
    names = ["" if pd.isna(cell) else str(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _column_positions(header: list[str], source: str) -> list[int]:
    """Return where the label and each pixel stand in a row."""
    if not header:
        raise ValueError(f"{source} is empty; expected a header line and rows.")
    expected = set(_COLUMNS)
    positions = {name: position for position, name in enumerate(header)}
    missing = [name for name in _COLUMNS if name not in positions]
    unknown = [name for name in header if name not in expected]
    repeated = [name for name in positions if header.count(name) > 1]
    if missing or unknown or repeated:
        raise ValueError(
            f"{source} has {len(header)} columns: {_some(missing)} missing, "
            f"{_some(unknown)} unknown, {_some(repeated)} repeated. Expected 'label' "
            "and 'pixel1' to 'pixel784' in the header; rename, drop or add columns "
            "to match."
        )
    return [positions[name] for name in _COLUMNS]


def _some(names: list[str]) -> str:
    return choices(names, most=3) if names else "none"


def _as_uint8(chunk: "pd.DataFrame", first_row: int, source: str) -> np.ndarray:
    """Cast only what is known to fit: pandas would wrap 256 to 0 in silence."""
    if (chunk.dtypes == np.int64).all():
        values = chunk.to_numpy()
        labels = values[:, 0]
        if values.min() >= 0 and values.max() <= 255 and labels.max() <= 9:
            return values.astype(np.uint8)
    values = np.empty(chunk.shape, np.uint8)
    for i, name in enumerate(_COLUMNS):
        values[:, i] = _checked_column(chunk.iloc[:, i], name, first_row, source)
    return values


def _checked_column(column: "pd.Series", name: str, first_row: int, source: str) -> np.ndarray:
    """Return a column as float64, or say which of its values is wrong."""
    import pandas as pd

    highest = 9 if name == LABEL_COLUMN else 255
    # pandas counts True as 1; a file that says True is no file of pixels.
    cells = column.astype(str) if column.dtype == bool else column
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    right = (numbers >= 0) & (numbers <= highest) & (numbers == np.floor(numbers))
    if not right.all():
        i = int(right.argmin())
        found = "an empty cell" if pd.isna(cells.iloc[i]) else repr(str(cells.iloc[i]))
        raise ValueError(
            f"{source}, row {first_row + i + 1} after the header, column "
            f"{name!r}: found {found}, expected a whole number from 0 to "
            f"{highest}; correct the value or drop the row."
        )
    return numbers
