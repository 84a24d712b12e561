"""Read the photos of a request: into memory, never to disk, and no more than is allowed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fashionkit.serving._limits import Limits, Refusal

FIELD = "file"

# Bytes of the headers of a part: of its name and that of its file.
_MAX_HEADER_BYTES = 2048
_MAX_NAME = 120
# A length that cannot be right is left to the count of the bytes that arrive.
_LENGTH = re.compile("[0-9]{1,18}")
_BUSY = "the server has as many photos to look at as it can hold; send the request again later"


@dataclass
class Upload:
    """A file of a request.

    Parameters
    ----------
    name : str
        Its name, without folders.

    content : bytearray
        What is in it.
    """

    name: str
    content: bytearray = field(default_factory=bytearray)


class Memory:
    """Count of the bytes that all requests hold.

    Parameters
    ----------
    max_bytes : int
        Maximum number of bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.n_bytes = 0

    def take(self, n_bytes: int) -> None:
        """Count bytes of a request.

        Raises
        ------
        Refusal
            If there are too many.
        """
        if self.n_bytes + n_bytes > self._max_bytes:
            raise Refusal(503, _BUSY)
        self.n_bytes += n_bytes

    def give(self, n_bytes: int) -> None:
        """Count bytes that are no longer held."""
        self.n_bytes -= n_bytes


class Parcel:
    """Photos of one request, counted in the memory of all while they are held.

    Parameters
    ----------
    limits : Limits
        What is allowed.

    memory : Memory
        The memory of all requests.
    """

    def __init__(self, limits: Limits, memory: Memory) -> None:
        self._limits = limits
        self._memory = memory
        self._n_bytes = 0
        self.uploads: list[Upload] = []

    def __enter__(self) -> Parcel:
        return self

    def __exit__(self, *_: Any) -> None:
        self.uploads.clear()
        self._memory.give(self._n_bytes)
        self._n_bytes = 0

    async def read(self, content_type: str, length: str | None, body: AsyncIterator[bytes]) -> None:
        """Read the body of a request.

        Parameters
        ----------
        content_type, length : str
            Its headers Content-Type and, if it has one, Content-Length.

        body : async iterator of bytes
            The body.

        Raises
        ------
        Refusal
            If it is too large, too slow, or no form with files.
        """
        boundary = _boundary(content_type)
        if length and _LENGTH.fullmatch(length) and int(length) > self._limits.max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.timeout):
                await self._parse(boundary, body)
        except TimeoutError:
            raise Refusal(
                408, f"the request took more than {self._limits.timeout:g} seconds to arrive"
            ) from None
        if not self.uploads:
            raise Refusal(422, f"the form has no file; send photos in the field {FIELD!r}")

    async def _parse(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        form = _Form(self.uploads, self._limits.max_files)
        callbacks: Any = form.callbacks()  # of a type that the parser's module alone has
        parser = MultipartParser(boundary, callbacks)
        try:
            async for chunk in body:
                if self._n_bytes + len(chunk) > self._limits.max_bytes:
                    raise self._too_large()
                self._memory.take(len(chunk))
                self._n_bytes += len(chunk)
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise Refusal(422, "the body is no valid form of multipart/form-data") from error
        if not form.is_whole:
            raise Refusal(422, "the form ends before its last boundary; send all of it")

    def _too_large(self) -> Refusal:
        limit = self._limits.max_bytes
        return Refusal(
            413, f"the request has more than {limit} bytes; send fewer or smaller photos"
        )


class _Form:
    """What the parser calls with the parts of a form."""

    def __init__(self, uploads: list[Upload], max_files: int) -> None:
        self._uploads = uploads
        self._max_files = max_files
        self._header = (b"", b"")
        self._headers: dict[bytes, bytes] = {}
        self._n_header_bytes = 0
        self.is_whole = False

    def callbacks(self) -> dict[str, Any]:
        """Return what the parser calls, by the names that it has for it."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_field,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._add,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers, self._header, self._n_header_bytes = {}, (b"", b""), 0

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _count(self, n_bytes: int) -> None:
        self._n_header_bytes += n_bytes
        if self._n_header_bytes > _MAX_HEADER_BYTES:
            raise Refusal(431, f"a part of the form has more than {_MAX_HEADER_BYTES} header bytes")

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _open(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != FIELD or b"filename" not in options:
            shown = clean_name(name)
            raise Refusal(
                422,
                f"the form has the field {shown!r}; send photos as files in the field {FIELD!r}",
            )
        if len(self._uploads) == self._max_files:
            raise Refusal(413, f"the request has more than {self._max_files} photos; send fewer")
        self._uploads.append(Upload(clean_name(options[b"filename"].decode("utf-8", "replace"))))

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._uploads[-1].content += memoryview(data)[start:end]

    def _end(self) -> None:
        self.is_whole = True


def clean_name(name: str) -> str:
    """Return the name of a file without folders and control characters, and not too long."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(one for one in last if one.isprintable())[-_MAX_NAME:]


def _boundary(content_type: str) -> bytes:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if kind.lower() != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Refusal(
            415,
            "the request is no multipart/form-data with a boundary; send photos as a form does, "
            f"in the field {FIELD!r}",
        )
    return boundary
