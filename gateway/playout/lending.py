"""A playout track lent to one peer connection: a connection that ends takes only the loan with it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack


class Lender:
    """One track of playout, read by one connection at a time: the newest."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self._track = track
        self._reading = asyncio.Lock()  # a loan that has been taken back may still wait for its last packet
        self._loan: Loan | None = None

    def lend(self) -> Loan:
        """A track for a new connection; the loan before it is over."""
        if self._loan is not None:
            self._loan.stop()
        self._loan = Loan(self._track, self._reading)
        return self._loan


class Loan(MediaStreamTrack):
    """aiortc stops the tracks of a connection that ends: this one does not stop what it reads from."""

    def __init__(self, track: MediaStreamTrack, reading: asyncio.Lock) -> None:
        super().__init__()
        self.kind = track.kind
        self._track, self._reading = track, reading
        self.first: float | None = None  # media time of the first frame, seconds

    async def recv(self) -> Any:
        async with self._reading:
            if self.readyState != "live":
                raise MediaStreamError
            frame: Any = await self._track.recv()
        if self.first is None:
            self.first = frame.time
        return frame
