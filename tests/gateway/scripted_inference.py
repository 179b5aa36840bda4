"""`gateway.inference.Inference` as a script: says what it was told to say, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avatar_runtime.contracts import FRAME_SIZE, MOTION_SIZE, SPEAKING_RATE, AvatarError, Role
from gateway.inference import Faces, Speech
from gateway.transcript import Transcript, Word


def face(width: float = 200.0, x: float = 100.0) -> tuple[float, float, float, float]:
    """A face's box in pixels."""
    return (x, 100.0, x + width, 100.0 + width * 1.2)


def engine(name: str, languages: str = "", voices: str = "", ready: bool = True) -> dict[str, Any]:
    """An engine as the catalogue describes it; `voices` is "id:language …"."""
    pairs = [voice.split(":") for voice in voices.split()]
    return {
        "name": name,
        "ready": ready,
        "licence": "MIT",
        "languages": languages.split(),
        "voices": [{"id": ident, "language": language} for ident, language in pairs],
    }


def catalogue() -> dict[str, Any]:
    """Every role with its engines."""
    found = {
        Role.VAD: [engine("vad_silero")],
        Role.STT: [engine("stt_whisper", "en de it")],
        Role.TTS: [
            engine("tts_hibari", "en", "hibari:en"),
            engine("tts_kokoro", "en de it", "ef_dora:de if_sara:de af_heart:en if_sara:it"),
        ],
        Role.LANDMARKS: [engine("landmarks_mediapipe")],
        Role.MOTION: [engine("motion_speech")],
        Role.RENDER: [engine("render_meshwarp")],
    }
    return {role.value: {"engine": all_[0]["name"], "ready": True, "engines": all_} for role, all_ in found.items()}


def cloning_catalogue() -> dict[str, Any]:
    """The same with an engine that clones and one that speaks so."""
    roles = catalogue()
    roles[Role.TTS]["engines"].append(engine("tts_xtts", "en de it fi", "ana:en"))
    voices = [engine("voice_xtts", "any")]
    return {**roles, Role.VOICE.value: {"engine": "voice_xtts", "ready": True, "engines": voices}}


@dataclass
class ScriptedInference:
    """What each method answers. A code in `failures` under a method's name makes it fail."""

    roles: dict[str, Any] = field(default_factory=catalogue)
    faces: list[tuple[float, float, float, float]] = field(default_factory=lambda: [face()])
    transcript: Transcript = field(
        default_factory=lambda: Transcript(
            "Hello there. How are you?",
            "en",
            [
                Word("Hello", 0.1, 0.4),
                Word("there.", 0.45, 0.8),
                Word("How", 1.2, 1.3),
                Word("are", 1.35, 1.5),
                Word("you?", 1.55, 1.9),
            ],
        )
    )
    clauses: list[str] = field(default_factory=lambda: ["Good morning,", "said the portrait."])
    fails_after: int | None = None  # chunks of speech before a failure, or before it hangs
    failures: dict[str, AvatarError | Exception] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    cancelled: int = 0
    clone_waits: asyncio.Event | None = None  # for `clone` to answer

    def _ask(self, method: str, *what: Any) -> None:
        self.asked.append((method, what))
        if method in self.failures:
            raise self.failures[method]

    async def watch(self) -> None:
        """There is no server."""

    async def catalogue(self) -> dict[str, Any]:
        self._ask("catalogue")
        return self.roles

    async def transcribe(
        self, audio: np.ndarray, language: str = "", task: str = "transcribe", prompt: str = ""
    ) -> Transcript:
        self._ask("transcribe", audio.size, language, task, prompt)
        return self.transcript

    async def synthesize(
        self,
        text: str,
        language: str = "",
        voice: str = "",
        engine: str | None = None,
        speed: float = 1.0,
        latents: bytes | None = None,
        seed: int | None = None,
    ) -> AsyncIterator[Speech]:
        self._ask("synthesize", text, language, voice, engine, speed, *([] if latents is None else [latents]))
        try:
            for number, clause in enumerate(self.clauses):
                if number == self.fails_after:
                    if "speech" not in self.failures:
                        await asyncio.Event().wait()  # hangs
                    raise self.failures["speech"]
                tone = np.sin(np.arange(SPEAKING_RATE // 2) * 2 * np.pi * 220 / SPEAKING_RATE)
                yield Speech((0.3 * tone).astype(np.float32), clause, ["a"], np.array([[0, 0.5]], np.float32))
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise

    async def clone(self, audio: np.ndarray, engine: str) -> bytes:
        self._ask("clone", audio.size, engine)
        if self.clone_waits is not None:
            await self.clone_waits.wait()
        return b"latents of " + engine.encode()

    async def landmarks(self, image: bytes) -> Faces:
        self._ask("landmarks", len(image))
        count = len(self.faces)
        boxes = np.array(self.faces, np.float32).reshape(count, 4)
        return Faces(np.zeros((count, 468, 3), np.float32), boxes, np.ones(count, np.float32))

    async def motion_once(self, emotion: str, intensity: float, frames: int = 25) -> np.ndarray:
        self._ask("motion_once", emotion, intensity, frames)
        return np.zeros((frames, MOTION_SIZE), np.float32)

    async def render_once(
        self, image: bytes, motion: np.ndarray, fmt: str = "rgb", engine: str | None = None
    ) -> np.ndarray:
        self._ask("render_once", len(image), motion.shape, fmt, engine)
        frames = np.zeros((len(motion), FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
        frames[..., 0] = 250  # red: a swap of channels would show
        return frames
