"""Which images are models compared on: real ones, generated ones, or a file's."""

import os
from typing import NamedTuple

import joblib
import numpy as np

from ._csv import load_fashion_mnist_csv
from ._download import locate
from ._fashion_mnist import CLASS_NAMES, fetch_fashion_mnist
from ._folder import ImageFolder
from ._garments import make_garments

DEFAULT_TRAIN_SIZE = 20_000
DEFAULT_TEST_SIZE = 10_000
DEFAULT_IMAGE_SIZE = 96
_FULL_TRAIN_SIZE = 60_000
_FULL_TEST_SIZE = 10_000

# What is tested on of a file that is not divided, where nothing else is asked for.
_TEST_SHARE = 1 / 6

# Sub-folders of a divided folder that are tested on.
_TEST_FOLDERS = ("test", "validation", "valid", "val")


class Choice(NamedTuple):
    """Images to train on and images to test on, and which they are in words."""

    X: np.ndarray | ImageFolder
    y: np.ndarray
    X_test: np.ndarray | ImageFolder
    y_test: np.ndarray
    target_names: list[str]
    description: str


def choose_images(
    source: str | os.PathLike[str] | None = None,
    *,
    train_size: int | None = None,
    test_size: int | None = None,
    full: bool = False,
    seed: int = 0,
    image_size: int = DEFAULT_IMAGE_SIZE,
) -> Choice:
    """Choose images for a comparison.

    Parameters
    ----------
    source : "fashion-mnist", "garments", path or None, default=None
        Fashion-MNIST, generated garments, a CSV file in Kaggle's columns, or a folder of images,
        which may be divided into "train" and "test" or "validation". None is Fashion-MNIST, and
        generated garments where that is unavailable.

    train_size, test_size : int, default=None
        Numbers of images, drawn at random in equal shares of each class. None is
        20,000 and 10,000, or what there is.

    full : bool, default=False
        Take all images instead.

    seed : int, default=0
        Decides what is drawn.

    image_size : int, default=96
        Side in pixels of images of a folder.

    Returns
    -------
    choice : Choice
        The images, the names of their classes, and a sentence on where they are from.

    Raises
    ------
    OSError
        If what `source` asks for is unavailable.
    ValueError
        If it is not image data, or has fewer images than asked for.
    """
    if source == "garments":
        origin = "generated garments, as asked for"
        return _garments(train_size, test_size, full, seed, origin)
    if source not in (None, "fashion-mnist"):
        if os.path.isdir(source):
            return _folder(source, train_size, test_size, full, seed, image_size)
        return _file(source, train_size, test_size, full, seed)
    try:
        return _fashion_mnist(train_size, test_size, full, seed)
    except OSError as error:
        if source is not None:
            raise
        reason = _reason(error)
    choice = _garments(train_size, test_size, full, seed, "generated garments")
    return choice._replace(
        description=f"{choice.description.removesuffix('.')}, because Fashion-MNIST "
        f"was not found and could not be downloaded: {reason}"
    )


def _fashion_mnist(train_size: int | None, test_size: int | None, full: bool, seed: int) -> Choice:
    """Draw from the official training images, and from the official test images."""
    one_file = ["t10k-labels-idx1-ubyte.gz"]
    try:
        locate(one_file, None, download_if_missing=False)
        found = "found in"
    except OSError:
        found = "downloaded to"
    rng = np.random.RandomState(seed)
    parts: list[np.ndarray] = []
    for part, name, size, default in (
        ("train", "train_size", train_size, DEFAULT_TRAIN_SIZE),
        ("test", "test_size", test_size, DEFAULT_TEST_SIZE),
    ):
        X, y = fetch_fashion_mnist(part, return_X_y=True)
        if not full:
            size = default if size is None else size
            _check_size(name, size, len(y), y)
            rows = stratified_order(y, rng)[:size]
            X, y = X[rows], y[rows]
        parts += [X, y]
    folder = locate(one_file, None, download_if_missing=False)[0].parent
    how = "" if full else f" (stratified, seed {seed})"
    return _choice(f"Fashion-MNIST, {found} {folder}: ", how, *parts)


def _reason(error: OSError) -> str:
    """Return the cause of a download's failure, without every address tried."""
    first, *lines = str(error).splitlines() or [repr(error)]
    tried = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    if not tried:
        return first
    tried_last, _, cause = tried[-1].rpartition(" (Caused by ")
    return cause.removesuffix(")") if tried_last else cause


