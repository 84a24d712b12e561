"""Find Fashion-MNIST's files on this machine, or download them."""

import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import pooch
from tqdm.auto import tqdm

from fashionkit._files import write_whole

logger = logging.getLogger(__name__)

_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
    ),
}

# The same files decompressed.
_SHA256_UNPACKED = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

# Plain http is the publisher's own address; the SHA-256 makes it safe.
_SOURCES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)

_FOLDER = "fashion-mnist"
_TIMEOUT = (10, 30)  # seconds to connect, and from one arrival of bytes to the next

_BY_HAND = (
    "put the files into {folder} by hand, or set the environment variable "
    "FASHIONKIT_DATA to a folder that holds them. fashionkit.datasets.make_garments "
    "draws similar images without any download."
)


def locate(
    names: Sequence[str],
    data_home: str | os.PathLike[str] | None,
    download_if_missing: bool,
) -> list[Path]:
    """Return where each named file lies, after its SHA-256 has been checked.

    Files are used where they are found; what is missing is downloaded into the
    folder ``fashion-mnist`` of the first home (`data_home`, ``FASHIONKIT_DATA``,
    the user's cache).
    """
    homes = data_homes(data_home)
    folder = homes[0] / _FOLDER
    places = [place for home in homes for place in (home, home / _FOLDER)]
    places = list(dict.fromkeys([*places, _keras_folder()]))

    rejected: dict[Path, str] = {}
    found = {name: _find(name, places, rejected) for name in names}
    missing = [name for name, path in found.items() if path is None]
    if missing and not download_if_missing:
        raise OSError(_not_found(missing, places, rejected, folder))

    for path, fault in rejected.items():
        if path.parent == folder and path.name in missing:
            logger.info("Replacing %s: %s.", path, fault)
        else:
            warnings.warn(
                f"{path} is not used: {fault}. Delete it or replace it.",
                UserWarning,
                stacklevel=4,  # the caller of fetch_fashion_mnist and its validation
            )
    sources = list(_SOURCES)
    return [found[name] or _download(name, folder, sources) for name in names]


def data_homes(data_home: str | os.PathLike[str] | None) -> list[Path]:
    """Return the folders that may hold data sets, the one to download to first."""
    homes = [data_home, os.environ.get("FASHIONKIT_DATA"), pooch.os_cache("fashionkit")]
    return [_absolute(home) for home in homes if home]


def _keras_folder() -> Path:
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return _absolute(home) / "datasets" / _FOLDER


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _find(name: str, places: list[Path], rejected: dict[Path, str]) -> Path | None:
    """Return the first sound file, and note in `rejected` those passed over."""
    unpacked = name.removesuffix(".gz")
    expected = {
        name: _SHA256[name],
        unpacked: _SHA256_UNPACKED[unpacked],
        unpacked.replace("-idx", ".idx"): _SHA256_UNPACKED[unpacked],  # some unpackers' name
    }
    for place in places:
        for one, sha256 in expected.items():
            path = place / one
            if os.path.isfile(path):
                fault = _fault(path, sha256)
                if fault is None:
                    return path
                rejected[path] = fault
    return None


def _fault(path: Path, sha256: str) -> str | None:
    """Return what is wrong with a file, None if it has the SHA-256 of the official one."""
    try:
        actual = pooch.file_hash(path)
        size = path.stat().st_size
    except OSError as error:
        return f"it cannot be read ({error})"
    if actual != sha256:
        return f"its {size} bytes have SHA-256 {actual}, expected {sha256}"
    return None


def _not_found(
    missing: list[str], places: list[Path], rejected: dict[Path, str], folder: Path
) -> str:
    lines = [
        "Fashion-MNIST is not complete on this machine, and "
        "download_if_missing=False. Missing: " + ", ".join(missing) + ".",
        "Looked in:",
        *(f"- {place}" for place in places),
    ]
    if rejected:
        lines += [
            "Found but damaged; delete or replace:",
            *(f"- {path}: {fault}" for path, fault in rejected.items()),
        ]
    lines.append("Pass download_if_missing=True, or " + _BY_HAND.format(folder=folder))
    return "\n".join(lines)


def _download(name: str, folder: Path, sources: list[str]) -> Path:
    """Download one file; a source that fails is moved to the end of `sources`."""
    target = folder / name
    reasons = []
    for source in list(sources):
        try:
            fault = _download_from(source + name, target)
        except OSError as error:
            if _fault(target, _SHA256[name]) is None:  # another process was faster
                return target
            raise OSError(
                error.errno,
                f"cannot write {name} into {folder}: {error.strerror}. Make this "
                "folder writable, with 40 MB of free space, or pass another one as "
                "data_home, or " + _BY_HAND.format(folder=folder),
            ) from error
        if fault is None:
            return target
        logger.info("Downloading %s failed: %s", source + name, fault)
        reasons.append(f"- {source + name}: {fault}")
        sources.remove(source)
        sources.append(source)
    raise OSError(
        "\n".join(
            [
                f"{name} could not be downloaded:",
                *reasons,
                "Check the network and try again, or " + _BY_HAND.format(folder=folder),
            ]
        )
    )


def _download_from(url: str, target: Path) -> str | None:
    """Put the verified file at `target`, or return why the source could not give it.

    The file is received and verified under another name, so that no moment and no
    interruption leaves a partial or wrong file at `target`. An OSError that comes
    out of here is the disk's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)

    def write(part: Path) -> None:
        receive(url, part, target.name)
        fault = _fault(part, _SHA256[target.name])
        if fault is not None:
            raise DamagedError(f"damaged on arrival, {fault}")

    try:
        write_whole(target, write)
    except (OSError, ValueError) as error:
        return reason(error)
    return None


def receive(url: str, path: Path, name: str) -> None:
    """Download what lies at an address into a new file, with a progress bar of this name."""
    with (
        open(path, "xb") as sink,
        # pooch sets the true total; it would take a bar without one for False.
        tqdm(desc=name, total=1, unit="B", unit_scale=True, leave=False) as bar,
    ):
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=_TIMEOUT)
        get(url, sink, None)


def reason(error: OSError | ValueError) -> str:
    """Return why an address could not give what was asked, or raise the error of the disk."""
    if isinstance(error, DamagedError):
        return str(error)
    # The operating system's errors have a number; those of requests have none.
    if getattr(error, "errno", None) is not None:
        raise error
    return f"{type(error).__name__}: {error}"


class DamagedError(ValueError):
    """What was received is not what it should be."""
