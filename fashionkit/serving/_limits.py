"""Limits of requests, and the exception for requests beyond them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

# Bytes that all requests together may hold in memory, as a multiple of those of one request.
_HELD_REQUESTS = 8


@dataclass(frozen=True)
class Limits:
    """Limits of requests.

    Parameters
    ----------
    max_bytes : int
        Maximum number of bytes of a request.

    max_pixels : int
        Maximum number of pixels of a photo.

    max_files : int
        Maximum number of photos in a request.

    max_requests : int
        Maximum number of simultaneous requests, including waiting ones.

    timeout : float
        Maximum number of seconds to receive a request, and again to answer it.
    """

    max_bytes: int
    max_pixels: int
    max_files: int
    max_requests: int
    timeout: float

    @property
    def max_held_bytes(self) -> int:
        """Maximum number of bytes that all requests together hold in memory."""
        return _HELD_REQUESTS * self.max_bytes

    def to_dict(self) -> dict[str, int | float]:
        """Return the limits by name."""
        return asdict(self)


class Refusal(Exception):
    """Exception for a request, or one of its photos, that is refused.

    Parameters
    ----------
    code : int
        HTTP status of the answer.

    reason : str
        Reason and remedy, for the client.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
