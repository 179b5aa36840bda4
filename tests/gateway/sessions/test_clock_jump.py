"""The clock of the wall jumps while a portrait speaks: nobody notices.

A day, not years: from 16 days on aiortc 1.16 cannot write the jitter into its reports (32 bits), its reports end, and
closing it takes as long as the gateway lets it. The page of this test is made of aiortc and would wait for ever.
"""

from __future__ import annotations

import time

import pytest
from loopback import gateway, page
from scripted import Scripted


@pytest.mark.parametrize("seconds", [86_400.0, -86_400.0], ids=["ahead", "back"])
async def test_the_wall_clock_jumps(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    async with gateway(Scripted(voice=3.0)) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.tell(type="text", text="Hello there", mode="say")
        await one.until(lambda: one.loud())
        jumped = time.monotonic()
        monkeypatch.setattr("time.time", lambda: real() + seconds)
        await one.until(lambda: len(one.loud(jumped + 0.5)) > 30)
        assert len([at for at, _ in one.frames if at > jumped]) > 10, "the picture goes on"
        gaps = [later - at for at, later in zip(one.loud(jumped), one.loud(jumped)[1:], strict=False)]
        assert max(gaps) < 0.5, "and so does the sound"
        await one.until(lambda: one.captions("avatar"))
        assert len(sessions.running) == 1
        assert [notice for notice in one.of("notice") if notice["level"] == "error"] == []
        one.tell(type="text", text="And again", mode="say")
        await one.until(lambda: len(one.captions("avatar")) == 2)
