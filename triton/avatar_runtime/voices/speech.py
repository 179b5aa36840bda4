"""What every voice does alike: check the request, speak clause by clause, trim, set the level."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code

from .text import clauses, speakable

Floats = npt.NDArray[np.float32]

SILENCE = "_"  # the phoneme of a pause
SPEECH_RMS = 0.1  # -20 dBFS over the voiced part
PEAK = 0.95
LEAD_SECONDS = 0.03  # of silence kept before a chunk's first sound
#: The sound of a phoneme comes this much before its predicted place (s): measured by correlating loudness with the
#: phonemes' sonority, 50 ms for hibari, 40-60 ms for Kokoro.
EARLY = 0.05
GATE = 0.02  # of the peak: below it a chunk's ends are silence
PAUSES = {".": 0.28, "!": 0.28, "?": 0.30, "…": 0.35, ",": 0.12, ";": 0.18, ":": 0.18, "—": 0.15}  # s after a clause
NO_PAUSE = 0.02  # s, where a clause was cut between two words
SPEEDS = (0.5, 2.0)


@dataclass(frozen=True)
class Chunk:
    """A clause spoken: audio float32 [n] at SPEAKING_RATE; times [m, 2] of `phonemes` in s from its start."""

    audio: Floats
    text: str
    phonemes: list[str]
    times: Floats


@dataclass(frozen=True)
class Spoken:
    """What a network made of phonemes: audio, and how many samples each phoneme took."""

    audio: Floats
    phonemes: list[str]
    samples: npt.NDArray[np.int64]


class Voice(ABC):
    """A text-to-speech engine. `voices` maps each voice to its language; the first of a language is its default."""

    voices: dict[str, str]
    quick_start = False  # cut the first clause short: the engine is not much faster than speech

    @property
    def languages(self) -> list[str]:
        return list(dict.fromkeys(self.voices.values()))

    @abstractmethod
    def say(self, clause: str, language: str, voice: str, speed: float) -> Spoken | None:
        """One clause; None when it has no sound (a stray mark)."""

    def choose(self, language: str, voice: str) -> tuple[str, str]:
        """(language, voice) with what was left out filled in. `unknown_voice`, `unknown_language` name the known."""
        if voice and voice not in self.voices:
            raise AvatarError(Code.UNKNOWN_VOICE, f"There is no voice {voice[:64]!r}; known are {', '.join(self.voices)}.")
        language = language.split("-")[0].lower()
        if language in ("", "auto"):
            language = self.voices[voice or next(iter(self.voices))]
        if language not in self.languages:
            known = ", ".join(self.languages)
            raise AvatarError(Code.UNKNOWN_LANGUAGE, f"This voice does not speak {language[:32]!r}; it speaks {known}.")
        return language, voice or next(name for name, spoken in self.voices.items() if spoken == language)

    def speak(
        self,
        text: str,
        language: str = "",
        voice: str = "",
        speed: float = 1.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[Chunk]:
        """`text` spoken clause by clause; stops between two clauses when `cancelled`."""
        language, voice = self.choose(language, voice)
        if not SPEEDS[0] <= speed <= SPEEDS[1]:
            raise AvatarError(Code.INVALID_REQUEST, f"The speed should lie between {SPEEDS[0]} and {SPEEDS[1]}.")
        for clause in clauses(speakable(text, language), self.quick_start):
            if cancelled():
                return
            spoken = self.say(clause, language, voice, speed)
            if spoken is not None and len(spoken.audio):
                yield finish(spoken, clause)


def level(audio: Floats) -> Floats:
    """`audio` at SPEECH_RMS over its louder half, its peaks under PEAK: all voices are equally loud."""
    frames = audio[: len(audio) // 240 * 240].reshape(-1, 240)
    power = np.mean(frames**2, axis=1) if len(frames) else np.mean(audio**2, keepdims=True)
    voiced = power[power >= np.median(power)]
    gain = SPEECH_RMS / max(float(np.sqrt(voiced.mean())), 1e-4)
    # A bounded gain: a clause that is a breath must not become a roar.
    scaled = audio * min(gain, 8.0)
    return (PEAK * np.tanh(scaled / PEAK)).astype(np.float32)


def finish(spoken: Spoken, clause: str) -> Chunk:
    """Trims the silence around a clause, adds the pause its last mark asks for, and places its phonemes in time."""
    loud = np.flatnonzero(np.abs(spoken.audio) > GATE * np.abs(spoken.audio).max())
    first = max(0, int(loud[0] - LEAD_SECONDS * SPEAKING_RATE)) if len(loud) else 0
    last = min(len(spoken.audio), int(loud[-1] + 0.04 * SPEAKING_RATE)) if len(loud) else len(spoken.audio)
    audio = level(spoken.audio[first:last])
    fade = min(len(audio) // 2, 120)  # 5 ms: a cut in a breath must not click
    audio[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    mark = clause.rstrip("\"”’»)]")[-1:]
    pause = np.zeros(int(PAUSES.get(mark, NO_PAUSE) * SPEAKING_RATE), np.float32)
    ends = np.cumsum(spoken.samples)
    times = np.stack([ends - spoken.samples, ends], axis=1) - first - int(EARLY * SPEAKING_RATE)
    times = (np.clip(times, 0, len(audio)) / SPEAKING_RATE).astype(np.float32)
    kept = times[:, 1] > times[:, 0]
    phonemes = [phoneme for phoneme, keep in zip(spoken.phonemes, kept, strict=True) if keep]
    seconds = len(audio) / SPEAKING_RATE
    if len(pause):
        phonemes.append(SILENCE)
        times = np.concatenate([times[kept], [[seconds, seconds + len(pause) / SPEAKING_RATE]]]).astype(np.float32)
    else:
        times = times[kept]
    return Chunk(np.concatenate([audio, pause]), clause, phonemes, times)
