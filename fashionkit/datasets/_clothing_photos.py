"""Fetch the clothing photos: 3,781 colour photos of clothes in ten classes."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import zipfile
import zlib
from numbers import Integral
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pooch
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._docs import substitute
from ._download import DamagedError, data_homes, reason, receive
from ._folder import ImageFolder
from ._parameters import PARAMETERS, READING, height_and_width
from ._pixels import Size

logger = logging.getLogger(__name__)


class _Part(NamedTuple):
    """What a part of the data set has: its photos, and the SHA-256 of their names and contents."""

    n_photos: int
    names: str
    contents: str


_PARTS = {
    "train": _Part(
        3068,
        "04efb5121f425c18706958c2f8f38070c39118885a70bf9876648f4b23b81983",
        "55203190bf807c000e0924162f8f9c072fdf1383ab43079daf132355b97a9512",
    ),
    "validation": _Part(
        341,
        "9574b96be64e8112ab8dc2139fa33a90a377928eacc5257c6a71d7a2f8138748",
        "5d06c712810a0be52116eea5848127b7ebe4326cbebcba3dac79e2cdea4a2078",
    ),
    "test": _Part(
        372,
        "2d44382dd5abccb6cc7974c9d8a506ccaed2d87b8af33507d0885d9106633c37",
        "4a909d4c45358c5fd1f6809ef0e46564f2c45c85328ab54617369e6947f82cfe",
    ),
}

_COMMIT = "11961516512414bf9f6c150a832cfd21b54a6b54"
_SOURCES = tuple(
    f"https://{site}/alexeygrigorev/clothing-dataset-small/{path}{_COMMIT}{end}"
    for site, path, end in [
        ("github.com", "archive/", ".zip"),
        ("codeload.github.com", "zip/", ""),
    ]
)

_FOLDERS = ("clothing-dataset-small", "photos")  # to download to, and where else to look
_MAX_BYTES = 2**20  # of a photo; the largest has 88 KB

_DESCR = """\
Clothing photos
---------------

Photos of clothes that many people took at home and sent in: the ten most frequent
classes of A. Grigorev's clothing data set, with a shortest side of 400 pixels.

Samples:   3,068 for training, 341 for validation, 372 for testing
Features:  RGB pixels, uint8, resized and cropped to image_size
Classes:   dress, hat, longsleeve, outwear, pants, shirt, shoes, shorts, skirt, t-shirt
Licence:   CC0 1.0
Source:    https://github.com/alexeygrigorev/clothing-dataset-small

