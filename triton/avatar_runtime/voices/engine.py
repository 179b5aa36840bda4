"""What every voice engine does alike: check the request, cut the text, synthesise clause by clause."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.voices import phones
from avatar_runtime.voices.normalize import speakable
from avatar_runtime.voices.sound import Loudness, trim
from avatar_runtime.voices.text import Clause, clauses

MIN_SPEED, MAX_SPEED = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One response: f32 [n] 24 kHz, the clause, its phonemes (IPA, ``_`` is a pause) and times f32 [m, 2] s."""

    audio: NDArray[np.float32]
    text: str
    phonemes: list[str]
    times: NDArray[np.float32]


class Engine(ABC):
    """A speech synthesiser. `voices` are its voices by language, the default of each language first."""

    voices: Mapping[str, tuple[str, ...]]
    limits: tuple[int, ...]  # characters of the first, second, … chunk
    opening: int = 0  # characters before a comma that are a first chunk of their own; 0: none are

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.voices)

    @abstractmethod
    def phonemes(self, text: str, language: str, voice: str) -> list[str]:
        """Tokens of the network's alphabet that say `text`; [] when nothing is left to say."""

    @abstractmethod
    def synthesize(
        self, tokens: list[str], language: str, voice: str, speed: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Audio f32 [n] 24 kHz and the frames that each token lasts, with the pads before and after: f32 [m + 2]."""

    def stop(self) -> None:  # noqa: B027 (an engine that is fast has nothing to stop)
        """Called from another thread: whoever asked for speech is gone. What goes on may end with `cancelled`."""

    def speak(self, text: str, language: str = "", voice: str = "", speed: float = 1.0) -> Iterator[Chunk]:
        """`text` as chunks, each as soon as it is ready. Bad input raises here, before the first chunk is asked for."""
        language, voice = self.resolve(language, voice)
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise AvatarError(Code.INVALID_REQUEST, f"SPEED has to be from {MIN_SPEED} to {MAX_SPEED}.")
        said = clauses(speakable(text, language), language, self.limits, self.opening)
        return self._chunks(said, language, voice, speed)

    def resolve(self, language: str, voice: str) -> tuple[str, str]:
        """The language (`de-AT` is `de`; empty is the voice's own or the engine's first) and the voice, checked."""
        if voice and not any(voice in names for names in self.voices.values()):
            known = ", ".join(dict.fromkeys(name for names in self.voices.values() for name in names))
            raise AvatarError(Code.UNKNOWN_VOICE, f"There is no voice {voice[:40]!r}; the voices are {known}.")
        if not language:
            language = next((lang for lang, names in self.voices.items() if voice in names), self.languages[0])
        code = language.replace("_", "-").split("-")[0].lower()
        if code not in self.voices:
            known = ", ".join(self.languages)
            raise AvatarError(Code.UNKNOWN_LANGUAGE, f"This voice does not speak {language[:40]!r}; it speaks {known}.")
        return code, voice or self.voices[code][0]

    def _chunks(self, said: list[Clause], language: str, voice: str, speed: float) -> Iterator[Chunk]:
        loudness = Loudness()
        for clause in said:
            tokens = self.phonemes(clause.text, language, voice)
            if not any(token.isalpha() for token in tokens):
                continue
            audio, frames = self.synthesize(tokens, language, voice, speed)
            names, times = phones.timed([phones.PAD, *tokens, phones.PAD], frames)
            audio, names, times = trim(audio, names, times, clause.ending, speed)
            yield Chunk(loudness.level(audio), clause.text, names, times)
