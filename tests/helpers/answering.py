"""A server of the standard library that answers while a test runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager


@contextmanager
def answering(server):
    """Let a server answer in a thread of its own, and stop it at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