def _garments(
    train_size: int | None, test_size: int | None, full: bool, seed: int, origin: str
) -> Choice:
    """Generate training images, and then test images."""
    n_train = train_size or (_FULL_TRAIN_SIZE if full else DEFAULT_TRAIN_SIZE)
    n_test = test_size or (_FULL_TEST_SIZE if full else DEFAULT_TEST_SIZE)
    classes = np.arange(len(CLASS_NAMES))
    _check_size("train_size", n_train, n_train, classes)
    _check_size("test_size", n_test, n_test, classes)
    rng = np.random.RandomState(seed)
    train = make_garments(n_train, random_state=rng)
    test = make_garments(n_test, random_state=rng)
    return _choice(f"{origin}: ", f" (seed {seed})", *train, *test)


def _file(
    path: str | os.PathLike[str],
    train_size: int | None,
    test_size: int | None,
    full: bool,
    seed: int,
) -> Choice:
    """Split the images of one file."""
    X, y = load_fashion_mnist_csv(path)
    train, test = _divide(y, train_size, test_size, full, seed)
    origin = f"{len(y):,} images of {os.fspath(path)}, split into "
    how = f" (stratified, seed {seed})"
    return _choice(origin, how, X[train], y[train], X[test], y[test])


def _folder(
    path: str | os.PathLike[str],
    train_size: int | None,
    test_size: int | None,
    full: bool,
    seed: int,
    image_size: int,
) -> Choice:
    """Take the images of a folder that is divided, or divide those of another."""
    n_jobs = joblib.cpu_count()
    inside = {entry.name.lower(): entry.path for entry in os.scandir(path) if entry.is_dir()}
    test_path = next((inside[name] for name in _TEST_FOLDERS if name in inside), None)
    if "train" in inside and test_path is not None:
        train, test = (
            ImageFolder(one, image_size=image_size, n_jobs=n_jobs)
            for one in (inside["train"], test_path)
        )
        train, test = (
            _draw(folder, name, size, full, default, seed)
            for folder, name, size, default in (
                (train, "train_size", train_size, DEFAULT_TRAIN_SIZE),
                (test, "test_size", test_size, DEFAULT_TEST_SIZE),
            )
        )
        how = ""
    else:
        folder = ImageFolder(path, image_size=image_size, n_jobs=n_jobs)
        rows = _divide(folder.target, train_size, test_size, full, seed)
        train, test = (folder[part] for part in rows)
        how = f" (stratified, seed {seed})"
    n_classes = len(train.target_names)
    description = (
        f"photos of {n_classes} classes in {os.fspath(path)}, at {image_size} pixels: "
        f"{len(train):,} training and {len(test):,} test images{how}."
    )
    return Choice(train, train.target, test, test.target, train.target_names, description)


def _draw(
    folder: ImageFolder, name: str, size: int | None, full: bool, default: int, seed: int
) -> ImageFolder:
    """Draw images of a part of a divided folder, in equal shares of each class."""
    if size is None and (full or len(folder) <= default):
        return folder
    size = default if size is None else size
    _check_size(name, size, len(folder), folder.target)
    return folder[stratified_order(folder.target, np.random.RandomState(seed))[:size]]


def _divide(
    y: np.ndarray, train_size: int | None, test_size: int | None, full: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on, and those to test on."""
    if test_size is None:
        test_size = max(round(_TEST_SHARE * len(y)), len(np.unique(y)))
        if not full:
            test_size = min(test_size, DEFAULT_TEST_SIZE, len(y) - (train_size or 0))
    _check_size("test_size", test_size, len(y) - len(np.unique(y)), y)
    if train_size is None:
        train_size = len(y) - test_size
        if not full:
            train_size = min(train_size, DEFAULT_TRAIN_SIZE)
    _check_size("train_size", train_size, len(y) - test_size, y)
    order = stratified_order(y, np.random.RandomState(seed))
    return order[test_size : test_size + train_size], order[:test_size]


def _choice(
    origin: str,
    how: str,
    X: np.ndarray,
    y: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
) -> Choice:
    names = [CLASS_NAMES[label] for label in np.unique(y)]
    sizes = f"{len(y):,} training and {len(y_test):,} test images"
    return Choice(X, y, X_test, y_test, names, f"{origin}{sizes}{how}.")


def _check_size(name: str, size: int, maximum: int, y: np.ndarray) -> None:
    n_classes = len(np.unique(y))
    if size > maximum:
        raise ValueError(f"{name}={size} is more than there are: the maximum is {maximum}.")
    if size < n_classes:
        raise ValueError(f"{name}={size} is less than one image for each of {n_classes} classes.")


def stratified_order(y: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Shuffle rows such that every run of them has the classes in the shares of all."""
    shuffled = rng.permutation(len(y))
    position = np.empty(len(y))
    for label in np.unique(y):
        members = shuffled[y[shuffled] == label]
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(position[shuffled], kind="stable")]
