"""Checks that each request passes first: its host, its origin and the number of requests."""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Iterable
from typing import Any

_logger = logging.getLogger(__name__)

_SAFE_HOSTS = ("localhost",)
_ANY = "*"
_READS = ("GET", "HEAD")

# The page uses scripts and styles of this server only, and shows photos from memory (blob:).
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware that refuses requests from other sites, for other hosts or in excess.

    A page of another site can make a browser send requests to a server on the user's machine. It
    can do so from another origin, or under a host name of its site that resolves to 127.0.0.1 (DNS
    rebinding). Both are refused. Security headers are added to all answers.

    Parameters
    ----------
    app : ASGI application
        Application to protect.

    allowed_hosts : iterable of str
        Allowed host names, in addition to "localhost" and IP addresses; "*" allows all.

    max_requests : int
        Maximum number of simultaneous requests with photos.
    """

    def __init__(self, app: Any, allowed_hosts: Iterable[str], max_requests: int) -> None:
        self._app = app
        self._hosts = {*_SAFE_HOSTS, *(host.lower() for host in allowed_hosts)}
        self._max_requests = max_requests
        self._n_requests = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle a connection, as ASGI defines it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"a connection of the type {scope['type']!r} is not supported")

        is_begun = False

        async def send_with_headers(message: Any) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        refusal = self._refuse(scope)
        if refusal is not None:
            await _answer(send_with_headers, *refusal)
            return
        n_more = 0 if scope["method"] in _READS else 1
        self._n_requests += n_more
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:  # the client is not told details
            _logger.exception("a request could not be answered")
            if is_begun:
                raise
            await _answer(send_with_headers, 500, "internal error; see the log of the server")
        finally:
            self._n_requests -= n_more

    def _refuse(self, scope: Any) -> tuple[int, str] | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if not self._knows(host):
            return 421, "the host of the request is not allowed; add it to allowed_hosts"
        origin = headers.get(b"origin")
        is_foreign = origin is not None and origin.partition("://")[2] != host
        is_read = scope["method"] in _READS
        if is_foreign and not is_read:
            return (
                403,
                "the request comes from another site; send it from a page of this server",
            )
        if not is_read and self._n_requests >= self._max_requests:
            return 503, "the server has too many requests; try again later"
        return None

    def _knows(self, host: str) -> bool:
        if _ANY in self._hosts:
            return True
        name = host.lower()
        if name.startswith("["):
            name, _, _ = name[1:].partition("]")
        else:
            name, _, _ = name.partition(":")
        return name in self._hosts or _is_address(name)


def _is_address(name: str) -> bool:
    """Tell whether a host is an IP address, to which DNS rebinding does not apply."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _answer(send: Any, code: int, reason: str) -> None:
    """Send an HTTP status and a reason as JSON."""
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if code == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
