"""What a server takes from a request at most."""

from __future__ import annotations

from dataclasses import asdict, dataclass

# Of the bytes of one request, what all requests together may hold in memory.
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
        Maximum number of requests that are answered or wait at a time.

    timeout : float
        Seconds that sending a request may take, and answering it.
    """

    max_bytes: int
    max_pixels: int
    max_files: int
    max_requests: int
    timeout: float

    @property
    def max_held_bytes(self) -> int:
        """Bytes of all requests that are held in memory at a time."""
        return _HELD_REQUESTS * self.max_bytes

    def to_dict(self) -> dict[str, int | float]:
        """Return the limits by their names."""
        return asdict(self)


class Refusal(Exception):
    """Why a request, or one of its photos, is not answered.

    Parameters
    ----------
    code : int
        Status of HTTP.

    reason : str
        What is wrong, and what to do.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