Photos of the same piece are found in several parts, as its sender took more than one.
"""


@substitute(aspect=PARAMETERS["aspect"], n_jobs=PARAMETERS["n_jobs"])
@validate_params(
    {
        "subset": [StrOptions({*_PARTS, "all"})],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple],
        "aspect": READING["aspect"],
        "n_jobs": READING["n_jobs"],
        "data_home": [str, os.PathLike, None],
        "return_X_y": ["boolean"],
        "download_if_missing": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_clothing_photos(
    subset: str = "train",
    *,
    image_size: int | Size = 224,
    aspect: str = "crop",
    n_jobs: int | None = None,
    data_home: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
    download_if_missing: bool = True,
) -> Bunch | tuple[ImageFolder, np.ndarray]:
    """Load the clothing photos and download them if necessary.

    =================   ======================================
    Classes                                                 10
    Samples             3,068 train + 341 validation + 372 test
    Image               photo, RGB, uint8
    Download            106 MB
    =================   ======================================

    Photos that people took of their own clothes [1]_. They are read when they are accessed.

    Parameters
    ----------
    subset : {"train", "validation", "test", "all"}, default="train"
        Part of the dataset to load. ``"all"`` is all parts, in this order.

    image_size : int or tuple of int, default=224
        Height and width of the images, or one number for both.

    {aspect}

    {n_jobs}

    data_home : str or path-like, default=None
        Folder to look in first. Photos that are found nowhere are downloaded into its subfolder
        ``clothing-dataset-small``. By default the environment variable ``FASHIONKIT_DATA``, or the
        user's cache folder if it is not set.

    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    download_if_missing : bool, default=True
        Whether to download missing photos; if False, an OSError is raised instead.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : ImageFolder of shape (n_samples, height, width, 3), dtype uint8
            The photos.
        target : ndarray of shape (n_samples,), dtype str
            The class of each photo, one of the names in ``target_names``.
        target_names : list of str
            The names of the classes, sorted.
        filenames : ndarray of shape (n_samples,), dtype str
            The absolute path of each photo. They are sorted by part, class and name.
        DESCR : str
            A description of the dataset.

    (data, target) : tuple if ``return_X_y`` is True
        The data and target described above.

    Raises
    ------
    OSError
        If the photos are missing and may not be downloaded, if every download failed, or if they
        cannot be written. The message lists the folders searched, or the error at each address,
        and what to do.
    ValueError
        If a parameter is invalid.

    See Also
    --------
    fetch_fashion_mnist : 70,000 images of shop articles, small and gray.
    ImageFolder : Reads your own photos.
    make_garments : Images drawn without any download.

    Notes
    -----
    The folders ``train``, ``validation`` and ``test`` are searched for in `data_home`, in the
    folder named by ``FASHIONKIT_DATA`` and in the user's cache, and in the subfolders
    ``clothing-dataset-small`` and ``photos`` of each of these. Those that hold photos of the right
    names are read in place, so that resized copies may be used. What is downloaded is checked
    against the SHA-256 of its contents before it is put in its place.

    To hide the progress bar, start Python with the environment variable
    ``TQDM_DISABLE=1``.

    References
    ----------
    .. [1] A. Grigorev, "Clothing dataset (subset)", 2020,
       https://github.com/alexeygrigorev/clothing-dataset-small.

    Examples
    --------
    >>> from fashionkit import fetch_clothing_photos
    >>> photos = fetch_clothing_photos("validation", image_size=96)  # doctest: +SKIP
    >>> photos.data.shape, photos.target_names[0]  # doctest: +SKIP
    ((341, 96, 96, 3), 'dress')
    """
    size = height_and_width(image_size)  # before anything is downloaded
    parts = list(_PARTS) if subset == "all" else [subset]
    folders = _locate(parts, data_home, download_if_missing)
    paths = [folders[part] / name for part in parts for name in _list_names(folders[part])]
    data = ImageFolder.from_paths(
        paths,
        [path.parent.name for path in paths],
        image_size=size,
        aspect=aspect,
        n_jobs=n_jobs,
    )
    if return_X_y:
        return data, data.target
    return Bunch(
        data=data,
        target=data.target,
        target_names=data.target_names,
        filenames=data.filenames,
        DESCR=_DESCR,
    )


def _locate(
    parts: list[str], data_home: str | os.PathLike[str] | None, download_if_missing: bool
) -> dict[str, Path]:
    """Return the folder of each part, after the names of its photos have been checked."""
    homes = data_homes(data_home)
    target = homes[0] / _FOLDERS[0]
    places = [place for home in homes for place in (home, *(home / name for name in _FOLDERS))]
    found: dict[str, Path] = {}
    for part in parts:
        sound = (place / part for place in places if _fault_of_names(place / part, part) is None)
        if (folder := next(sound, None)) is not None:
            found[part] = folder
    missing = [part for part in parts if part not in found]
    if missing:
        if not download_if_missing:
            raise OSError(_not_found(missing, places, target))
        _refuse_to_overwrite(missing, target)
        _download(missing, target)
    return {part: found.get(part, target / part) for part in parts}


def _list_names(folder: Path) -> list[str]:
    """Return the names of photos in the folders of classes, with that of the class, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.jpg"))


def _fault_of_names(folder: Path, part: str) -> str | None:
    """Return what is wrong with the names of the photos in a folder, None if it is the part."""
    try:
        names = _list_names(folder)
    except OSError as error:
        return f"it cannot be read ({error})"
    expected = _PARTS[part]
    if len(names) != expected.n_photos:
        return f"{len(names):,} photos, expected {expected.n_photos:,}"
    if hashlib.sha256("\n".join(names).encode()).hexdigest() != expected.names:
        return "photos of other names"
    return None


