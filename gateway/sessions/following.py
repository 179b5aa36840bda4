"""Characters that another gateway has changed: the talks of this one follow."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from characters import CharacterStore
from gateway.sessions.registry import Sessions

log = logging.getLogger("gateway.sessions")

EVERY: Final = 2.0  # s between two looks at what gateways share, while there are sessions


class Following:
    """Looks at the characters' database while somebody talks.

    What was done through this gateway its sessions were told already: they hold the character as it is now, and
    `Sessions.active` is the one last made active.
    """

    def __init__(self, characters: CharacterStore, sessions: Sessions) -> None:
        self._characters, self._sessions = characters, sessions

    async def run(self) -> None:
        """Until cancelled. A database that is away is asked again later."""
        while True:
            if not self._sessions.running:
                self._sessions.active = None  # what is changed while nobody talks is news to nobody
                await self._sessions.somebody()
            try:
                await self.look()
            except Exception as error:  # its trouble ends no talk
                log.warning("the characters could not be looked at: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Tell the sessions what has changed since they were told last."""
        told = self._sessions.active
        now = await asyncio.to_thread(self._characters.glance)
        if self._sessions.active == told:  # else one was made active here since, and everybody knows
            self._sessions.active = now.active
            if now.active is not None and now.active != told and told in now.edited:  # one deleted is no other chosen
                log.info("another gateway has made a character active")
                await self._sessions.activate(now.active)
        for ident in self._outdated(now.edited):
            log.info("another gateway has changed a character")
            await self._sessions.character_changed(ident)

    def _outdated(self, edited: dict[str, str]) -> set[str]:
        """The characters that somebody talks with as they were before an edit, or who are gone."""
        present = [session.character for session in self._sessions.running]
        return {one.id for one in present if one is not None and edited.get(one.id) != one.updated}
