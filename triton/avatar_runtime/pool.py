"""Threads with a bounded queue before them: who comes when it is full is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from avatar_runtime.contracts import AvatarError, Code


class Pool:
    """At most `threads` pieces of work run and `waiting` more wait."""

    def __init__(self, threads: int, waiting: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, name)
        self._places = threading.BoundedSemaphore(threads + waiting)

    def submit(self, work: Callable[..., object], *given: Any) -> None:
        """Runs `work(*given)` in a thread, which has to deal with its errors. Raises `engine_unavailable` when full."""
        if not self._places.acquire(blocking=False):
            raise AvatarError(Code.ENGINE_UNAVAILABLE, "Too many are being answered already: try again in a moment.")
        self._threads.submit(self._run, work, *given)

    def _run(self, work: Callable[..., object], *given: Any) -> None:
        try:
            work(*given)
        finally:
            self._places.release()

    def close(self) -> None:
        """What has not begun never will."""
        self._threads.shutdown(wait=False, cancel_futures=True)
