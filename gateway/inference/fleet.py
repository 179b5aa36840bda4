"""The tritonservers there are: who is alive, and who gets a session."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from avatar_runtime.contracts import Role
from gateway.inference.server import Tritonserver
from gateway.observability.metrics import Metrics
from gateway.settings import Settings

log = logging.getLogger("gateway.inference")

EVERY: Final = 1.0  # s between two looks at a server
SOON: Final = 0.1  # s between them while it has only just gone: ours is started again in two seconds …
HOPE: Final = 100  # … and so many of them at most


class Fleet:
    """One or several servers over the same models."""

    def __init__(self, addresses: str, settings: Settings, metrics: Metrics) -> None:
        """`addresses`: HOST:PORT, with commas between several."""
        names = [name.strip() for name in addresses.split(",")]
        self._servers = [Tritonserver(name, metrics) for name in dict.fromkeys(names) if name or len(names) == 1]
        self._needed = [settings.engine(role) for role in (Role.VAD, Role.STT, Role.TTS, Role.MOTION, Role.RENDER)]
        self._watched = False
        metrics.watch_servers(lambda: [(each.address, each.alive, each.seats) for each in self._servers])

    async def close(self) -> None:
        for server in self._servers:
            await server.close()

    def server(self, model: str = "") -> Tritonserver:
        """The one for a request to `model`, or for a whole session: who is able to, and has least to do."""
        return choose(self._servers, model, self._needed)

    async def look(self) -> bool:
        """Look at all of them; whether one is there."""
        return any(await asyncio.gather(*(server.look() for server in self._servers)))

    async def states(self) -> dict[str, bool]:
        """All models, and whether one of the servers has them ready."""
        if not self._watched:
            await self.look()
        found: dict[str, bool] = {}
        for server in self._servers:
            if server.alive:
                for name, ready in server.states.items():
                    found[name] = found.get(name, False) or ready
        return found

    async def watch(self) -> None:
        """Look at each of them again and again until cancelled."""
        await self.look()
        self._watched = True
        try:
            async with asyncio.TaskGroup() as tasks:
                for server in self._servers:
                    tasks.create_task(self._watch(server))
        finally:
            self._watched = False

    async def _watch(self, server: Tritonserver) -> None:
        before, hope = server.alive, 0
        while True:
            if server.alive is not before:
                before, hope = server.alive, HOPE
                log.log(
                    logging.INFO if before else logging.ERROR,
                    "tritonserver at %s %s", server.address, "is there again" if before else "is gone",
                )  # fmt: skip
            with contextlib.suppress(TimeoutError):
                hope -= 1
                async with asyncio.timeout(SOON if hope > 0 and not server.alive else EVERY):
                    await server.doubted.wait()
                    server.doubted.clear()
            await server.look()


class Place:
    """A session's place: one server as long as it lives, then another."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._home: Tritonserver | None = None

    def server(self, model: str = "") -> Tritonserver:
        """The session's own; another one for a model that it does not have."""
        home = self._home
        if home is None or not home.alive:
            found = self._fleet.server()
            if found is not home:
                if home is not None:
                    log.warning("the session moves from %s to %s", home.address, found.address)
                self.leave()
                self._home = home = found
                home.seats += 1
        if not model or home.can(model):
            return home
        other = self._fleet.server(model)
        return other if other.can(model) else home

    def leave(self) -> None:
        if self._home is not None:
            self._home.seats -= 1
            self._home = None


def choose(servers: Sequence[Tritonserver], model: str, needed: Sequence[str]) -> Tritonserver:
    """Of those who have `model` ("": most of the `needed` ones), the one with the fewest sessions and requests."""

    def cost(server: Tritonserver) -> tuple[bool, int, int, int]:
        lacks = not server.can(model) if model else sum(not server.can(each) for each in needed)
        return not server.alive, int(lacks), server.seats, server.load

    return min(servers, key=cost)
