"""A session over a real WebSocket and real WebRTC on this machine; only the engines are scripted."""

from __future__ import annotations

import asyncio
import time

import pytest
from loopback import gateway, page
from scripted import Scripted


@pytest.mark.asyncio
async def test_a_spoken_turn_is_answered_with_sound_and_picture() -> None:
    script = Scripted(voice=1.5, heard="Hello there.")
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(1.0)
        await one.until(lambda: one.captions("avatar"))
        spoken = one.mic.spoken_at
        assert one.captions("user") == ["Hello there."]
        assert one.captions("avatar") == ["Hello there."]
        assert one.captions("avatar", final=False) == ["Hello there."]
        states = [message["state"] for message in one.of("state")]
        assert states == ["idle", "listening", "thinking", "speaking", "idle"]
        await asyncio.sleep(0.3)  # what is still in the page's jitter buffer
        ms = one.of("timing")[0]["ms"]
        assert set(ms) == {"transcript", "first_token", "first_audio", "first_frame"}
        assert 0 < ms["transcript"] <= ms["first_token"] <= ms["first_audio"] < 1800
        first = one.loud()[0]
        assert first - spoken < 3  # a machine that does much else
        assert len(one.loud()) == pytest.approx(75, abs=5)  # 1.5 s of packets of 20 ms, none lost
        during = [at for at, _ in one.frames if first <= at <= first + 1.4]
        assert len(during) > 20 * 1.4
        assert sessions.running


@pytest.mark.asyncio
async def test_a_page_that_vanishes_leaves_nothing_behind() -> None:
    script = Scripted()
    async with gateway(script) as (url, sessions):
        before = asyncio.all_tasks()
        async with page(url) as one:
            await one.until(lambda: one.frames and script.open == 3)
        began = time.monotonic()
        while sessions.running:
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.02)
        assert script.open == script.seats == 0
        await asyncio.sleep(0.3)  # the test's own peer ends, too
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        assert not left
