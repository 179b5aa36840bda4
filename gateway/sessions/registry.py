"""All sessions of the gateway: admitted, run, come back to, ended, and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from avatar_runtime.contracts import AvatarError, Code
from characters import Character, CharacterStore
from gateway import memory
from gateway.clock import steady_media
from gateway.cloning import Clones
from gateway.dialogue import Dialogue, Echo
from gateway.observability.context import session_id
from gateway.observability.metrics import Metrics
from gateway.playout import encoders
from gateway.security.buckets import Places
from gateway.sessions.health import crash
from gateway.sessions.peer import RETURN_SECONDS
from gateway.sessions.session import Session
from gateway.settings import Settings

log = logging.getLogger("gateway.sessions")

ENGINES_EVERY = 2.0  # s between two looks at the engines, while there are sessions
REMEMBERED = 64  # conversations kept after their session has ended; the oldest go first
REMEMBERED_SECONDS = 600.0
CLOSING_SECONDS = 5.0  # s that all sessions together may take to end


@dataclass(eq=False)
class Seat:
    """A session and the page that has it now. The `token` is the page's secret: with it, it finds the session again."""

    session: Session
    token: str
    memory: Memory | None  # of the session that this one follows, until its character is on screen
    taken: int = 0  # how many pages, one after another, have had it
    left: asyncio.TimerHandle | None = None  # runs while no page has it
    over: asyncio.Event = field(default_factory=asyncio.Event)
    displaced: asyncio.Event = field(default_factory=asyncio.Event)  # of the page that has it now


@dataclass(frozen=True)
class Memory:
    """What is left of a session that has ended: with whom was spoken, and what was said."""

    character_id: str
    history: Any
    until: float  # event loop time


