"""Connections, where uvicorn (0.54) is too patient, or not patient enough.

It waits for the head of a request as long as it takes; and a WebSocket whose page has said goodbye, but has not taken
all that was sent, makes its shutdown raise, so that nothing of ours is told that the server ends.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

HEAD_SECONDS: Final = 15.0  # from the connection, or from an answer, to a whole head of the next request


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on who sends no request, or its head byte by byte. A body is bounded where it is read."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._reconsider()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._reconsider()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._reconsider()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def _reconsider(self) -> None:
        """The clock runs while no request does. A WebSocket has taken the connection over."""
        asking = self.cycle is not None and not self.cycle.response_complete
        if asking or self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class LeavingWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be shut down while it is being closed."""

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except InvalidState:  # both sides have said goodbye
            self.transport.close()
