"""Read photos from a folder that has one sub-folder per class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import Bunch, check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from fashionkit.datasets._listing import list_files, warn
from fashionkit.datasets._names import shortened
from fashionkit.datasets._photo import read_image
from fashionkit.datasets._pixels import Size, UnreadableError, size_text
from fashionkit.datasets._warned import gathering, noting

_SIZE = [Interval(Integral, 1, None, closed="left"), tuple, None]
_PARAMETERS = {
    "path": [str, os.PathLike],
    "image_size": _SIZE,
    "aspect": [StrOptions({"crop", "pad", "stretch"})],
    "on_error": [StrOptions({"raise", "skip"})],
    "n_jobs": [Integral, None],
}


@validate_params(
    {**_PARAMETERS, "return_X_y": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def load_image_folder(
    path: str | os.PathLike[str],
    *,
    image_size: int | Size | None = None,
    aspect: str = "crop",
    on_error: str = "raise",
    n_jobs: int | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load the images of a folder that has one sub-folder per class.

    Parameters
    ----------
    path : str or path-like
        The folder. The names of its sub-folders are the labels; the images are in
        them, at any depth. Files that lie beside the sub-folders are not read.

    image_size : int or tuple of int, default=None
        Height and width of the images, or one number for both. None keeps the size
        of the files, which must then be the same for all.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        What happens to an image of other proportions than `image_size`. ``"crop"`` cuts off
        what is too much, the same on both sides; ``"pad"`` adds a white margin;
        ``"stretch"`` changes the proportions.

    on_error : {"raise", "skip"}, default="raise"
        Whether a file that cannot be read as an image, or a sub-folder that cannot be
        listed, is an error, or is left out with a warning.

    n_jobs : int, default=None
        Number of threads that read; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ndarray of shape (n_samples, height, width, 3), dtype uint8
            The images in RGB.
        target : ndarray of shape (n_samples,), dtype str
            The label of each image.
        target_names : list of str
            The labels, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The absolute path of each image. They are sorted by class, then by name.
        skipped : list of tuple of str
            Path and reason of each file or sub-folder that was left out.
        DESCR : str
            How many images there are of each class.

    (data, target) : tuple if ``return_X_y`` is True
        As above.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    NotADirectoryError
        If the path is that of a file.
    PermissionError
        If a sub-folder may not be listed and ``on_error="raise"``.
    ValueError
        If a parameter is invalid, if the folder has no sub-folders with files, if
        images differ in size and `image_size` is None, if a file cannot be read as an image
        and ``on_error="raise"``, or if no file can.

    Warns
    -----
    UserWarning
        If files were skipped, if a sub-folder has no files and so is no class, or if
        Pillow warned of files that it has read.

    See Also
    --------
    ImageFolder : The same images, read a few at a time.
    fetch_fashion_mnist : Fashion-MNIST, downloaded if necessary.

    Notes
    -----
    Images are turned as their EXIF orientation says, and are white where they are
    transparent. Gray values of more than 8 bits count from 0 to 65535, of TIFF files from
    0 to the most that their bits can say, 16 of them at most. Floating-point values
    count from 0 to 1 if none is greater, else from 0 to 255; an image with any others
    cannot be read. TIFF files that Pillow cannot read, or would take for other pictures,
    are read by tifffile, which decompresses some, such as LZW, with the extra
    ``fashionkit[tiff]`` only. Of an animation or a file with several pages, the first is
    taken. Colours are taken as sRGB; colour profiles are not applied.

    Hidden files and folders, and what systems leave behind, such as ``Thumbs.db``, are
    ignored. Links are followed, except to a folder that they are in; each folder counts
    once, under its own path, however many links lead to it.

    An image of more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels is not decoded; it
    counts as one that cannot be read. With `image_size`, each thread takes about 4
    bytes for each pixel of most files: 0.4 GB for 89 megapixels, Pillow's limit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from fashionkit.datasets import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label, colour in [("dress", "red"), ("hat", "blue")]:
    ...         (Path(folder) / label).mkdir()
    ...         Image.new("RGB", (30, 40), colour).save(Path(folder) / label / "1.png")
    ...     photos = load_image_folder(folder, image_size=(20, 16))
    >>> photos.data.shape, photos.data.dtype
    ((2, 20, 16, 3), dtype('uint8'))
    >>> photos.target.tolist()
    ['dress', 'hat']
    >>> photos.data[:, 0, 0]
    array([[255,   0,   0],
           [  0,   0, 255]], dtype=uint8)
    """
    # It only lists the files here, so that each is read once.
    folder = ImageFolder.__new__(ImageFolder)
    folder._list(path, image_size, aspect, on_error, n_jobs)
    data, reasons = folder._read(folder.filenames, on_error)
    data = _without(data, reasons)
    folder._leave_out(reasons)
    if return_X_y:
        return data, folder.target
    return Bunch(
        data=data,
        target=folder.target,
        target_names=folder.target_names,
        filenames=folder.filenames,
        skipped=folder.skipped,
        DESCR=_describe(folder, data.shape),
    )


