"""The images that models are trained on and evaluated on."""

from __future__ import annotations

import hashlib
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import check_cv
from sklearn.utils import (
    Bunch,
    _safe_indexing,
    check_consistent_length,
    check_random_state,
    column_or_1d,
)
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit._images import LazyImages
from fashionkit.datasets._names import choices, name_labels, unknown_labels

TEST = "test"


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their labels, in whatever form the caller has passed them."""

    X: Any
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def __sizeof__(self) -> int:
        """Return the bytes of all arrays: by it dask decides what is sent to a worker once."""
        return int(getattr(self.X, "nbytes", 0)) + self.y.nbytes + object.__sizeof__(self)

    def rows(self, rows: np.ndarray) -> ImageSet:
        """Return some of the images."""
        return ImageSet(_safe_indexing(self.X, rows), self.y[rows])

    def locked(self) -> ImageSet:
        """Return the same images and labels, protected from changes."""
        return ImageSet(_locked(self.X), _locked(self.y))

    def fingerprint(self) -> str:
        """Return a hash of the pixels, or of what the files are, and of the labels."""
        pixels = self.X._identity if isinstance(self.X, LazyImages) else self.X
        return joblib.hash((pixels, self.y), hash_name="sha1")


@dataclass(frozen=True, eq=False)
class Data:
    """What every model of a comparison is trained and evaluated on.

    Parameters
    ----------
    train : ImageSet
        All images given to train on.

    test : ImageSet or None
        The test set.

    folds : list of (ndarray, ndarray)
        Rows of ``train`` to train on and to evaluate on; empty without cross-validation.

    labels : ndarray of shape (n_classes,)
        The classes, sorted.

    class_names : list of str
        Their names.
    """

    train: ImageSet
    test: ImageSet | None
    folds: list[tuple[np.ndarray, np.ndarray]]
    labels: np.ndarray
    class_names: list[str]

    def __sizeof__(self) -> int:
        """Return the bytes of all arrays: by it dask decides what is sent to a worker once."""
        parts = [sys.getsizeof(one) for one in (self.train, self.test) if one is not None]
        return sum(parts) + object.__sizeof__(self)

    @property
    def parts(self) -> list[str]:
        """Names of the parts: the test set, and each fold."""
        test = [TEST] if self.test is not None else []
        return test + [fold_name(i) for i in range(len(self.folds))]

    def part(self, name: str) -> tuple[ImageSet, ImageSet]:
        """Return the images of a part to train on, and those to evaluate on.

        A model that changes them changes none of those of the next model.
        """
        if name == TEST:
            assert self.test is not None
            return self.train.locked(), self.test.locked()
        train, test = self.folds[int(name.removeprefix("fold ")) - 1]
        return self.train.rows(train), self.train.rows(test)

    @property
    def test_share(self) -> float:
        """Test images over training images of a fold, the mean of all folds."""
        n_train, n_test = (sum(map(len, rows)) for rows in zip(*self.folds, strict=True))
        return n_test / n_train

    def describe_folds(self) -> Bunch:
        """Return the folds with a hash that two people can compare."""
        digest = hashlib.sha256()
        for rows in (rows for fold in self.folds for rows in fold):
            digest.update(np.append(len(rows), rows).astype("<i8").tobytes())
        return Bunch(splits=list(self.folds), hash=digest.hexdigest()[:16] if self.folds else "")


def _locked(array: Any) -> Any:
    """Return a read-only view of an array, a copy of a frame, and anything else as it is."""
    if hasattr(array, "iloc"):  # scikit-learn writes to frames that are read only
        return array.copy()
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def fold_name(i: int) -> str:
    """Return the name of the fold at a position, counted from 1."""
    return f"fold {i + 1}"


def make_data(
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    *,
    cv: Any,
    groups: Any,
    class_names: Sequence[str] | Mapping[Any, str] | None,
) -> Data:
    """Check all images and labels of a comparison, and split them."""
    if (X_test is None) != (y_test is None):
        given, missing = ("X_test", "y_test") if y_test is None else ("y_test", "X_test")
        raise ValueError(f"{given} is given without {missing}; pass both, or neither.")
    if X_test is None and cv is None:
        raise ValueError(
            "There is nothing to evaluate on; pass a test set as X_test and y_test, or cv, such as "
            "cv=5, or both."
        )
    if groups is not None and cv is None:
        raise ValueError("groups is given without cv; pass a splitter, such as cv=GroupKFold(5).")
    y = column_or_1d(y, warn=True)
    check_given("X", X, y)
    check_classification_targets(y)
    labels = unique_labels(y)
    if len(labels) < 2:
        raise ValueError(
            f"y has the class {choices(labels.tolist())} only; pass images of at least two classes."
        )
    test = None if X_test is None else _check_test(X_test, y_test, labels)
    folds = [] if cv is None else make_folds(y, cv, groups, labels)
    return Data(ImageSet(X, y), test, folds, labels, _name(labels, class_names))


def seed_of(random_state: Any) -> int | None:
    """Return one seed for all models; None for none."""
    if random_state is None or isinstance(random_state, int | np.integer):
        return random_state if random_state is None else int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def check_given(argument: str, X: Any, y: np.ndarray) -> None:
    """Refuse what are no images, or not as many as labels."""
    if isinstance(X, str | os.PathLike):
        raise ValueError(
            f"{argument}={str(X)!r}, expected images; pass ImageFolder({str(X)!r}) to read those "
            "of a folder."
        )
    if issparse(X):
        raise ValueError(f"{argument} is sparse, expected dense images; pass {argument}.toarray().")
    check_consistent_length(X, y)


def _check_test(X: Any, y: Any, labels: np.ndarray) -> ImageSet:
    y = column_or_1d(y, warn=True)
    check_given("X_test", X, y)
    if not len(y):
        raise ValueError("X_test has no images; at least one is needed.")
    if unseen := unknown_labels(y.tolist(), labels.tolist()):
        raise ValueError(
            f"y_test has the labels {choices(unseen, most=5)} that do not occur in y; "
            "remove these images from the test set, or add such images to the training set."
        )
    return ImageSet(X, y)


def make_folds(
    y: np.ndarray, cv: Any, groups: Any, labels: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows to train on and to evaluate on of each fold, checked.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    cv : int, splitter or iterable
        As in scikit-learn's ``check_cv``; the folds of a number are stratified.

    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.

    labels : ndarray of shape (n_classes,)
        The classes, each of which needs a training image in every fold.

    Returns
    -------
    folds : list of (ndarray, ndarray)
        Rows of each fold.
    """
    said = f"cv={textwrap.shorten(repr(cv), 100, placeholder=' ...')}"
    splitter = check_cv(cv, y, classifier=True)
    folds = []
    for i, parts in enumerate(splitter.split(np.zeros(len(y)), y, groups)):
        train, test = (_rows(part, len(y), f"{said}, {fold_name(i)}") for part in parts)
        if not len(test):
            raise ValueError(f"{said} leaves no image to evaluate on in {fold_name(i)}.")
        if len(np.intersect1d(train, test)):
            raise ValueError(
                f"{said} has images both to train on and to evaluate on in "
                f"{fold_name(i)}; leave them out of one of the two."
            )
        seen = set(y[train].tolist())
        if missing := [label for label in labels.tolist() if label not in seen]:
            raise ValueError(
                f"{said} leaves the classes {choices(missing, most=5)} without a training image "
                f"in {fold_name(i)}; use fewer folds, or a splitter that keeps classes together, "
                "such as StratifiedKFold or StratifiedGroupKFold."
            )
        folds.append((train, test))
    if not folds:
        raise ValueError(f"{said} gives no folds; pass a number, a splitter or a list of pairs.")
    return folds


def _rows(part: Any, n_images: int, said: str) -> np.ndarray:
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_images,):
        return np.flatnonzero(part)
    is_rows = part.ndim == 1 and (part.dtype.kind in "iu" or not part.size)
    if not is_rows or (part.size and not 0 <= part.min() <= part.max() < n_images):
        raise ValueError(
            f"{said}: expected arrays of whole numbers from 0 to {n_images - 1}, or masks of "
            f"{n_images} values."
        )
    return part.astype(np.int64)


def _name(labels: np.ndarray, class_names: Any) -> list[str]:
    try:
        return name_labels(labels, class_names)
    except ValueError as error:
        # Labels that are not 0, 1, ... can be named in their sorted order, too.
        if isinstance(class_names, Mapping):
            raise
        if len(class_names) != len(labels):
            raise ValueError(
                f"class_names has {len(class_names)} names, but y has {len(labels)} classes: "
                f"{choices(labels.tolist(), most=12)}; pass one name for each."
            ) from error
        return [str(name) for name in class_names]
