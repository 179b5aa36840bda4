"""Two gateways share characters: what is changed through one is seen by those who talk at the other."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from characters.failures import StorageAway
from gateway.app import create_app
from gateway.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "gateway" / "sessions"))

from loopback import Page, page, until
from scripted import Scripted

WITHIN = 5.0  # s from the answer to a change until those at another gateway see it


@dataclass
class Gateway:
    url: str
    sessions: Any

    async def ask(self, method: str, path: str, **content: Any) -> Any:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.request(method, f"/api/characters{path}", **content)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @property
    def signalling(self) -> str:
        return f"{self.url.replace('http', 'ws')}/api/session"


@contextlib.asynccontextmanager
async def serving(data: Path, database: str) -> AsyncIterator[Gateway]:
    app = create_app(Settings(data=data, database=database, rate=0))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started or running.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Gateway(f"http://127.0.0.1:{port}", app.state.sessions)
    finally:
        server.should_exit = True
        await running


@pytest.fixture
def inference(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    script = Scripted(voice=0.2)
    monkeypatch.setattr("gateway.app.Inference", lambda *_: script)
    return script


@pytest.fixture
async def gateways(inference: Scripted, tmp_path: Path, database: str) -> AsyncIterator[tuple[Gateway, Gateway]]:
    async with serving(tmp_path, database) as one, serving(tmp_path, database) as other:
        yield one, other


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sessions.following.EVERY", 0.3)


def shown(one: Page) -> dict[str, Any]:
    """The character that the page was told of last."""
    found: dict[str, Any] = one.of("character")[-1]["character"]
    return found


async def test_an_edit(gateways: tuple[Gateway, Gateway]) -> None:
    here, there = gateways
    async with page(there.signalling) as one:
        ident = shown(one)["id"]
        began = time.monotonic()
        await here.ask("PATCH", f"/{ident}", json={"display_name": "Somebody else"})
        await one.until(lambda: shown(one)["display_name"] == "Somebody else", WITHIN)
        assert time.monotonic() - began < WITHIN
        told = len(one.of("character"))
        one.tell(type="text", text="Hello", mode="say")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        assert (len(one.of("character")), len(there.sessions.running)) == (told, 1), "said once, and the talk goes on"


async def test_another_is_made_active(gateways: tuple[Gateway, Gateway], often: None) -> None:
    here, there = gateways
    async with page(there.signalling) as one:
        before = shown(one)["id"]
        chosen = next(each["id"] for each in (await here.ask("GET", ""))["characters"] if not each["active"])
        await until(lambda: there.sessions.active == before)  # it has looked once
        await here.ask("POST", f"/{chosen}/activate")
        await one.until(lambda: shown(one)["id"] == chosen, WITHIN)


async def test_who_was_chosen_in_the_page_stays_when_nothing_changes(
    gateways: tuple[Gateway, Gateway], often: None
) -> None:
    """What this very gateway has done is no news from another."""
    here, _ = gateways
    async with page(here.signalling) as one:
        first, second, third = [each["id"] for each in (await here.ask("GET", ""))["characters"]]
        await until(lambda: here.sessions.active == first)
        await here.ask("POST", f"/{second}/activate")
        await one.until(lambda: shown(one)["id"] == second)
        one.tell(type="character", id=third)
        await one.until(lambda: shown(one)["id"] == third)
        looks = _count_looks(here)
        await until(lambda: len(looks) == 2, 6.0)
        assert shown(one)["id"] == third


async def test_a_character_that_is_deleted_gives_way_to_the_active_one(
    gateways: tuple[Gateway, Gateway], often: None
) -> None:
    here, there = gateways
    first, second, *_ = [each["id"] for each in (await here.ask("GET", ""))["characters"]]
    async with page(there.signalling, second) as one, page(there.signalling, first) as other:
        await here.ask("DELETE", f"/{second}")
        await one.until(lambda: shown(one)["id"] == first, WITHIN)
        assert {each["character"]["id"] for each in other.of("character")} == {first}, "it stays with its own"


async def test_a_database_that_is_away_ends_no_talk(gateways: tuple[Gateway, Gateway], often: None) -> None:
    here, there = gateways
    async with page(there.signalling) as one:
        ident = shown(one)["id"]
        looks = _count_looks(there, fail=True)
        await until(lambda: len(looks) == 1, 6.0)
        await here.ask("PATCH", f"/{ident}", json={"display_name": "Later"})
        await until(lambda: len(looks) == 2, 6.0)
        del there.sessions._characters.glance
        await one.until(lambda: shown(one)["display_name"] == "Later", WITHIN)


def _count_looks(gateway: Gateway, fail: bool = False) -> list[float]:
    """When this gateway looked at the characters from now on; the looks may fail."""
    store, looks = gateway.sessions._characters, []
    real = store.glance

    def glance() -> Any:
        looks.append(time.monotonic())
        if fail:
            raise StorageAway
        return real()

    store.glance = glance
    return looks