class ImageFolder:
    """Images of a folder that has one sub-folder per class, read when asked for.

    It is for folders that are larger than memory: index it as an array of images, or
    go through it in chunks.

    Parameters
    ----------
    path : str or path-like
        The folder. The names of its sub-folders are the labels; the images are in
        them, at any depth. Files that lie beside the sub-folders are not read.

    image_size : int or tuple of int, default=None
        Height and width of the images, or one number for both. None keeps the size
        of the files, which must then be the same for all.

    aspect : {"crop", "pad", "stretch"}, default="crop"
        What happens to an image of other proportions than `image_size`. ``"crop"`` cuts off
        what is too much, the same on both sides; ``"pad"`` adds a white margin;
        ``"stretch"`` changes the proportions.

    on_error : {"raise", "skip"}, default="raise"
        What to do about files that cannot be read as images. ``"raise"`` raises an
        error when one is asked for. ``"skip"`` reads every file once, now, and leaves
        out those that cannot be read, with a warning, and sub-folders that cannot be
        listed.

    n_jobs : int, default=None
        Number of threads that read; None for one, unless in a
        :func:`joblib.parallel_config` context; -1 for all processors.

    Attributes
    ----------
    filenames : ndarray of shape (n_samples,), dtype str
        The absolute path of each image. They are sorted by class, then by name.

    target : ndarray of shape (n_samples,), dtype str
        The label of each image.

    target_names : list of str
        The labels, sorted.

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
        If files were skipped, if a sub-folder has no files and so is no class, or if
        Pillow warned of files that it has read, then or when they are asked for.

    See Also
    --------
    load_image_folder : All images in one array, and how files are read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from sklearn.linear_model import SGDClassifier
    >>> from fashionkit.datasets import ImageFolder
    >>> files = tempfile.TemporaryDirectory()
    >>> for label, gray in [("dark", 40), ("light", 200)]:
    ...     (Path(files.name) / label).mkdir()
    ...     for i in range(10):
    ...         Image.new("L", (8, 8), gray + i).save(Path(files.name) / label / f"{i}.png")
    >>> folder = ImageFolder(files.name, image_size=4)
    >>> len(folder), folder.target_names
    (20, ['dark', 'light'])
    >>> folder[:5].shape
    (5, 4, 4, 3)
    >>> classifier = SGDClassifier(random_state=0)
    >>> for epoch in range(3):
    ...     for X, y in folder.chunks(8, random_state=epoch):
    ...         X = X.reshape(len(X), -1) / 255 - 0.5
    ...         classifier = classifier.partial_fit(X, y, classes=folder.target_names)
    >>> classifier.predict(folder[[0, -1]].reshape(2, -1) / 255 - 0.5)
    array(['dark', 'light'], dtype='<U5')
    >>> files.cleanup()
    """

    @validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        image_size: int | Size | None = None,
        aspect: str = "crop",
        on_error: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self._list(path, image_size, aspect, on_error, n_jobs)
        if on_error == "skip":
            self._leave_out(self._read(self.filenames, on_error, keep=False)[1])

    def __len__(self) -> int:
        return len(self.filenames)

    def __repr__(self) -> str:
        return f"<{len(self)} images of {len(self.target_names)} classes in {self.path!r}>"

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Read the images of a row, a slice, an array of rows or a boolean mask.

        Parameters
        ----------
        rows : int, slice, array-like of int or array-like of bool
            Which images, as in indexing an array.

        Returns
        -------
        X : ndarray of shape (n_rows, height, width, 3), dtype uint8
            The images in RGB; of one row, an array of shape (height, width, 3).
        """
        # NumPy itself says what may be an index, and what an error is.
        paths = np.asarray(self.filenames[rows])
        images, _ = self._read(paths.ravel(), "raise")
        assert images is not None
        return images.reshape(*paths.shape, *images.shape[1:])

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
        """Go through all images once, a chunk at a time.

        Parameters
        ----------
        chunk_size : int, default=256
            Number of images in a chunk; the last may have fewer.

        random_state : int or RandomState, default=None
            The order, for training: pass another number in each epoch. None keeps the
            order of the files, in which classes follow one another.

        Yields
        ------
        X : ndarray of shape (n_rows, height, width, 3), dtype uint8
            The images in RGB.

        y : ndarray of shape (n_rows,), dtype str
            Their labels.
        """
        order = np.arange(len(self))
        if random_state is not None:
            check_random_state(random_state).shuffle(order)
        return (
            (self[order[rows]], self.target[order[rows]])
            for rows in gen_batches(len(self), chunk_size)
        )

    def _list(
        self,
        path: str | os.PathLike[str],
        image_size: int | Size | None,
        aspect: str,
        on_error: str,
        n_jobs: int | None,
    ) -> None:
        """Keep the parameters, and list the files."""
        # Absolute: the process may change its folder before it reads.
        self.path = os.path.abspath(os.path.expanduser(path))
        self.image_size = _height_and_width(image_size)
        self.aspect = aspect
        self.n_jobs = n_jobs
        self.filenames, self.target, self.skipped = list_files(self.path, on_error)
        self.target_names: list[str] = np.unique(self.target).tolist()
        # Of which files Pillow's warnings were passed on.
        self._warned: set[str] = set()
        # With image_size=None, the first image that can be read, whose size all must have.
        self._first: tuple[str, Size] | None = None

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
            named = shortened([f"{path!r} ({warned[path]})" for path in new], 3)
            warn(f"Pillow warns of {len(new)} of {len(paths)} files that it has read: {named}.")
        return images, reasons

    def _size_of_first(self, on_error: str) -> Size:
        """Return height and width of the first image that can be read."""
        for path in self.filenames if self._first is None else ():
            try:
                with noting():
                    self._first = str(path), read_image(path, None, self.aspect).shape[:2]
                break
            except UnreadableError as reason:
                if on_error == "raise":
                    raise _refusal(path, reason) from reason
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
            raise _refusal(path, reason) from reason
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
            f"{len(unreadable)} of {len(self)} files in {self.path!r} cannot be read as "
            f"images: {shortened([f'{path!r} ({reason})' for path, reason in unreadable], 3)}"
        )
        if not readable.any():
            raise ValueError(f"{what}. Expected at least one image; check the path.")
        self.filenames, self.target = self.filenames[readable], self.target[readable]
        left = np.unique(self.target).tolist()
        lost = [repr(label) for label in self.target_names if label not in left]
        self.target_names = left
        classes = f" Nothing is left of {shortened(lost, 3)}." if lost else ""
        warn(f"{what}. They are left out.{classes}")


def _height_and_width(size: Any) -> Size | None:
    if size is None or isinstance(size, Integral):
        return None if size is None else (int(size), int(size))
    if len(size) != 2 or not all(isinstance(side, Integral) and side >= 1 for side in size):  # type: ignore[operator]
        raise ValueError(
            f"image_size={size!r} is not two positive integers; pass (height, width), one integer "
            "for both, or None to keep the size of the files."
        )
    return int(size[0]), int(size[1])


def _refusal(path: str, reason: Exception) -> ValueError:
    return ValueError(
        f"{str(path)!r} cannot be read as an image: {reason}. Replace or remove it, or pass "
        "on_error='skip' to leave out all such files."
    )


def _without(images: np.ndarray, reasons: list[str | None]) -> np.ndarray:
    """Move the images that could be read together, in place, and return these."""
    readable = [row for row, reason in enumerate(reasons) if reason is None]
    for to, row in enumerate(readable):
        if to != row:
            images[to] = images[row]
    return images[: len(readable)]


def _describe(folder: ImageFolder, shape: tuple[int, ...]) -> str:
    counts = zip(*np.unique(folder.target, return_counts=True), strict=True)
    classes = ", ".join(f"{count} {label}" for label, count in counts)
    size = size_text(shape[1:])
    return f"{shape[0]} RGB images of {size} pixels from {folder.path!r}: {classes}."
