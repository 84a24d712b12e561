"""Threads that process requests, with a timeout."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fashionkit.serving._limits import Refusal


class Workers:
    """Pool of threads that process requests.

    Parameters
    ----------
    n_threads : int
        Number of threads.

    timeout : float
        Maximum number of seconds to answer a request, including waiting.
    """

    def __init__(self, n_threads: int, timeout: float) -> None:
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="fashionkit-serving")

    async def run(self, work: Callable[[Callable[[], None]], Any]) -> Any:
        """Call a function in a thread.

        Parameters
        ----------
        work : callable
            Function to call. Its argument is a function that it should call regularly, which
            raises an exception when the result is no longer needed.

        Returns
        -------
        result : object
            Result of ``work``.

        Raises
        ------
        Refusal
            If the call takes too long (503).
        """
        is_late = threading.Event()

        def go_on() -> None:
            if is_late.is_set():
                raise _GivenUpError

        future = self._threads.submit(work, go_on)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout)
        except TimeoutError:
            reason = (
                f"the answer took more than {self._timeout:g} seconds; send fewer photos, or try "
                "again later"
            )
            raise Refusal(503, reason) from None
        finally:
            # If the request was cancelled, a running thread stops at its next photo.
            is_late.set()
            future.cancel()

    def close(self) -> None:
        """Finish the running calls, and cancel the waiting ones."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _GivenUpError(Exception):
    """Exception that stops a thread whose result is no longer needed."""
