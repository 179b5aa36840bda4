"""Two gateways, two tritonservers and one PostgreSQL on this machine; one of each is killed.

No talk is lost that was on the others: one whose tritonserver is killed goes on with the other one, and the talks of
the gateway that lives do not notice that its neighbour died. (Those of the killed gateway end with it: what was said
there was in its memory. Their pages come back to whatever gateway answers.)
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.bench.stack import Running, up
from triton_launch import command as launcher
from triton_launch.server import Server

sys.path.insert(0, str(Path(__file__).parents[1] / "gateway" / "sessions"))
sys.path.insert(0, str(Path(__file__).parents[1] / "characters"))

import postgres_server
from loopback import Page, page

pytestmark = pytest.mark.server

MODELS = ("vad_silero", "stt_whisper", "tts_hibari", "motion_speech", "render_meshwarp")
SPOKEN = 30.0  # s until somebody has said a short sentence, on two cores that four servers share
MOVED = 15.0  # s until a talk speaks again whose tritonserver is gone


@pytest.fixture(scope="module")
def tritons(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers, each with what a conversation needs."""
    repository = tmp_path_factory.mktemp("repository")
    for name in MODELS:
        (repository / name).symlink_to(launcher.REPOSITORY / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "REPOSITORY", repository)
        servers = [Server(served, tmp_path_factory.mktemp("triton")) for _ in range(2)]
    try:
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        for server in servers:
            server.stop()


@pytest.fixture
def gateways(tritons: list[Server], tmp_path: Path) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        database = stack.enter_context(postgres_server.running()).fresh()
        addresses = ",".join(server.address for server in tritons)
        shared = {"ANTLITZ_TRITON": addresses, "ANTLITZ_DATABASE": database}
        yield [stack.enter_context(up(tmp_path, **shared)) for _ in range(2)]


@asynccontextmanager
async def talks(gateways: list[Running]) -> AsyncIterator[tuple[Page, list[Page]]]:
    """One talk at the first gateway, two at the second: each of those has a tritonserver of its own."""
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(page(f"{each.url.replace('http', 'ws')}api/session"))
            for each in (gateways[0], gateways[1], gateways[1])
        ]
        yield found[0], found[1:]


async def speaks(one: Page, words: str, seconds: float) -> None:
    """It says `words` aloud, again where there was no voice: its server was about to go."""
    since, end = time.monotonic(), time.monotonic() + seconds
    while True:
        said = len(one.captions("avatar"))
        one.tell(type="text", text=words, mode="say")
        await one.until(lambda said=said: len(one.captions("avatar")) > said, max(1.0, end - time.monotonic()))
        if one.loud(since):
            return


async def moves(one: Page) -> None:
    """Its picture changes."""
    begun = len(one.frames)
    await one.until(lambda: len({round(luma, 4) for _, luma in one.frames[begun:]}) > 3, MOVED)


def warnings(one: Page) -> list[dict[str, Any]]:
    return [notice for notice in one.of("notice") if notice["level"] != "info"]


async def test_one_of_each_is_killed(gateways: list[Running], tritons: list[Server]) -> None:
    async with talks(gateways) as (lost, kept):
        for one in (lost, *kept):
            await one.until(lambda one=one: one.frames, SPOKEN)
            await speaks(one, "Hello.", SPOKEN)

        os.kill(tritons[0].pid, signal.SIGKILL)
        killed = time.monotonic()
        for one in kept:
            await speaks(one, "Still here.", MOVED)
            await moves(one)
        print(f"both talks speak and move {time.monotonic() - killed:.1f} s after a tritonserver was killed")
        assert [bool(warnings(one)) for one in kept].count(False) >= 1, "the talk on the other one notices nothing"

        gateways[0].process.kill()
        gateways[0].process.wait()
        before = [len(warnings(one)) for one in kept]
        for one in kept:
            await speaks(one, "And still.", SPOKEN)
            await moves(one)
        assert [one.peer.connectionState for one in kept] == ["connected"] * 2
        assert [len(warnings(one)) for one in kept] == before, "nobody notices that the neighbour is gone"

        address = gateways[1].url
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:  # the dead one holds no lock
            first = (await client.get("/api/characters")).json()["characters"][0]["id"]
            changed = await client.patch(f"/api/characters/{first}", json={"description": "after"})
            assert changed.status_code == 200, changed.text
        async with page(f"{address.replace('http', 'ws')}api/session") as back:  # who was on the dead one
            await speaks(back, "Again.", SPOKEN)
