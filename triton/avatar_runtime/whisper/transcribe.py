"""From a recording to words: find speech, hear each part, keep what can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Code
from avatar_runtime.vad import SileroNetwork
from avatar_runtime.whisper.alignment import token_times
from avatar_runtime.whisper.decoding import (
    SURE_LANGUAGE,
    TEMPERATURES,
    Array,
    Decoded,
    DecodingOptions,
    Networks,
    decode,
)
from avatar_runtime.whisper.features import FRAMES_PER_POSITION, POSITIONS_PER_SECOND, log_mel
from avatar_runtime.whisper.segments import speech_spans
from avatar_runtime.whisper.tokens import TASKS, Vocabulary

PADDING = 4.0  # s of silence after the speech; less makes Whisper repeat itself and drop syllables
LEAST_CONTEXT = 20.0  # s that the encoder hears at least: with less, syllables of short sentences go missing
PROMPT_TOKENS = 100  # the last of a longer prompt


@dataclass(frozen=True)
class Word:
    text: str
    start: float  # s from the start of the recording
    end: float


@dataclass
class Transcript:
    text: str = ""  # what is certain
    language: str = ""  # as given or detected; "" when nothing was said
    words: list[Word] = field(default_factory=list)  # of text and partial
    partial: str = ""  # what probably follows


class Transcriber:
    """Whisper with its vocabulary and a voice activity gate."""

    def __init__(self, networks: Networks, vocabulary: Vocabulary) -> None:
        self.networks, self.vocabulary = networks, vocabulary
        self.gate = SileroNetwork()

    @property
    def languages(self) -> list[str]:
        return list(self.vocabulary.languages)

    def options(
        self, language: str = "", task: str = "", prompt: str = "", likely_language: str = ""
    ) -> DecodingOptions:
        """Checked options; raises `unknown_language` or `invalid_request`."""
        task = task or TASKS[0]
        if task not in TASKS:
            raise AvatarError(Code.INVALID_REQUEST, f"The task must be one of {', '.join(TASKS)}.")
        tokens = self.vocabulary.encode(" " + prompt.strip())[-PROMPT_TOKENS:] if prompt.strip() else []
        likely = self.vocabulary.language(likely_language)
        return DecodingOptions(self.vocabulary.language(language), likely, task, tuple(tokens))

    def warm_up(self) -> None:
        """Make the first real call as fast as later ones."""
        noise = np.random.default_rng(0).normal(0, 0.05, 2 * LISTENING_RATE).astype(np.float32)
        self.gate.speech(noise)
        for language in ("en", None):
            self.hear(lambda frames: log_mel(noise, frames, self.networks.bands), 2.0, DecodingOptions(language))

    def transcribe(
        self,
        audio: NDArray[np.float32],
        options: DecodingOptions | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Transcript:
        """What is said in `audio` (16 kHz, -1..1, checked); an empty transcript when nothing is.

        A recording has one language: the first trusted part decides. Raises `cancelled` between parts.
        """
        options = options or DecodingOptions()
        words: list[Word] = []
        language = options.language or ""
        for span in speech_spans(self.gate.speech(audio), len(audio)):
            if cancelled():
                raise AvatarError(Code.CANCELLED, "The transcription was cancelled.")
            part = audio[span.start : span.end]
            heard = self.hear(
                lambda frames, part=part: log_mel(part, frames, self.networks.bands),  # type: ignore[misc]
                span.seconds,
                options,
            )
            found = self.words(heard, span.start / LISTENING_RATE, span.seconds) if heard.said else []
            if found:
                options = replace(options, language=heard.language)
                language = heard.language
                words += found
        return Transcript(joined(words), language, stripped(words))

    def hear(
        self,
        mel: Callable[[int], Array],
        seconds: float,
        options: DecodingOptions,
        context: float | None = None,
        temperatures: tuple[float, ...] = TEMPERATURES,
    ) -> Decoded:
        """The text of `seconds` of speech; `mel` gives their spectrogram padded to any number of frames.

        The encoder hears `context` seconds; None is enough for a recording. What cannot be trusted is heard again with
        all the context Whisper was trained on, and at all the `temperatures`; a text that is nothing but the prompt,
        without the prompt.
        """
        heard = self._hear(mel, seconds, options, context, temperatures)
        if options.prompt and heard.tokens and self._text(heard.tokens) == self._text(options.prompt):
            return self._hear(mel, seconds, replace(options, prompt=()), context, temperatures)
        return heard

    def words(self, heard: Decoded, offset: float, seconds: float) -> list[Word]:
        """The words of `heard` with their times, in a part of `seconds` that began at `offset`."""
        texts, groups = self.vocabulary.words(heard.tokens, heard.language)
        if not texts:
            return []
        times = token_times(heard.attention, math.ceil(seconds * POSITIONS_PER_SECOND))
        bounds = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
        starts = times[np.minimum(bounds, len(times) - 1)] + offset
        return [Word(text, float(a), float(b)) for text, a, b in zip(texts, starts[:-1], starts[1:], strict=True)]

    def _hear(
        self,
        mel: Callable[[int], Array],
        seconds: float,
        options: DecodingOptions,
        context: float | None,
        temperatures: tuple[float, ...],
    ) -> Decoded:
        positions = self.context(context or max(seconds + PADDING, LEAST_CONTEXT))
        if positions < self.networks.positions:
            memory = self.networks.understand(mel(positions * FRAMES_PER_POSITION))
            heard = decode(self.networks, self.vocabulary, memory, seconds, options, TEMPERATURES[:1])
            if heard.silent or (heard.trusted and heard.language_probability >= SURE_LANGUAGE):
                return heard
        memory = self.networks.understand(mel(self.networks.positions * FRAMES_PER_POSITION))
        return decode(self.networks, self.vocabulary, memory, seconds, options, temperatures)

    def context(self, seconds: float) -> int:
        """The positions that these networks hear where `seconds` would do."""
        wanted = max(math.ceil(seconds * POSITIONS_PER_SECOND), self.networks.least_positions)
        return min(wanted, self.networks.positions)

    def _text(self, tokens: Any) -> str:
        return "".join(letter for letter in self.vocabulary.decode(list(tokens)).lower() if letter.isalnum())


def joined(words: list[Word]) -> str:
    """The text of words that still have their spaces."""
    return "".join(word.text for word in words).strip()


def stripped(words: list[Word]) -> list[Word]:
    """The words without their spaces."""
    return [replace(word, text=word.text.strip()) for word in words]
