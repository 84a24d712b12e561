"""Find the clothing photos on this machine, or download and check them."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pooch

from ._download import DamagedError, data_homes, reason, receive

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """What a part of the data set has: its photos, and the SHA-256 of their names and contents."""

    n_photos: int
    names: str
    contents: str


PARTS = {
    "train": Part(
        3068,
        "04efb5121f425c18706958c2f8f38070c39118885a70bf9876648f4b23b81983",
        "55203190bf807c000e0924162f8f9c072fdf1383ab43079daf132355b97a9512",
    ),
    "validation": Part(
        341,
        "9574b96be64e8112ab8dc2139fa33a90a377928eacc5257c6a71d7a2f8138748",
        "5d06c712810a0be52116eea5848127b7ebe4326cbebcba3dac79e2cdea4a2078",
    ),
    "test": Part(
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


def locate(
    parts: list[str], data_home: str | os.PathLike[str] | None, download_if_missing: bool
) -> list[Path]:
    """Return the photos of some parts, sorted by part, class and name.

    Parts are used where they are found, if their photos have the right names. What is missing is
    downloaded into the folder ``clothing-dataset-small`` of the first home, and checked.
    """
    homes = data_homes(data_home)
    target = homes[0] / _FOLDERS[0]
    places = [place for home in homes for place in (home, *(home / name for name in _FOLDERS))]
    found: dict[str, Path] = {}
    for part in parts:
        sound = (place / part for place in places if _fault_of_folder(place / part, part) is None)
        if (folder := next(sound, None)) is not None:
            found[part] = folder
    missing = [part for part in parts if part not in found]
    if missing:
        if not download_if_missing:
            raise OSError(_not_found(missing, places, target))
        _refuse_to_overwrite(missing, target)
        _download(missing, target)
    folders = [found.get(part, target / part) for part in parts]
    return [folder / name for folder in folders for name in _list_names(folder)]


def _list_names(folder: Path) -> list[str]:
    """Return the names of photos in the folders of classes, with that of the class, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.jpg"))


def _fault_of_folder(folder: Path, part: str) -> str | None:
    """Return why the photos in a folder are not those of a part, None if they are by name."""
    try:
        return _fault_of_names(_list_names(folder), part)
    except OSError as error:
        return f"it cannot be read ({error})"


def _fault_of_names(names: list[str], part: str) -> str | None:
    """Return what is wrong with sorted names of photos, None if they are those of a part."""
    expected = PARTS[part]
    if len(names) != expected.n_photos:
        return f"{len(names):,} photos, expected {expected.n_photos:,}"
    if hashlib.sha256("\n".join(names).encode()).hexdigest() != expected.names:
        return "photos of other names"
    return None


def _fault_of_contents(folder: Path, part: str) -> str | None:
    """Return what is wrong with photos that have arrived, None if they are the official ones."""
    digest = hashlib.sha256()
    for name in _list_names(folder):
        digest.update(f"{pooch.file_hash(folder / name)}  {name}\n".encode())
    if digest.hexdigest() != PARTS[part].contents:
        return f"their SHA-256 is {digest.hexdigest()}, expected {PARTS[part].contents}"
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
        f"- {place / part}: {_fault_of_folder(place / part, part)}"
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
                f"{folder} is in the way of a download: {_fault_of_folder(folder, part)}. Move it "
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
    """Unpack parts of the archive into a folder, and check what they hold.

    Nothing is written before all names are known to be those of the data set.
    """
    try:
        with zipfile.ZipFile(archive) as files:
            for part in parts:
                photos = _list_photos(files, part)
                fault = _fault_of_names(sorted(photos), part)
                if fault is not None:
                    raise DamagedError(f"damaged on arrival, {part}: {fault}")
                for name, member in photos.items():
                    path = folder / part / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with files.open(member) as source, open(path, "xb") as sink:
                        shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedError(f"damaged on arrival ({error})") from error
    for part in parts:
        fault = _fault_of_contents(folder / part, part)
        if fault is not None:
            raise DamagedError(f"damaged on arrival, {part}: {fault}")


def _list_photos(files: zipfile.ZipFile, part: str) -> dict[str, zipfile.ZipInfo]:
    """Return the photos of a part by their names, with that of the class."""
    photos = {}
    for member in files.infolist():
        name = PurePosixPath(member.filename).parts[1:]  # below the commit's folder
        if len(name) == 3 and name[0] == part and name[2].endswith(".jpg"):
            if member.file_size > _MAX_BYTES or ".." in name:
                raise DamagedError(f"damaged on arrival, it has {member.filename!r}")
            photos["/".join(name[1:])] = member
    return photos


def _put(folder: Path, target: Path) -> None:
    """Move a complete folder to its place, unless another process was faster."""
    try:
        folder.rename(target)
    except OSError:
        if _fault_of_folder(target, target.name) is not None:
            raise
