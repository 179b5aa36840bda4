"""Keeps a tritonserver of ours alive: it, and each of its models' processes, is started again when it dies.

Its log is kept short. Without a key a single model cannot be loaded again: then the whole server is started again.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from triton_launch.command import ServerError
from triton_launch.server import Server

log = logging.getLogger("triton_launch")

LOOK_SECONDS = 0.25  # between two looks whether there is still something to keep; a death is noticed at once
REST_SECONDS = 2.0  # before the next start of what did not live


class Keeper:
    """Watches in a thread of its own while the `with` block runs; the server is ready when it begins."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Waits for a start that is under way."""
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.is_set():
            models = self._server.deaths(LOOK_SECONDS)
            if self._over.is_set():
                return
            try:
                self._server.shorten_log()
                alive = self._server.alive()
                if not alive or (models and not self._server.key):
                    log.error("%s died, starting tritonserver again", ", ".join(models) if alive else "tritonserver")
                    self._server.restart()
                    log.info("tritonserver is back")
                    continue
                for model in models:
                    log.error("the process of %s died, starting it again", model)
                    if self._server.reload(model):
                        log.info("%s is back", model)
            except (ServerError, OSError) as error:
                log.error("%s", error)
                self._over.wait(REST_SECONDS)
