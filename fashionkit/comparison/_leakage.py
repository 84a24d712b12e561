"""Images that are evaluated although they, or images nearly the same, were trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from fashionkit._images import fit_images
from fashionkit.comparison._splits import Data
from fashionkit.inspection import find_duplicates

# Rows of fewer pixels than a square of this side are numbers of a table.
_LEAST_SIDE = 8

if TYPE_CHECKING:
    import pandas as pd


def find_leakage(data: Data) -> pd.DataFrame:
    """Return the table of :attr:`fashionkit.Comparison.leakage`."""
    import pandas as pd

    evaluated = data.train if data.test is None else data.test
    columns = ["image", "training_image", "kind", "distance", "label", "training_label"]
    rows = []
    is_table = _is_table(data.train.X)
    for position, row, pair, training_row in _pairs(data):
        if is_table and pair.kind != "identical":
            continue  # rows of a few numbers are near each other without being the same
        labels = evaluated.y[row], data.train.y[training_row]
        rows.append((position, training_row, pair.kind, pair.distance, *labels, *_paths(pair, row)))
    if rows and len(rows[0]) > len(columns):
        columns += ["path", "training_path"]
    frame = pd.DataFrame(rows, columns=columns)
    nearest = frame.sort_values(["image", "distance", "training_image"], kind="stable")
    return nearest.drop_duplicates("image").reset_index(drop=True)


def _is_table(X: Any) -> bool:
    """Tell whether rows are too short for images: strips, or squares of few pixels."""
    return fit_images(BaseEstimator(), X).pixels.shape[1] < _LEAST_SIDE


def _pairs(data: Data) -> Iterator[tuple[int, int, Bunch, int]]:
    """Yield the position of an evaluated image, its row, the pair, and the training row."""
    if data.test is not None:
        for pair in find_duplicates(data.test.X, data.train.X):
            row, training_row = pair.indices
            yield row, row, pair, training_row
        return
    pairs = find_duplicates(data.train.X)
    begin = 0
    for train, test in data.folds:
        position = {row: begin + i for i, row in enumerate(test.tolist())}
        trained_on = set(train.tolist())
        for pair in pairs:
            for row, other in (pair.indices, pair.indices[::-1]):
                if row in position and other in trained_on:
                    yield position[row], row, pair, other
        begin += len(test)


def _paths(pair: Bunch, row: int) -> tuple[Any, ...]:
    """Return both files, that of the evaluated image first."""
    if "paths" not in pair:
        return ()
    return tuple(pair.paths) if pair.indices[0] == row else tuple(pair.paths[::-1])


def without_leakage(
    predictions: Mapping[str, np.ndarray], y_true: np.ndarray, leakage: pd.DataFrame
) -> pd.DataFrame:
    """Return the table of :meth:`fashionkit.Comparison.without_leakage`."""
    import pandas as pd

    kept = np.ones(len(y_true), dtype=bool)
    kept[leakage["image"].to_numpy(int)] = False
    rows = []
    for name, y_pred in predictions.items():
        right = y_pred == y_true
        other = right[kept].mean() if kept.any() else np.nan
        rows.append((name, right.mean(), other, int(kept.sum())))
    return pd.DataFrame(rows, columns=["model", "accuracy", "without_leakage", "n_images"])
