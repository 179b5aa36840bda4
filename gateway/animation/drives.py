"""What moves a portrait: a video's face, a recording's voice, or a text spoken. Each gives motion as it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import CHANNEL, MOTION_RATE, MOTION_SAMPLES, MOTION_SIZE, SPEAKING_RATE, AvatarError, Code
from gateway.animation import sound, video
from gateway.inference import Inference, Speech

Floats = npt.NDArray[np.float32]
T = TypeVar("T")

FACE_WITHIN: Final = 30.0  # s from the start of a driving video in which a face has to show up


class Drive(Protocol):
    """A source of face motion and of the sound that goes with it."""

    frames: int | None  # how many there will be, as far as is known
    rate: int  # Hz, of the sound
    channels: int

    def sound(self) -> Iterator[Floats] | None:
        """Samples f32 [n, channels]; None for a silent film."""

    async def motion(self, count: int) -> Floats:
        """The next frames of motion f32 [k, 58], k <= count (or a few more at the start); none at the end."""

    async def close(self) -> None:
        """Ends what runs in the server."""


def still() -> Floats:
    """The motion f32 [1, 58] of a face at rest."""
    motion = np.zeros((1, MOTION_SIZE), np.float32)
    motion[0, CHANNEL["headScale"]] = 1
    return motion


async def _next(items: Iterator[T]) -> T | None:
    """The next item of a blocking iterator, or None at its end."""
    return await asyncio.to_thread(next, items, None)


class VideoDrive:
    """A face in a video. Before it first shows, the portrait rests."""

    channels = 2
    rate = sound.FILM_RATE

    def __init__(self, inference: Inference, path: Path, push_seconds: float) -> None:
        facts = video.facts(path)
        self.frames = facts.frames
        self._path, self._start, self._sounds = path, facts.start, sound.has_sound(path)
        self._pictures = video.frames(path)
        self._capture = inference.capture(push_seconds)
        self._seen = False

    def sound(self) -> Iterator[Floats] | None:
        return sound.pieces(self._path, self.rate, self.channels, self._start) if self._sounds else None

    async def motion(self, count: int) -> Floats:
        found: list[Floats] = []
        while len(found) < count or not self._seen:
            picture = await _next(self._pictures)
            if picture is None:
                break
            motion, score = await self._capture.push(picture)
            self._seen = self._seen or score > 0
            found.append(motion)
            if not self._seen and len(found) > FACE_WITHIN * MOTION_RATE:
                raise AvatarError(Code.NO_FACE, f"The first {FACE_WITHIN:.0f} seconds of {self._path} show no face.")
        if not self._seen:
            raise AvatarError(Code.NO_FACE, f"No face was found in the video {self._path}.")
        return np.array(found, np.float32).reshape(-1, MOTION_SIZE)

    async def close(self) -> None:
        await self._capture.close()


class _Spoken:
    """Motion from sound."""

    frames: int | None = None

    def __init__(self, inference: Inference, emotion: str, intensity: float, push_seconds: float) -> None:
        self._stream = inference.motion(push_seconds=push_seconds)
        self._feeling: tuple[Any, ...] = (emotion, intensity)

    async def _push(self, audio: Floats, phonemes: list[str], times: Floats) -> Floats:
        motion = await self._stream.push(audio, phonemes, times, *self._feeling)
        self._feeling = ()  # holds until changed
        return motion

    async def close(self) -> None:
        await self._stream.close()


_NO_TIMES: Final = np.zeros((0, 2), np.float32)


class RecordingDrive(_Spoken):
    """A voice in a recording; the mouth follows the sound."""

    channels = 2
    rate = sound.FILM_RATE

    def __init__(self, inference: Inference, path: Path, emotion: str, intensity: float, push_seconds: float) -> None:
        length = sound.length(path)
        self.frames = None if length is None else max(1, round(length * MOTION_RATE))
        self._path, self._slots = path, sound.speech(path)
        super().__init__(inference, emotion, intensity, push_seconds)

    def sound(self) -> Iterator[Floats] | None:
        return sound.pieces(self._path, self.rate, self.channels)

    async def motion(self, count: int) -> Floats:
        slots: list[Floats] = []
        while len(slots) < count and (slot := await _next(self._slots)) is not None:
            slots.append(slot)
        if not slots:
            return np.zeros((0, MOTION_SIZE), np.float32)
        return await self._push(np.concatenate(slots), [], _NO_TIMES)


class SpeechDrive(_Spoken):
    """Speech with its phonemes, as `Inference.synthesize` gives it."""

    channels = 1
    rate = SPEAKING_RATE

    def __init__(
        self, inference: Inference, chunks: list[Speech], emotion: str, intensity: float, push_seconds: float
    ) -> None:
        self._audio, self._phonemes, self._times = _joined(chunks)
        self.frames = len(self._audio) // MOTION_SAMPLES
        self._slot = 0
        super().__init__(inference, emotion, intensity, push_seconds)

    def sound(self) -> Iterator[Floats] | None:
        return iter([self._audio[:, None]])

    async def motion(self, count: int) -> Floats:
        first = self._slot * MOTION_SAMPLES
        audio = self._audio[first : first + count * MOTION_SAMPLES]
        if not len(audio):
            return np.zeros((0, MOTION_SIZE), np.float32)
        # All phonemes with the first piece: the motion engine remembers what is still to come.
        phonemes, times = ([], _NO_TIMES) if self._slot else (self._phonemes, self._times)
        self._slot += len(audio) // MOTION_SAMPLES
        return await self._push(audio, phonemes, times)


def _joined(chunks: list[Speech]) -> tuple[Floats, list[str], Floats]:
    """One stretch of audio, a multiple of MOTION_SAMPLES long, with all phonemes and their times in it."""
    audio, phonemes, times, start = [np.zeros(0, np.float32)], [], [_NO_TIMES], 0
    for chunk in chunks:
        audio.append(chunk.audio)
        phonemes += chunk.phonemes
        times.append(chunk.phoneme_times + start / SPEAKING_RATE)
        start += len(chunk.audio)
    whole = np.concatenate(audio)
    return np.pad(whole, (0, -len(whole) % MOTION_SAMPLES)), phonemes, np.concatenate(times).astype(np.float32)
