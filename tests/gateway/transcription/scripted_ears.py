"""Ears as a script: words are tones, one pitch a word, and nothing else is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avatar_runtime.contracts import VAD_WINDOW, AvatarError
from gateway.transcript import Transcript, Word

RATE = 16_000
LOUD = 0.05


@dataclass
class ScriptedEars:
    """`vad` and `transcribe` of `Inference`."""

    language: str = "de"
    fails_at: int | None = None  # the request that fails with `failure`
    failure: AvatarError | Exception | None = None
    vad_fails: int = 0  # so many pushes fail
    hangs: bool = False
    asked: list[tuple[float, str, str]] = field(default_factory=list)  # seconds, language, task
    together: int = 0  # requests under way …
    most: int = 0  # … and the most of them
    cancelled: int = 0

    @asynccontextmanager
    async def vad(self) -> AsyncIterator[ScriptedEars]:
        yield self

    async def push(self, audio: np.ndarray) -> np.ndarray:
        assert len(audio) % VAD_WINDOW == 0
        if self.vad_fails:
            self.vad_fails -= 1
            assert self.failure is not None
            raise self.failure
        loud = np.abs(audio.reshape(-1, VAD_WINDOW)).max(axis=1) > LOUD
        return np.where(loud, 0.95, 0.02).astype(np.float32)

    async def transcribe(self, audio: np.ndarray, language: str, task: str, patience: float) -> Transcript:
        assert patience > 60
        self.asked.append((len(audio) / RATE, language, task))
        number = len(self.asked)
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            await (asyncio.Event().wait() if self.hangs else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.together -= 1
        if number == self.fails_at:
            assert self.failure is not None
            raise self.failure
        words = heard(audio)
        return Transcript(" ".join(word.word for word in words), language or (words and self.language) or "", words)


def heard(audio: np.ndarray) -> list[Word]:
    """A word for each tone: its pitch to the next 10 Hz."""
    loud = np.flatnonzero(np.abs(audio) > LOUD)
    if not len(loud):
        return []
    words = []
    for run in np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 20) + 1):
        part = audio[run[0] : run[-1] + 1]
        crossings = int((np.diff(np.signbit(part).astype(np.int8)) != 0).sum())
        pitch = crossings / 2 / (len(part) / RATE)
        words.append(Word(f"w{round(pitch / 10) * 10}", float(run[0] / RATE), float(run[-1] / RATE)))
    return words


def speech(words: list[tuple[int, float, float]], seconds: float) -> tuple[np.ndarray, Any]:
    """Sound of `seconds` in which each (pitch, start, end) is said."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for pitch, start, end in words:
        first, count = round(start * RATE), round((end - start) * RATE)
        samples[first : first + count] = 0.3 * np.sin(2 * np.pi * pitch * np.arange(count) / RATE)
    return samples, [f"w{pitch}" for pitch, *_ in words]
