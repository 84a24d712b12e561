"""Reading of the photos of a request, into bounded memory and never to disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fashionkit.serving._limits import Limits, Refusal

FIELD = "file"

# Maximum number of bytes of the headers of a part, and of characters of the name of a file.
_MAX_HEADER_BYTES = 2048
_MAX_NAME = 120
# Other values of Content-Length are ignored, as the received bytes are counted anyway.
_LENGTH = re.compile("[0-9]{1,18}")
_BUSY = "the memory for photos is full; send the request again later"


@dataclass
class Upload:
    """File in a request.

    Parameters
    ----------
    name : str
        Name of the file, without folders.

    content : bytearray
        Content of the file.
    """

    name: str
    content: bytearray = field(default_factory=bytearray)


class Memory:
    """Counter of the bytes that all requests hold in memory.

    Parameters
    ----------
    max_bytes : int
        Maximum number of bytes of all requests together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.n_bytes = 0

    def take(self, n_bytes: int) -> None:
        """Add bytes of a request to the count.

        Raises
        ------
        Refusal
            If the maximum would be exceeded (503).
        """
        if self.n_bytes + n_bytes > self._max_bytes:
            raise Refusal(503, _BUSY)
        self.n_bytes += n_bytes

    def give(self, n_bytes: int) -> None:
        """Subtract bytes that are no longer held."""
        self.n_bytes -= n_bytes


class Parcel:
    """Photos of one request, as a context manager that releases their memory.

    Parameters
    ----------
    limits : Limits
        Limits of the request.

    memory : Memory
        Counter of the bytes of all requests.
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
        content_type : str
            Header Content-Type of the request.

        length : str or None
            Header Content-Length of the request, if it has one.

        body : async iterator of bytes
            Chunks of the body.

        Raises
        ------
        Refusal
            If the request is too slow (408), too large (413), or not a form with files (415, 422).
        """
        boundary = _boundary(content_type)
        if length and _LENGTH.fullmatch(length) and int(length) > self._limits.max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.timeout):
                await self._parse(boundary, body)
        except TimeoutError:
            raise Refusal(
                408,
                f"the request took more than {self._limits.timeout:g} seconds to arrive; send "
                "fewer or smaller photos",
            ) from None
        if not self.uploads:
            raise Refusal(422, f"the form has no file; send photos in the field {FIELD!r}")

    async def _parse(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser

        form = _Form(self.uploads, self._limits.max_files)
        callbacks: Any = form.callbacks()  # the parser defines their type
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
            raise Refusal(422, "the body is not valid multipart/form-data; send a form") from error
        if not form.is_whole:
            raise Refusal(422, "the form ends before its last boundary; send the complete form")

    def _too_large(self) -> Refusal:
        limit = self._limits.max_bytes
        return Refusal(
            413, f"the request has more than {limit} bytes; send fewer or smaller photos"
        )


class _Form:
    """Callbacks of the parser, which collect the files of a form."""

    def __init__(self, uploads: list[Upload], max_files: int) -> None:
        self._uploads = uploads
        self._max_files = max_files
        self._header = (b"", b"")
        self._headers: dict[bytes, bytes] = {}
        self._n_header_bytes = 0
        self.is_whole = False

    def callbacks(self) -> dict[str, Any]:
        """Return the callbacks by the names that the parser uses."""
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
                f"the form has the field {shown!r}, expected files in the field {FIELD!r}; send "
                "only these",
            )
        if len(self._uploads) == self._max_files:
            raise Refusal(413, f"the request has more than {self._max_files} photos; send fewer")
        self._uploads.append(Upload(clean_name(options[b"filename"].decode("utf-8", "replace"))))

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._uploads[-1].content += memoryview(data)[start:end]

    def _end(self) -> None:
        self.is_whole = True


def clean_name(name: str) -> str:
    """Return the name of a file without folders and control characters, shortened if too long."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(one for one in last if one.isprintable())[-_MAX_NAME:]


def _boundary(content_type: str) -> bytes:
    """Return the boundary from the header Content-Type."""
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if kind.lower() != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Refusal(
            415,
            "the request is not multipart/form-data with a boundary; send photos as a form, in the "
            f"field {FIELD!r}",
        )
    return boundary
