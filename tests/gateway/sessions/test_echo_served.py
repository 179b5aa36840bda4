"""The portrait's voice comes back through loudspeakers: real engines, real WebRTC, its own sound in the microphone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest
import soxr
from loopback import Microphone, Page, gateway

from characters import Voice
from gateway.inference import Inference
from gateway.settings import Settings
from gateway.turns import EchoGate
from triton_launch.server import Server

pytestmark = pytest.mark.server

TEXT = "The portrait speaks for a while, and its own voice comes back to it. It should not mind, and go on to the end."
DELAY = 8  # packets of 20 ms on the way from the loudspeaker to the microphone
BACK = 0.1  # -20 dB


class Room(Microphone):
    """A microphone that hears the loudspeaker, and nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.loudest = 0.0
        self.played: list[np.ndarray] = [np.zeros(320, np.float32)] * DELAY

    async def recv(self) -> av.AudioFrame:
        frame = await super().recv()
        heard = BACK * self.played.pop(0) if self.played else np.zeros(320, np.float32)
        self.loudest = max(self.loudest, float(np.abs(heard).max()))
        echo = av.AudioFrame.from_ndarray((heard * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        echo.sample_rate, echo.pts, echo.time_base = frame.sample_rate, frame.pts, frame.time_base
        return echo


class Listener(Page):
    def __init__(self) -> None:
        self.room = Room()
        super().__init__()

    async def _read(self, track: Any) -> None:
        if track.kind == "video":
            return await super()._read(track)
        down = soxr.ResampleStream(48_000, 16_000, 1, "float32")
        rest = np.zeros(0, np.float32)
        while True:
            frame = await track.recv()
            pcm = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)].astype(np.float32) / 32768
            rest = np.concatenate([rest, down.resample_chunk(pcm)])
            while len(rest) >= 320:
                self.room.played.append(rest[:320])
                rest = rest[320:]


@asynccontextmanager
async def listening(triton: Server) -> AsyncIterator[Listener]:
    door = Inference(triton.address, Settings())
    try:
        async with gateway(door) as (url, sessions):  # type: ignore[arg-type]  # the real one
            known = sessions._characters.known  # type: ignore[attr-defined]  # of loopback.py
            known["ada"] = replace(known["ada"], voice=Voice("tts_hibari", "heart", None))
            one = Listener()
            one.peer.getSenders()[0].replaceTrack(one.room)
            try:
                await one.join(url)
                yield one
            finally:
                await one.leave()
    finally:
        await door.close()


async def test_its_own_voice_20_decibels_below_does_not_hold_it(triton: Server) -> None:
    async with listening(triton) as one:
        one.tell(type="text", text=TEXT, mode="say")
        await one.until(lambda: one.captions("avatar"), 40)
        assert one.captions("avatar") == [TEXT]
        assert one.room.loudest > 0.01  # it did come back
        assert one.of("hold") == [] and one.captions("user") == []


async def test_without_the_gate_it_would(triton: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EchoGate, "hears_itself", lambda self, microphone: False)
    async with listening(triton) as one:
        one.tell(type="text", text=TEXT, mode="say")
        await one.until(lambda: one.of("hold"), 40)
        await asyncio.sleep(0)
