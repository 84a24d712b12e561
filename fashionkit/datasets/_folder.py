"""ImageFolder: photos in files, read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.utils import (
    check_consistent_length,
    check_random_state,
    column_or_1d,
    gen_batches,
)
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit._images import LazyImages
from fashionkit.datasets._docs import substitute
from fashionkit.datasets._listing import digest, list_files, list_paths, stamp, warn, warn_of_files
from fashionkit.datasets._names import shortened
from fashionkit.datasets._parameters import (
    PARAMETERS,
    PATH,
    PATHS,
    READING,
    height_and_width,
)
from fashionkit.datasets._photo import read_image, refusal
from fashionkit.datasets._pixels import Size, UnreadableError, size_text
from fashionkit.datasets._warned import gathering, noting


@substitute(**PARAMETERS)
class ImageFolder(LazyImages):
    """Folder of images with one sub-folder per class, read lazily.

    It replaces an array of images, and may be larger than memory. Every estimator of this package
    accepts it as ``X``, also in pipelines, searches and cross-validation, and reads a few images at
    a time. ``folder[i]`` is an image; ``folder[rows]``, with a slice, an array or a mask, is an
    ImageFolder of these images, without reading any; ``np.asarray(folder)`` reads all.

    Parameters
    ----------
    path : str or path-like
        Folder to read. The names of its sub-folders are the labels; the images are in them, at any
        depth. Files beside the sub-folders are ignored.

    {image_size}

    {aspect}

    on_error : {"raise", "skip"}, default="raise"
        What to do about files that cannot be read as images. ``"raise"`` raises an error when such
        a file is accessed. ``"skip"`` reads every file once in the constructor and leaves out, with
        a warning, those that cannot be read and sub-folders that cannot be listed.

    {n_jobs}

    Attributes
    ----------
    filenames : ndarray of shape (n_samples,), dtype str
        The absolute path of each image. They are sorted by class, then by name.

    target : ndarray of shape (n_samples,), dtype str
        Label of each image; None for images without labels.

    target_names : list of str
        The labels of the whole folder, sorted; None without labels.

    shape : tuple of int
        Number of images, height, width and 3. With ``image_size=None``, the first image is read to
        find its size.

    dtype : dtype
        Type of the pixels, uint8.

    ndim : int
        Number of dimensions, 4.

    skipped : list of tuple of str
        Path and reason of each file or sub-folder that was left out.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    NotADirectoryError
        If the path is that of a file.
    PermissionError
        If a sub-folder may not be listed and ``on_error="raise"``.
    ValueError
        If a parameter is invalid, if the folder has no sub-folders with files, or if
        ``on_error="skip"`` and no file can be read.

    Warns
    -----
    UserWarning
        If files were skipped, if a sub-folder has no files and is therefore not a class, or if
        Pillow warned about a file, in the constructor or when it is accessed.

    See Also
    --------
    load_image_folder : Reads all images into one array; describes how files are read.
    load_images : Reads photos without labels into one array.

    Notes
    -----
    Training a network reads every image in every epoch, in batches, ahead of time. Pass an
    `image_size` close to that of the model, and increase `n_jobs` if training waits for images.
    Estimators that need all samples at once, such as :class:`~fashionkit.CalibratedSVC`, read all
    images into an array. Caches and checkpoints identify images by their paths, sizes and
    modification times.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from sklearn.model_selection import cross_val_score
    >>> from fashionkit import ImageFolder, make_model
    >>> files = tempfile.TemporaryDirectory()
    >>> for label, gray in [("dark", 40), ("light", 200)]:
    ...     (Path(files.name) / label).mkdir()
    ...     for i in range(10):
    ...         Image.new("L", (8, 8), gray + i).save(Path(files.name) / label / f"{i}.png")
    >>> folder = ImageFolder(files.name, image_size=4)
    >>> folder.shape, folder.target_names
    ((20, 4, 4, 3), ['dark', 'light'])
    >>> folder[10:]
    <10 images of 2 classes in ...>
    >>> model = make_model("pixels-tree", random_state=0)
    >>> cross_val_score(model, folder, folder.target, cv=2)
    array([1., 1.])
    >>> model.fit(folder, folder.target).predict(folder[[0, -1]])
    array(['dark', 'light'], dtype='<U5')
    >>> files.cleanup()
    """

    @validate_params({**PATH, **READING}, prefer_skip_nested_validation=True)
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        image_size: int | Size | None = None,
        aspect: str = "crop",
        on_error: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self._begin(*list_files(path, on_error), image_size, aspect, n_jobs)
        self._check(on_error)

    @classmethod
    @substitute(**PARAMETERS)
    @validate_params(
        {**PATHS, "target": ["array-like", None], **READING}, prefer_skip_nested_validation=True
    )
    def from_paths(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        target: Any = None,
        *,
        image_size: int | Size | None = None,
        aspect: str = "crop",
        on_error: str = "raise",
        n_jobs: int | None = None,
    ) -> Self:
        """Make an ImageFolder of photos that are not sorted into sub-folders by class.

        Parameters
        ----------
        {paths}

        target : array-like of shape (n_samples,), default=None
            Label of each image; None for images without labels.

        {image_size}

        {aspect}

        on_error : {"raise", "skip"}, default="raise"
            What to do about files that cannot be read as images, as in the constructor.

        {n_jobs}

        Returns
        -------
        folder : ImageFolder
            The images, in the order of the list, or sorted by name.
        """
        path, filenames, _, skipped = list_paths(paths, on_error)
        if target is not None:
            target = column_or_1d(target)
            check_consistent_length(filenames, target)
        folder = cls.__new__(cls)
        folder._begin(path, filenames, target, skipped, image_size, aspect, n_jobs)
        folder._check(on_error)
        return folder

    def _begin(
        self,
        path: str | None,
        filenames: np.ndarray,
        target: np.ndarray | None,
        skipped: list[tuple[str, str]],
        image_size: int | Size | None,
        aspect: str,
        n_jobs: int | None,
    ) -> None:
        """Keep what was listed, and how to read it."""
        self.path = path
        self.image_size = height_and_width(image_size)
        self.aspect = aspect
        self.n_jobs = n_jobs
        self.filenames = filenames
        self.target: Any = target
        self.target_names: Any = _names(target)
        self.skipped = skipped
        # Of which files Pillow's warnings were passed on.
        self._warned: set[str] = set()
        # With image_size=None, the first image that can be read, whose size all must have; and
        # where to look for it: other rows of the same files have the same size.
        self._first: tuple[str, Size] | None = None
        self._listed = filenames

    def _check(self, on_error: str) -> None:
        """Leave out the files that cannot be read, if they are to be skipped."""
        if on_error == "skip":
            self._leave_out(self._read(self.filenames, on_error, keep=False)[1])

    def __len__(self) -> int:
        return len(self.filenames)

    def __repr__(self) -> str:
        classes = "" if self.target_names is None else f" of {len(self.target_names)} classes"
        return f"<{len(self)} images{classes}{self._place()}>"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of images, height, width and 3."""
        return (len(self), *(self.image_size or self._size_of_first("raise")), 3)

    def __getitem__(self, rows: Any) -> Any:
        """Return an image, or some of the images, which are not read.

        Parameters
        ----------
        rows : int, slice, array-like of int or array-like of bool
            Which images, as in indexing an array.

        Returns
        -------
        X : ndarray of shape (height, width, 3), dtype uint8, or ImageFolder
            The image of one row; the images of several rows, with their labels.
        """
        # NumPy itself says what may be an index, and what an error is.
        filenames = np.asarray(self.filenames[rows])
        if filenames.ndim == 0:
            images, _ = self._read(filenames.reshape(1), "raise")
            assert images is not None
            return images[0]
        if filenames.ndim > 1:
            raise IndexError(
                f"folder[rows] with rows of {filenames.ndim} dimensions, expected an int, a slice, "
                "or a list or array of one dimension; index np.asarray(folder)."
            )
        target = None if self.target is None else self.target[rows]
        return self._with(filenames=filenames, target=target, _listed=self._listed[:1])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Read all images into an array."""
        if copy is False:
            raise ValueError("copy=False, but images are read into a new array; pass None or True.")
        images, _ = self._read(self.filenames, "raise")
        assert images is not None
        return images if dtype is None else images.astype(dtype, copy=False)

    @validate_params(
        {
            "chunk_size": [Interval(Integral, 1, None, closed="left")],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
    def chunks(
        self, chunk_size: int = 256, *, random_state: int | np.random.RandomState | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Iterate over all images once, in chunks.

        Parameters
        ----------
        chunk_size : int, default=256
            Number of images in a chunk; the last may have fewer.

        random_state : int or RandomState, default=None
            Seed of the shuffling, for training: pass another number in each epoch. None keeps the
            order of the files, which is by class.

        Yields
        ------
        X : ndarray of shape (n_rows, height, width, 3), dtype uint8
            The images in RGB.

        y : ndarray of shape (n_rows,), dtype str, or None
            Their labels.
        """
        order = np.arange(len(self))
        if random_state is not None:
            check_random_state(random_state).shuffle(order)
        parts = (self[order[rows]] for rows in gen_batches(len(self), chunk_size))
        return ((np.asarray(part), part.target) for part in parts)

    @property
    def _identity(self) -> Any:
        """What decides the pixels, to be hashed instead of them: the same in a copied folder."""
        digests = Parallel(self.n_jobs, require="sharedmem")(
            delayed(digest)(path) for path in self.filenames.tolist()
        )
        return digests, self.image_size, self.aspect

    def _with_threads(self) -> Self:
        """Return the same images, to be read by as many threads as now, from any thread."""
        return self._with(n_jobs=effective_n_jobs(self.n_jobs))

    def _load(self, on_error: str) -> np.ndarray:
        """Read all images that can be read into an array, and forget the others."""
        images, reasons = self._read(self.filenames, on_error)
        assert images is not None
        readable = [row for row, reason in enumerate(reasons) if reason is None]
        for to, row in enumerate(readable):  # in place
            if to != row:
                images[to] = images[row]
        self._leave_out(reasons)
        return images[: len(readable)]

    def _with(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        vars(other).update({**vars(self), **changes})
        return other

    def _place(self) -> str:
        return "" if self.path is None else f" in {self.path!r}"

    def _read(
        self, paths: np.ndarray, on_error: str, keep: bool = True
    ) -> tuple[np.ndarray | None, list[str | None]]:
        """Return the images in one array, and why each that cannot be read cannot."""
        warned: dict[str, str] = {}
        with gathering():
            height, width = self.image_size or self._size_of_first(on_error)
            images = np.empty((len(paths), height, width, 3), np.uint8) if keep else None
            # Threads, whatever the context prefers: each writes its rows of one array.
            reasons = Parallel(self.n_jobs, require="sharedmem")(
                delayed(self._read_into)(images, row, str(path), on_error, warned)
                for row, path in enumerate(paths)
            )
        new = sorted(warned.keys() - self._warned)
        if new:
            self._warned.update(new)
            warn_of_files({path: warned[path] for path in new}, len(paths))
        return images, reasons

    def _size_of_first(self, on_error: str) -> Size:
        """Return height and width of the first image that can be read."""
        for path in self._listed if self._first is None else ():
            try:
                with noting():
                    self._first = str(path), read_image(path, None, self.aspect).shape[:2]
                break
            except UnreadableError as reason:
                if on_error == "raise":
                    raise refusal(path, reason) from reason
        return self._first[1] if self._first else (0, 0)

    def _read_into(
        self,
        images: np.ndarray | None,
        row: int,
        path: str,
        on_error: str,
        warned: dict[str, str],
    ) -> str | None:
        """Read an image into its row, or return why it cannot be read."""
        try:
            with noting() as notes:
                image = read_image(path, self.image_size, self.aspect)
        except UnreadableError as reason:
            if on_error == "skip":
                return str(reason)
            raise refusal(path, reason) from reason
        first = None if self.image_size is not None else self._first
        if first is not None and image.shape[:2] != first[1]:
            raise ValueError(
                f"image_size=None keeps the size of images, but {first[0]!r} has "
                f"{size_text(first[1])} and {path!r} has {size_text(image.shape)} pixels "
                "(height x width); pass image_size=(height, width) to make them alike."
            )
        if notes:
            warned[path] = notes[0]
        if images is not None:
            images[row] = image
        return None

    def _leave_out(self, reasons: list[str | None]) -> None:
        """Forget the files that cannot be read, and warn of them."""
        readable = np.array([reason is None for reason in reasons])
        if readable.all():
            return
        unreadable = [
            (str(path), reason)
            for path, reason in zip(self.filenames, reasons, strict=True)
            if reason is not None
        ]
        self.skipped = [*self.skipped, *unreadable]
        what = (
            f"{len(unreadable)} of {len(self)} files{self._place()} cannot be read as "
            f"images: {shortened([f'{path!r} ({reason})' for path, reason in unreadable], 3)}"
        )
        if not readable.any():
            raise ValueError(f"{what}. Expected at least one image; check the path.")
        self.filenames = self._listed = self.filenames[readable]
        self.target = None if self.target is None else self.target[readable]
        left = _names(self.target)
        lost = [repr(label) for label in self.target_names or () if label not in (left or ())]
        self.target_names = left
        classes = f" Nothing is left of {shortened(lost, 3)}." if lost else ""
        warn(f"{what}. They are left out.{classes}")

    def __getstate__(self) -> dict[str, Any]:
        # Caches hash the state at every call: the files as they are now, told by their size and
        # date without reading them, and nothing that reading has found.
        found: dict[str, Any] = {"_first": None, "_warned": set(), "_listed": self._listed[:1]}
        stamps = np.array([stamp(path) for path in self.filenames.tolist()])
        return {**vars(self), **found, "files": stamps}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        del vars(self)["files"]


def _names(target: np.ndarray | None) -> list[Any] | None:
    return None if target is None else np.unique(target).tolist()
