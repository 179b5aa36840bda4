"""All sessions of the gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from avatar_runtime.contracts import AvatarError, Code
from characters import Character, CharacterStore
from gateway.cloning import Clones
from gateway.dialogue import Dialogue, Echo
from gateway.playout import encoders
from gateway.sessions.session import Session
from gateway.settings import Settings

log = logging.getLogger("gateway.sessions")

ENGINES_EVERY = 2.0  # s between two looks at the engines, while there are sessions


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
    ) -> None:
        self.settings = settings
        self._inference, self._characters, self._describe = inference, characters, describe
        self._dialogue = dialogue or Echo()
        self._clones = clones or Clones(inference, characters)
        self.running: set[Session] = set()
        self._roles: dict[str, Any] | None = None
        self._opened = asyncio.Event()
        self._closing = False
        encoders.configure(settings.video_bitrate)

    def open(self) -> Session:
        """A new session, to be run by the caller; too_many_sessions when all places are taken."""
        if self._closing or len(self.running) >= self.settings.max_sessions:
            raise AvatarError(Code.TOO_MANY_SESSIONS, "All places are taken; try again in a moment.")
        session = Session(
            self.settings, self._inference, self._characters, self._clones, self._dialogue, self._describe
        )
        self.running.add(session)
        if self._roles is not None:
            session.engines(self._roles)
        self._opened.set()
        log.info("session %s opened, %d running", session.id, len(self.running))
        return session

    def closed(self, session: Session) -> None:
        self.running.discard(session)

    async def activate(self, character_id: str) -> None:
        """Every running session switches to this character."""
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
        for session in list(self.running):
            session.end("the gateway stops")
        for _ in range(100):
            if not self.running:
                return
            await asyncio.sleep(0.05)

    async def watch(self) -> None:
        """Look at the engines while somebody is there, and tell them what changed. Runs until cancelled."""
        while True:
            if not self.running:
                self._opened.clear()
                await self._opened.wait()
            try:
                roles = await self._inference.catalogue()
            except AvatarError:
                roles = self._roles
            if roles is not None and roles != self._roles:
                self._roles = roles
                self._clones.reconsider()
                for session in list(self.running):
                    session.engines(roles)
                    if session.character is not None:  # an engine that clones may be there now
                        self._clones.prepare(session.character)
            await asyncio.sleep(ENGINES_EVERY)

    async def _each(self, change: Any, sessions: list[Session]) -> None:
        for session in sessions:
            try:
                await change(session)
            except AvatarError as error:
                session.notify(error)
