"""A page made of aiortc: it signals over a real WebSocket and talks over a real peer connection."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import av
import numpy as np
import uvicorn
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from scripted import Scripted, tone
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect

from characters import Asset, Character, Voice
from gateway.dialogue import open_dialogue
from gateway.sessions import Sessions
from gateway.sessions.signalling import signalling
from gateway.settings import Settings


class Characters:
    """The part of the character store that sessions use."""

    def __init__(self, *ids: str) -> None:
        self.known = {ident: character(ident) for ident in ids}
        self.samples: dict[str, bytes | None] = {}
        self.latents: dict[str, bytes | None] = {}

    def get(self, ident: str) -> Character:
        from avatar_runtime.contracts import AvatarError, Code

        if ident not in self.known:
            raise AvatarError(Code.UNKNOWN_CHARACTER, "There is no such character.")
        return self.known[ident]

    def active(self) -> Character | None:
        return next(iter(self.known.values()), None)

    def portrait(self, ident: str) -> Asset | None:
        return Asset(self.get(ident).name.encode(), "image/png", self.get(ident).portrait or "")

    def give_sample(self, ident: str, recording: bytes | None, latents: bytes | None = None) -> None:
        """What PUT and DELETE of a voice sample do."""
        self.samples[ident] = recording
        self.latents[ident] = latents
        sha256 = None if recording is None else hashlib.sha256(recording).hexdigest()
        self.known[ident] = replace(self.known[ident], voice=Voice("tts_hibari", "hibari", sha256))

    def voice_sample(self, ident: str) -> Asset | None:
        found = self.samples.get(ident)
        return None if found is None else Asset(found, "audio/wav", hashlib.sha256(found).hexdigest())

    def voice_latents(self, ident: str) -> tuple[str, bytes] | None:
        found = self.latents.get(ident)
        return None if found is None else ("tts_xtts", found)

    def set_voice_latents(self, ident: str, sample: str, latents: bytes, engine: str) -> Character | None:
        self.latents[ident] = latents
        return self.known[ident]


def character(ident: str) -> Character:
    return Character(
        id=ident, name=ident, display_name=ident.title(), description="", personality="", language="en",
        voice=Voice("tts_hibari", "hibari", None), renderer="", portrait="sha-" + ident, active=False,
        created="", updated="",
    )  # fmt: skip


@contextlib.asynccontextmanager
async def gateway(script: Scripted, *ids: str, **settings: Any) -> AsyncIterator[tuple[str, Sessions]]:
    """A gateway on a free port: its signalling address and its sessions."""
    dialogue = open_dialogue(Settings(**settings))
    sessions = Sessions(
        Settings(**settings),
        script,
        Characters(*(ids or ("ada",))),  # type: ignore[arg-type]  # the store's part that sessions use
        describe=lambda one: {"id": one.id, "display_name": one.display_name},
        dialogue=dialogue,
    )
    app = Starlette(routes=[WebSocketRoute("/api/session", signalling)])
    app.state.sessions = sessions
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve())
        watching = group.create_task(sessions.watch())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"ws://127.0.0.1:{port}/api/session", sessions
        finally:
            await sessions.close_all()
            watching.cancel()
            server.should_exit = True
            await serving
            await dialogue.close()


class Microphone(MediaStreamTrack):
    """16 kHz mono in packets of 20 ms, in real time: silence, and what `speak` puts in."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._start: float | None = None
        self._sent = 0
        self._pending = np.zeros(0, np.float32)
        self.spoken_at = 0.0  # when the last sample of speech went out

    def speak(self, seconds: float) -> None:
        self._pending = np.concatenate([self._pending, tone(seconds, rate=16_000, hertz=310.0)])

    async def recv(self) -> av.AudioFrame:
        now = time.monotonic()
        self._start = self._start or now
        await asyncio.sleep(max(0.0, self._start + self._sent / 16_000 - now))
        samples = np.zeros(320, np.float32)
        part, self._pending = self._pending[:320], self._pending[320:]
        samples[: len(part)] = part
        if len(part):
            self.spoken_at = time.monotonic()
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, self._sent, fractions.Fraction(1, 16_000)
        self._sent += 320
        return frame


class Page:
    """What arrived: messages, sound as (time, loudness of 20 ms), frames as (time, mean luma)."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection()
        self.mic = Microphone()
        self.messages: list[dict[str, Any]] = []
        self.sound: list[tuple[float, float]] = []
        self.frames: list[tuple[float, float]] = []
        self.channel = self.peer.createDataChannel("antlitz")
        self.channel.on("message", lambda raw: self.messages.append(json.loads(raw)))
        self.peer.addTrack(self.mic)
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.on("track", self._adopt)
        self._readers: list[asyncio.Task[None]] = []
        self.socket: Any = None
        self.token = ""

    async def join(self, url: str, character: str = "") -> None:
        socket = await connect(url)
        hello = json.loads(await socket.recv())
        assert hello["type"] == "session", hello
        self.token = hello["token"]
        await self.talk(socket, character)

    async def talk(self, socket: Any, character: str) -> None:
        """Offer and answer over a socket on which the gateway has greeted."""
        self.socket = socket
        await self.peer.setLocalDescription(await self.peer.createOffer())
        offer = {"type": "offer", "sdp": self.peer.localDescription.sdp, "character": character}
        await self.socket.send(json.dumps(offer))
        answer = json.loads(await self.socket.recv())
        assert answer["type"] == "answer", answer
        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        assert json.loads(await self.socket.recv()) == {"type": "candidate", "candidate": None}
        # Not `== "open"`: a session may have ended again by the time that this looks.
        await self.until(lambda: self.channel.readyState != "connecting" and self.of("state"))

    def tell(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def captions(self, role: str, final: bool = True) -> list[str]:
        return [m["text"] for m in self.of("caption") if m["role"] == role and m["final"] is final]

    async def until(self, condition: Callable[[], Any], seconds: float = 8.0) -> None:
        await until(condition, seconds, self.messages)

    def loud(self, since: float = 0.0) -> list[float]:
        """Times of the loud packets."""
        return [at for at, loudness in self.sound if loudness > 0.02 and at >= since]

    async def leave(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await self.socket.close()
        await self.peer.close()

    def _adopt(self, track: Any) -> None:
        self._readers.append(asyncio.ensure_future(self._read(track)))

    async def _read(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            at = time.monotonic()
            if track.kind == "audio":
                pcm = frame.to_ndarray().astype(np.float32) / 32768
                self.sound.append((at, float(np.sqrt((pcm**2).mean()))))
            else:
                self.frames.append((at, float(frame.to_ndarray()[:512].mean())))


async def until(condition: Callable[[], Any], seconds: float = 8.0, told: object = "") -> None:
    """Wait for something that another part of this process does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain {told}"
        await asyncio.sleep(0.02)  # there is no event for most of what a page can observe


@contextlib.asynccontextmanager
async def page(url: str, character: str = "") -> AsyncIterator[Page]:
    one = Page()
    try:
        await one.join(url, character)
        yield one
    finally:
        await one.leave()