def _fault_of_contents(folder: Path, part: str) -> str | None:
    """Return what is wrong with photos that have arrived, None if they are the official ones."""
    fault = _fault_of_names(folder, part)
    if fault is not None:
        return fault
    digest = hashlib.sha256()
    for name in _list_names(folder):
        digest.update(f"{pooch.file_hash(folder / name)}  {name}\n".encode())
    if digest.hexdigest() != _PARTS[part].contents:
        return f"their SHA-256 is {digest.hexdigest()}, expected {_PARTS[part].contents}"
    return None


def _by_hand(target: Path) -> str:
    return (
        f"unpack the data set into {target} by hand, or set the environment variable "
        "FASHIONKIT_DATA to a folder that has it. fashionkit.make_garments draws images without "
        "any download."
    )


def _not_found(missing: list[str], places: list[Path], target: Path) -> str:
    lines = [
        "The clothing photos are not complete on this machine, and download_if_missing=False. "
        f"Missing: {', '.join(missing)}.",
        "Looked in:",
        *(f"- {place}" for place in places),
    ]
    faults = [
        f"- {place / part}: {_fault_of_names(place / part, part)}"
        for place in places
        for part in missing
        if (place / part).is_dir()
    ]
    if faults:
        lines += ["Found, but they are not these photos:", *faults]
    return "\n".join([*lines, f"Pass download_if_missing=True, or {_by_hand(target)}"])


def _refuse_to_overwrite(missing: list[str], target: Path) -> None:
    for part in missing:
        folder = target / part
        if folder.exists():
            raise FileExistsError(
                f"{folder} is in the way of a download: {_fault_of_names(folder, part)}. Move it "
                "away, or pass another folder as data_home."
            )


def _download(missing: list[str], target: Path) -> None:
    """Download the archive and put the missing parts into the target, each whole or not at all."""
    reasons = []
    for source in _SOURCES:
        try:
            target.mkdir(parents=True, exist_ok=True)
            # Beside their places, so that folders that are complete need only be renamed.
            with TemporaryDirectory(prefix=".", suffix=".part", dir=target) as inside:
                archive = Path(inside, "photos.zip")
                receive(source, archive, _FOLDERS[0])
                _extract(archive, missing, Path(inside))
                for part in missing:
                    _put(Path(inside, part), target / part)
            return
        except (OSError, ValueError) as error:
            try:
                reasons.append(f"- {source}: {reason(error)}")
            except OSError as disk:
                raise OSError(
                    disk.errno,
                    f"cannot write the clothing photos into {target}: {disk.strerror}. Make this "
                    "folder writable, with 250 MB of free space, or pass another one as "
                    f"data_home, or {_by_hand(target)}",
                ) from disk
            logger.info("Downloading %s failed: %s", source, reasons[-1])
    raise OSError(
        "\n".join(
            [
                "The clothing photos could not be downloaded:",
                *reasons,
                f"Check the network and try again, or {_by_hand(target)}",
            ]
        )
    )


def _extract(archive: Path, parts: list[str], folder: Path) -> None:
    """Unpack parts of the archive into a folder, and check what they hold."""
    try:
        with zipfile.ZipFile(archive) as files:
            for member in files.infolist():
                _, *name = PurePosixPath(member.filename).parts  # below the commit's folder
                if len(name) == 3 and name[0] in parts and name[2].endswith(".jpg"):
                    _extract_photo(files, member, folder.joinpath(*name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedError(f"damaged on arrival ({error})") from error
    for part in parts:
        fault = _fault_of_contents(folder / part, part)
        if fault is not None:
            raise DamagedError(f"damaged on arrival, {part}: {fault}")


def _extract_photo(files: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    if member.file_size > _MAX_BYTES or ".." in path.parts:
        raise DamagedError(f"damaged on arrival, it has {member.filename!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open(member) as source, open(path, "xb") as sink:
        shutil.copyfileobj(source, sink)


def _put(folder: Path, target: Path) -> None:
    """Move a complete folder to its place, unless another process was faster."""
    try:
        folder.rename(target)
    except OSError:
        if _fault_of_names(target, target.name) is not None:
            raise