class Sessions:
    """Admits sessions, tells them what changes, and ends them all."""

    def __init__(
        self,
        settings: Settings,
        inference: Any,
        characters: CharacterStore,
        describe: Callable[[Character], dict[str, Any]],
        dialogue: Dialogue | None = None,
        clones: Clones | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.settings = settings
        self._inference, self._characters, self._describe = inference, characters, describe
        self._dialogue = dialogue or Echo()
        self.metrics = metrics or Metrics()
        self.metrics.watch(lambda: [session.playout for session in self.running])
        self._clones = clones or Clones(inference, characters)
        self._seats: dict[str, Seat] = {}  # by token
        self._memories: dict[str, Memory] = {}  # by token, in the order in which they ended
        self._running: dict[asyncio.Task[None], Session] = {}
        self._places = Places(settings.address_sessions)  # of each visitor
        self._roles: dict[str, Any] | None = None
        self._opened = asyncio.Event()
        self.active: str | None = None  # the character last made active, as far as sessions were told
        self._closing = False
        encoders.configure(settings.video_bitrate)
        steady_media()

    @property
    def running(self) -> set[Session]:
        return set(self._running.values())

    def open(self, token: str = "", visitor: str = "") -> Seat:
        """A new session, which runs from now on; too_many_sessions when all places are taken, or those of `visitor`.

        With the token of one that has ended not long ago it goes on with what was said there.
        """
        if self._closing or len(self._running) >= self.settings.max_sessions:
            self.metrics.session_refused()
            raise AvatarError(Code.TOO_MANY_SESSIONS, _full(self.settings.max_sessions))
        if visitor and not self._places.take(visitor):
            self.metrics.session_refused()
            raise AvatarError(Code.TOO_MANY_SESSIONS, "Others at your address are talking already; end one talk first.")
        session = Session(
            self.settings, self._inference, self._characters, self._clones, self._dialogue, self._describe, self.metrics
        )
        memory = self._memories.pop(token, None)
        if memory is not None and memory.until < asyncio.get_running_loop().time():
            memory = None
        seat = Seat(session, secrets.token_urlsafe(24), memory)
        self._seats[seat.token] = seat
        task = asyncio.get_running_loop().create_task(self._run(seat))
        self._running[task] = session
        task.add_done_callback(lambda task: self._running.pop(task))
        if visitor:
            task.add_done_callback(lambda _: self._places.leave(visitor))
        if self._roles is not None:
            session.engines(self._roles)
        self._opened.set()
        self.metrics.session_opened()
        log.info("session %s opened, %d running", session.id, len(self._running))
        return seat

    def find(self, token: str) -> Seat | None:
        """The running session of this token."""
        return self._seats.get(token)

    def take(self, seat: Seat) -> int:
        """A page has the session from now on; the number goes to `leave`. Who had it before is displaced."""
        if seat.left is not None:
            seat.left.cancel()
            seat.left = None
        seat.displaced.set()
        seat.displaced = asyncio.Event()
        seat.taken += 1
        return seat.taken

    def leave(self, seat: Seat, number: int) -> None:
        """A page has gone without a goodbye: unless one comes for it in `RETURN_SECONDS`, the session ends."""
        if number == seat.taken and seat.left is None:
            loop = asyncio.get_running_loop()
            seat.left = loop.call_later(RETURN_SECONDS, seat.session.end, "the page left")

    def recall(self, seat: Seat) -> None:
        """What was said before is remembered, now that the character it was said to is on screen."""
        memory, seat.memory = seat.memory, None
        if memory is not None and _character_of(seat) == memory.character_id:
            seat.session.history = memory.history

    async def _run(self, seat: Seat) -> None:
        session = seat.session
        session_id.set(session.id)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await session.run()
        except Exception as error:  # a bug in one of its tasks; the others have ended, too
            session.failure = crash(error)
        finally:
            if seat.left is not None:
                seat.left.cancel()
            del self._seats[seat.token]
            self._remember(seat)
            failure = "" if session.failure is None else str(session.failure.code)
            self.metrics.session_closed(loop.time() - began, session.playout, failure)
            seat.over.set()
            loop.run_in_executor(None, memory.hand_back)

    def _remember(self, seat: Seat) -> None:
        memory = seat.memory
        if memory is None and seat.session.history:
            until = asyncio.get_running_loop().time() + REMEMBERED_SECONDS
            memory = Memory(_character_of(seat), seat.session.history, until)
        if memory is not None:
            self._memories[seat.token] = memory
        while len(self._memories) > REMEMBERED:
            del self._memories[next(iter(self._memories))]

    async def activate(self, character_id: str) -> None:
        """Every running session switches to this character."""
        self.active = character_id
        await self._each(lambda session: session.switch(character_id), list(self.running))

    async def character_changed(self, character_id: str) -> None:
        """The character was edited or deleted: those who talk with it see the change, or the active one instead."""
        talking = [s for s in self.running if s.character is not None and s.character.id == character_id]
        if not talking:
            return
        try:
            await asyncio.to_thread(self._characters.get, character_id)
        except AvatarError:
            active = await asyncio.to_thread(self._characters.active)
            if active is None:
                return
            character_id = active.id
        await self._each(lambda session: session.switch(character_id), talking)

    async def close_all(self) -> None:
        """End every session and wait until all are gone (5 s at most); none can be opened any more."""
        self._closing = True
        for session in self.running:
            session.end("the gateway stops")
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSING_SECONDS)

    async def somebody(self) -> None:
        """Wait until a session runs."""
        while not self._running:
            self._opened.clear()
            await self._opened.wait()

    async def watch(self) -> None:
        """Look at the engines while somebody is there, and tell them what changed. Runs until cancelled."""
        while True:
            await self.somebody()
            try:
                roles = await self._inference.catalogue()
            except AvatarError:
                roles = self._roles
            if roles is not None and roles != self._roles:
                self._roles = roles
                self._tell(roles)
            await asyncio.sleep(ENGINES_EVERY)

    def _tell(self, roles: dict[str, Any]) -> None:
        """Not in `watch` itself: its variables would keep the last session while nobody talks."""
        self._clones.reconsider()
        for session in self.running:
            session.engines(roles)
            if session.character is not None:  # an engine that clones may be there now
                self._clones.prepare(session.character)

    async def _each(self, change: Any, sessions: list[Session]) -> None:
        for session in sessions:
            try:
                await change(session)
            except AvatarError as error:
                session.notify(error)


def _full(places: int) -> str:
    taken = f"All {places} places are taken" if places > 1 else "The one place is taken"
    return f"{taken}: others are talking just now."


def _character_of(seat: Seat) -> str:
    return seat.session.character.id if seat.session.character is not None else ""
