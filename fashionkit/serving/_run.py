"""Server for an application, with limits on slow and idle connections."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

# Maximum number of bytes of the headers of a request, of open connections, and of waiting ones.
_MAX_HEADER_BYTES = 16_384
_MAX_CONNECTIONS = 1024
_BACKLOG = 512


def open_socket(host: str, port: int) -> socket.socket:
    """Open a socket and bind it to an address.

    Parameters
    ----------
    host : str
        Address or host name to listen on.

    port : int
        Port to listen on; 0 chooses a free one.

    Returns
    -------
    opened : socket
        Bound socket.

    Raises
    ------
    OSError
        If the port is in use, or the host is not an address of this computer.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened


def run(app: Any, opened: socket.socket, *, timeout: float) -> None:
    """Serve until SIGINT or SIGTERM, then finish the current requests.

    Parameters
    ----------
    app : ASGI application
        Application made by :func:`~fashionkit.serving.make_app`.

    opened : socket
        Bound socket to listen on.

    timeout : float
        Maximum number of seconds to receive the headers of a request, and to finish the current
        requests at the end.
    """
    make_server(app, timeout).run(sockets=[opened])


def make_server(app: Any, timeout: float) -> Any:
    """Return the uvicorn server that :func:`run` runs."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http=_protocol(timeout),
        ws="none",
        loop="asyncio",
        lifespan="on",
        backlog=_BACKLOG,
        limit_concurrency=_MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        timeout_graceful_shutdown=max(1, round(timeout)),
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_level=logging.WARNING,
    )
    return uvicorn.Server(config)


def _protocol(timeout: float) -> type[asyncio.Protocol]:
    """Return a uvicorn protocol that closes connections without a complete request in time."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """HTTP connection that is closed after a time without a request in progress."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _watch(self) -> None:
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop()
            elif self._timer is None and not self.transport.is_closing():
                self._timer = self.loop.call_later(timeout, self.transport.close)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Protocol
