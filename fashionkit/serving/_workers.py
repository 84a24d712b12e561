"""Answer requests in a few threads, each for so long and no longer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fashionkit.serving._limits import Refusal


class Workers:
    """Threads that look at photos.

    Parameters
    ----------
    n_threads : int
        Number of threads.

    timeout : float
        Seconds until an answer is given up, waiting included.
    """

    def __init__(self, n_threads: int, timeout: float) -> None:
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="fashionkit-serving")

    async def run(self, work: Callable[[Callable[[], None]], Any]) -> Any:
        """Call a function in a thread.

        Parameters
        ----------
        work : callable
            It is passed a function that it calls from time to time, which raises once nobody waits
            for the result.

        Raises
        ------
        Refusal
            If it takes too long.
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
                f"there is no answer within {self._timeout:g} seconds; send fewer photos, later"
            )
            raise Refusal(503, reason) from None
        finally:
            # Whoever waited may have gone; a thread that has begun ends at its next photo.
            is_late.set()
            future.cancel()

    def close(self) -> None:
        """Let threads end what they have begun, and begin nothing else."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _GivenUpError(Exception):
    """Nobody waits for the result any more."""
