"""Images similar to uploads, and their thumbnails, without disclosing paths of files."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from fashionkit.datasets._photo import read_whole
from fashionkit.datasets._pixels import UnreadableError
from fashionkit.datasets._warned import gathering, noting
from fashionkit.decision._decide import ACCEPTED, ERROR
from fashionkit.decision._reading import make_reader
from fashionkit.serving._answers import Found, Similar
from fashionkit.serving._classify import plain
from fashionkit.serving._decode import Decoder
from fashionkit.serving._limits import Refusal
from fashionkit.serving._uploads import Upload

MAX_NEIGHBORS = 50

# Maximum number of thumbnails that can be requested: those of the latest results.
_KEPT_PICTURES = 10_000
_PICTURE_SIDE = 256
_NO_PICTURE = "this picture is unknown or unavailable; repeat the search to get current ones"
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]|file:")
_COLUMNS = ("query", "id", "distance", "label")


class Similarity:
    """Search for images similar to uploads.

    Parameters
    ----------
    search : ImageSearch
        Fitted search, with a method ``search(X, n_neighbors)``.

    folder : Path or None
        Folder of the indexed photos, whose ids are paths relative to it; None for no thumbnails.

    decoder : Decoder
        Decoder of uploads.
    """

    def __init__(self, search: Any, folder: Path | None, decoder: Decoder) -> None:
        self._search = search
        self._reader = make_reader(search)
        self._decoder = decoder
        self._n_images = len(getattr(search, "ids_", ())) or MAX_NEIGHBORS
        self.pictures = None if folder is None else Pictures(folder)
        image = np.full((*self._reader.size, 3), 255, np.uint8)
        search.search(self._reader.as_given([image]), 1)  # compiles the embedding

    def find(
        self, uploads: list[Upload], go_on: Callable[[], None], *, n_neighbors: int
    ) -> list[Found]:
        """Find the most similar images of each upload.

        Parameters
        ----------
        uploads : list of Upload
            Files, which need not be photos.

        go_on : callable
            Function that is called between photos; an exception that it raises ends the work.

        n_neighbors : int
            Number of images to find for each upload, or all images if fewer are indexed.

        Returns
        -------
        answers : list of Found
            Similar images of each upload; for those that cannot be read, the reason.
        """
        answers, images, read = [], [], []
        for index, upload in enumerate(uploads):
            go_on()
            answer = Found(index, upload.name, ACCEPTED)
            answers.append(answer)
            try:
                size, aspect = self._reader.size, self._reader.aspect
                images.append(self._decoder.crop(bytes(upload.content), size, aspect)[0])
                read.append(answer)
            except Refusal as refusal:
                answer.status, answer.code, answer.reason = ERROR, refusal.code, refusal.reason
        if read:
            go_on()
            n_found = min(n_neighbors, self._n_images)
            results = self._search.search(self._reader.as_given(images), n_found)
            for row in results.to_dict("records"):
                read[int(row["query"])].neighbors.append(self._similar(row))
        return answers

    def _similar(self, row: dict[str, Any]) -> Similar:
        found = row["id"]
        further = {str(name): _harmless(value) for name, value in row.items()}
        return Similar(
            id=_harmless(found),
            distance=float(row["distance"]),
            label=plain(row.get("label")),
            metadata={name: value for name, value in further.items() if name not in _COLUMNS},
            picture=None if self.pictures is None else self.pictures.announce(str(found)),
        )


class Pictures:
    """Thumbnails of indexed photos, under names that do not disclose paths.

    Parameters
    ----------
    folder : Path
        Folder of the photos. Files outside of it are never read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def announce(self, found: str) -> str:
        """Return the relative URL of the thumbnail of an id, and remember it."""
        name = hmac.new(self._key, found.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[
            :32
        ]
        with self._lock:
            self._known[name] = found
            self._known.move_to_end(name)
            while len(self._known) > _KEPT_PICTURES:
                self._known.popitem(last=False)
        return f"pictures/{name}.jpg"

    def draw(self, name: str) -> bytes:
        """Return a thumbnail as JPEG.

        Parameters
        ----------
        name : str
            Name from :meth:`announce`, without the suffix.

        Returns
        -------
        content : bytes
            JPEG file.

        Raises
        ------
        Refusal
            If the name is unknown, or the photo cannot be read (404).
        """
        with self._lock:
            found = self._known.get(name)
        path = None if found is None else (self._folder / found).resolve()
        if path is None or not path.is_relative_to(self._folder):
            raise Refusal(404, _NO_PICTURE)
        try:
            with gathering(), noting():
                pixels, _ = read_whole(str(path), _PICTURE_SIDE)
        except (OSError, UnreadableError, MemoryError):
            raise Refusal(404, _NO_PICTURE) from None
        file = BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=85)
        return file.getvalue()


def _harmless(value: Any) -> Any:
    """Convert a value of the index to a type of JSON; absolute paths are reduced to their name."""
    value = plain(value)
    if isinstance(value, str) and _ABSOLUTE.match(value):
        return re.split(r"[/\\]", value.rstrip("/\\"))[-1]
    return value
