"""An inference that follows a script: it fulfils the interface of gateway.inference without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE, VAD_WINDOW, AvatarError, Code
from gateway.inference import Speech
from gateway.transcript import Heard, Transcript

AWAY = AvatarError(Code.ENGINE_UNAVAILABLE, "The engine is away.")


@dataclass
class Scripted:
    """`heard` is what every transcription gives; roles and engines in `missing` fail; `voice` is seconds a clause."""

    heard: str = "Hello there"
    language: str = "en"  # that is heard
    voice: float = 1.0
    clauses: int = 1
    delay: float = 0.0  # s before a transcript
    missing: set[str] = field(default_factory=set)
    refusal: AvatarError | None = None  # what every render answers
    frame_seconds: float = 0.002
    calls: list[tuple[str, Any]] = field(default_factory=list)
    pushed: dict[str, list[int]] = field(default_factory=dict)  # frames of each push, by renderer
    open: int = 0  # streams running now
    seats: int = 0  # sessions that run
    speaks: tuple[str, ...] = ()  # languages of tts_hibari; () leaves the catalogue without it
    clones: bool = False  # whether there is an engine that clones
    weights: bytes = b"latents"  # the latents that it makes and understands
    cancelled: int = 0  # syntheses closed before their end

    async def transcribe(
        self, audio: Any, language: str = "", task: str = "transcribe", prompt: str = "", likely: str = ""
    ) -> Transcript:
        self.calls.append(("transcribe", len(audio)))
        self._check("stt")
        await asyncio.sleep(self.delay)
        return Transcript(self.heard, language or "en", [])

    async def synthesize(
        self,
        text: str,
        language: str = "",
        voice: str = "",
        engine: str | None = None,
        speed: float = 1.0,
        latents: bytes | None = None,
    ) -> AsyncIterator[Speech]:
        self.calls.append(("synthesize", (text, language, voice, engine, *([latents] if latents else []))))
        self._check("tts")
        if latents is not None and latents != self.weights:
            raise AvatarError(Code.UNKNOWN_VOICE, "These latents belong to other weights.")
        finished = False
        try:
            for number in range(self.clauses):
                clause = text if self.clauses == 1 else f"{text} {number}"
                yield Speech(tone(self.voice), clause, ["a"], np.array([[0.0, self.voice]], np.float32))
                self._check("tts")
            finished = True
        finally:
            self.cancelled += not finished

    def listen(self, language: str = "", prompt: str = "", likely: str = "") -> ScriptedEars:
        return ScriptedEars(self, language)

    def vad(self) -> ScriptedStream:
        return ScriptedStream(self, "vad")

    def motion(self, seed: int = 0) -> ScriptedStream:
        return ScriptedStream(self, "motion")

    def render(self, portrait: bytes, engine: str | None = None) -> ScriptedStream:
        self.calls.append(("render", (portrait, engine)))
        return ScriptedStream(self, "render", engine or "")

    async def catalogue(self) -> dict[str, Any]:
        found: dict[str, Any] = {role: {"ready": role not in self.missing} for role in ("stt", "tts", "render")}
        if self.speaks:
            hibari = {"name": "tts_hibari", "ready": True, "languages": list(self.speaks)}
            found["tts"]["engines"] = [hibari]
        if self.clones:
            found["tts"]["engines"] = [{"name": "tts_xtts", "ready": True, "languages": ["en"]}]
            found["voice"] = {"engine": "voice_xtts", "engines": [{"name": "voice_xtts", "ready": True}]}
        return found

    async def clone(self, audio: Any, engine: str) -> bytes:
        self.calls.append(("clone", (len(audio), engine)))
        return self.weights

    def session(self) -> Scripted:
        self.seats += 1
        return self

    def leave(self) -> None:
        self.seats -= 1

    async def watch(self) -> None:
        """There is no server."""

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        return None

    def _check(self, role: str) -> None:
        if role in self.missing:
            raise AWAY


class ScriptedEars:
    """Hears the script's words when asked for all; before that the first, and something else with every look."""

    def __init__(self, script: Scripted, language: str) -> None:
        self._script, self._language, self._samples, self._open = script, language or script.language, 0, False

    async def push(self, audio: Any, flush: bool = False) -> Heard:
        if "stt" in self._script.missing:
            await self.close()
            raise AWAY
        if not self._open:
            self._open = True
            self._script.open += 1
        self._samples += len(audio)
        if not flush:
            first, _, rest = self._script.heard.partition(" ")
            return Heard(first, self._language, [], f"{rest} {self._samples}" if self._script.heard else "")
        self._script.calls.append(("heard", self._samples))
        await asyncio.sleep(self._script.delay)
        return Heard("", self._language, [], self._script.heard)

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._script.open -= 1


class ScriptedStream:
    """VAD: loud is speech. Motion: jawOpen is the loudness. Render: the luma of a frame changes by 11 each time."""

    def __init__(self, script: Scripted, role: str, engine: str = "") -> None:
        self._script, self._role, self._opened, self._count = script, role, False, 0
        self._engine = engine

    async def push(self, data: Any, *rest: Any, **change: Any) -> Any:
        if self._role in self._script.missing or self._engine in self._script.missing:
            self._end()
            raise AWAY
        if not self._opened:
            self._opened = True
            self._script.open += 1
        if self._role == "vad":
            windows = data[: len(data) // VAD_WINDOW * VAD_WINDOW].reshape(-1, VAD_WINDOW)
            return (np.sqrt((windows**2).mean(axis=1)) > 0.03).astype(np.float32) * 0.95
        if self._role == "motion":
            self._script.calls += [("motion", (len(data), change))] if change else []
            motion = np.zeros((len(data) // MOTION_SAMPLES, 58), np.float32)
            motion[:, 24] = np.abs(data.reshape(-1, MOTION_SAMPLES)).max(axis=1)
            return motion
        if self._script.refusal is not None:
            raise self._script.refusal
        self._script.pushed.setdefault(self._engine, []).append(len(data))
        await asyncio.sleep(self._script.frame_seconds * len(data))
        frames = np.full((len(data), 768, 512), 128, np.uint8)
        for frame in frames:
            frame[:512] = 16 + self._count * 11 % 220
            self._count += 1
        return frames

    async def close(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._opened:
            self._opened = False
            self._script.open -= 1


def tone(seconds: float, rate: int = SPEAKING_RATE, hertz: float = 440.0) -> Any:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)
