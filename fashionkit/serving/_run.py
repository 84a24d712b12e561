"""Run an application until it is interrupted, for clients of any speed and any manners."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

# Bytes of the headers of a request; and connections, of which requests are some.
_MAX_HEADER_BYTES = 16_384
_MAX_CONNECTIONS = 1024
_BACKLOG = 512


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound; port 0 for any that is free.

    Parameters
    ----------
    host : str
        Address or name to listen on.

    port : int
        The port.

    Raises
    ------
    OSError
        If it is taken, or the host is not of this machine.
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
    """Serve until SIGINT or SIGTERM; requests that have begun are answered first.

    Parameters
    ----------
    app : ASGI application
        What :func:`~fashionkit.serving.make_app` makes.

    opened : socket
        Where to listen.

    timeout : float
        Seconds in which the headers of a request must arrive, and in which requests are answered
        once the server is told to end.
    """
    make_server(app, timeout).run(sockets=[opened])


def make_server(app: Any, timeout: float) -> Any:
    """Return the server of uvicorn that :func:`run` runs."""
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
    """Return the protocol of uvicorn that also ends connections which send no whole request."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """A connection; nothing of it lasts long without a request that is being answered."""

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
