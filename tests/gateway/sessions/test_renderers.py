"""Characters choose their renderer: it changes while they talk, and one that is away takes nothing but the movement."""

from __future__ import annotations

import asyncio
import dataclasses
from itertools import pairwise
from typing import Any

import pytest
from loopback import gateway, page
from scripted import Scripted


def change(sessions: Any, ident: str, **fields: Any) -> None:
    """As PATCH stores it."""
    known = sessions._characters.known
    known[ident] = dataclasses.replace(known[ident], **fields)


def renders(script: Scripted) -> list[tuple[bytes, str | None]]:
    return [what for role, what in script.calls if role == "render"]


async def test_a_renderer_changed_while_it_talks_is_used_at_once_and_the_sound_has_no_gap() -> None:
    script = Scripted(voice=3.0)
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.tell(type="text", text="A story", mode="say")
        await one.until(lambda: len(one.loud()) > 30)
        change(sessions, "ada", renderer="render_other")
        await sessions.character_changed("ada")
        await one.until(lambda: one.captions("avatar") == ["A story"])
        await asyncio.sleep(0.3)  # what is still in the page's jitter buffer
        assert renders(script) == [(b"ada", None), (b"ada", "render_other")]
        loud = one.loud()
        assert len(loud) == pytest.approx(150, abs=3) and max(b - a for a, b in pairwise(loud)) < 0.2
        assert script.open <= 3, "ears, motion and one renderer: the old one's stream is closed"
        assert one.of("notice") == [] and one.of("picture") == []


async def test_a_renderer_that_is_away_is_named_the_talk_goes_on_and_it_comes_back() -> None:
    script = Scripted(voice=0.4, missing={"render_other"})
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        change(sessions, "ada", renderer="render_other")
        await sessions.character_changed("ada")
        await one.until(lambda: one.of("notice"))
        assert "render_other is not available" in one.of("notice")[0]["message"]
        assert one.of("picture") == [], "the last frame is of the same portrait: it stays"
        one.tell(type="text", text="Hello", mode="say")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        assert one.loud()
        script.missing.clear()
        await one.until(lambda: one.of("notice")[-1]["code"] == "engine_back", 6.0)
        assert len(one.of("notice")) == 2


async def test_another_character_whose_renderer_is_away_is_a_still_picture_not_the_other_ones_face() -> None:
    script = Scripted(missing={"render_other"})
    async with gateway(script, "ada", "bob") as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        change(sessions, "bob", renderer="render_other")
        one.tell(type="character", id="bob")
        await one.until(lambda: one.of("picture"))
        assert one.of("picture")[-1]["moving"] is False
        change(sessions, "bob", renderer="")
        await sessions.character_changed("bob")
        await one.until(lambda: one.of("picture")[-1]["moving"] is True)
        await one.until(lambda: one.of("notice")[-1]["code"] == "engine_back")


async def test_a_second_renderer_that_is_away_is_told_too() -> None:
    script = Scripted(missing={"render_a", "render_b"})
    async with gateway(script) as (url, sessions), page(url) as one:
        for number, name in enumerate(("render_a", "render_b"), 1):
            change(sessions, "ada", renderer=name)
            await sessions.character_changed("ada")
            await one.until(lambda number=number: len(one.of("notice")) == number)
            assert name in one.of("notice")[-1]["message"]


async def test_a_slow_renderer_is_found_out_frame_by_frame() -> None:
    """After a quick one, a renderer of 2 frames a second: no push of it takes so long that it counts as lost."""
    script = Scripted(voice=6.0)
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.tell(type="text", text="A story", mode="say")
        await one.until(lambda: len(one.loud()) > 30)
        script.frame_seconds = 0.5
        change(sessions, "ada", renderer="render_slow")
        await sessions.character_changed("ada")
        await one.until(lambda: one.captions("avatar") == ["A story"], 12.0)
        assert max(script.pushed["render_slow"]) <= 4 and sum(script.pushed["render_slow"]) >= 5
        assert one.of("notice") == []
