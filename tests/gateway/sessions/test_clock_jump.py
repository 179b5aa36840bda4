"""The clock of the wall jumps while a portrait speaks: nobody notices.

By a month, too: from 16 days on aiortc 1.16 could not write the jitter into its reports (32 bits) if it measured with
that clock. The page of this test is made of aiortc as well, and has the gateway's clock, for it is in the same process.
"""

from __future__ import annotations

import time

import pytest
from loopback import gateway, page
from scripted import Scripted


@pytest.mark.parametrize("seconds", [3_600.0, -3_600.0, 2_592_000.0], ids=["ahead", "back", "a month ahead"])
async def test_the_wall_clock_jumps(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    async with gateway(Scripted(voice=3.0)) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.tell(type="text", text="Hello there", mode="say")
        await one.until(lambda: one.loud())
        jumped = time.monotonic()
        one.channel.send('{"type":"ping","at":1}')
        monkeypatch.setattr("time.time", lambda: real() + seconds)
        one.channel.send('{"type":"ping","at":2}')
        await one.until(lambda: len(one.loud(jumped + 0.5)) > 30)
        assert len([at for at, _ in one.frames if at > jumped]) > 10, "the picture goes on"
        gaps = [later - at for at, later in zip(one.loud(jumped), one.loud(jumped)[1:], strict=False)]
        assert max(gaps) < 0.5, "and so does the sound"
        await one.until(lambda: one.captions("avatar"))
        before, after = [pong["now"] for pong in one.of("pong")]
        assert 0 <= after - before < 2_000, "the page's idea of the gateway's clock stays true"
        assert len(sessions.running) == 1
        assert [notice for notice in one.of("notice") if notice["level"] == "error"] == []
        one.tell(type="text", text="And again", mode="say")
        await one.until(lambda: len(one.captions("avatar")) == 2)
