"""From a recording to words: find speech, hear each part, keep what can be trusted."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Code
from avatar_runtime.vad import SileroNetwork
from avatar_runtime.whisper.alignment import token_times
from avatar_runtime.whisper.decoding import TEMPERATURES, Decoded, DecodingOptions, decode
from avatar_runtime.whisper.features import POSITIONS_PER_SECOND
from avatar_runtime.whisper.model import Array, WhisperModel
from avatar_runtime.whisper.segments import Span, speech_spans
from avatar_runtime.whisper.tokens import TASKS, Vocabulary

SIZES = ("base", "small")
PADDING = 4.0  # s of silence after the speech; less makes Whisper repeat itself and drop syllables
LEAST_CONTEXT = 20.0  # s that the encoder hears at least: with less, syllables of short sentences go missing
#: A short greeting in German is Latin (0.39) to ten seconds of context and German (0.63) to thirty: below this
#: probability the language is asked again with all the context.
SURE_LANGUAGE = 0.6
PROMPT_TOKENS = 100  # the last of a longer prompt


@dataclass(frozen=True)
class Word:
    text: str
    start: float  # s from the start of the recording
    end: float


@dataclass
class Transcript:
    text: str = ""
    language: str = ""  # as given or detected; "" when nothing was said
    words: list[Word] = field(default_factory=list)


def model_folder(models: Path) -> Path:
    """The Whisper that ``ANTLITZ_WHISPER`` (base or small, base by default) asks for, below `models`."""
    size = os.environ.get("ANTLITZ_WHISPER", SIZES[0])
    if size not in SIZES:
        raise AvatarError(Code.INVALID_REQUEST, f"ANTLITZ_WHISPER must be one of {', '.join(SIZES)}.")
    return models / f"whisper-{size}"


class Transcriber:
    """Whisper with its vocabulary and a voice activity gate."""

    def __init__(self, folder: Path) -> None:
        self._model = WhisperModel(folder)
        self._vocabulary = Vocabulary(folder)
        self._gate = SileroNetwork()

    @property
    def languages(self) -> list[str]:
        return list(self._vocabulary.languages)

    def options(self, language: str = "", task: str = "", prompt: str = "") -> DecodingOptions:
        """Checked options; raises `unknown_language` or `invalid_request`."""
        task = task or TASKS[0]
        if task not in TASKS:
            raise AvatarError(Code.INVALID_REQUEST, f"The task must be one of {', '.join(TASKS)}.")
        tokens = self._vocabulary.encode(" " + prompt.strip())[-PROMPT_TOKENS:] if prompt.strip() else []
        return DecodingOptions(self._vocabulary.language(language), task, tuple(tokens))

    def warm_up(self) -> None:
        """Make the first real call as fast as later ones."""
        noise = np.random.default_rng(0).normal(0, 0.05, 2 * LISTENING_RATE).astype(np.float32)
        self._gate.speech(noise)
        self._hear(noise, DecodingOptions(language="en"))
        self._hear(noise, DecodingOptions())

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
        transcript = Transcript(language=options.language or "")
        for span in speech_spans(self._gate.speech(audio), len(audio)):
            if cancelled():
                raise AvatarError(Code.CANCELLED, "The transcription was cancelled.")
            heard = self._hear(audio[span.start : span.end], options)
            if heard.silent or not heard.kept:
                continue
            words = self._words(heard, span)
            if words:
                options = replace(options, language=heard.language)
                transcript.language = heard.language
                transcript.words += words
        transcript.text = "".join(word.text for word in transcript.words).strip()
        transcript.words = [replace(word, text=word.text.strip()) for word in transcript.words]
        return transcript

    def _hear(self, audio: Array, options: DecodingOptions) -> Decoded:
        """The text of one span; what cannot be trusted is heard again with all the context Whisper was trained on."""
        seconds = len(audio) / LISTENING_RATE
        positions = math.ceil(max(seconds + PADDING, LEAST_CONTEXT) * POSITIONS_PER_SECOND)
        if positions < self._model.positions:
            memory = self._model.encode(audio, positions)
            heard = decode(self._model, self._vocabulary, memory, seconds, options, temperatures=TEMPERATURES[:1])
            if heard.silent or (heard.trusted and heard.language_probability >= SURE_LANGUAGE):
                return heard
        memory = self._model.encode(audio, self._model.positions)
        return decode(self._model, self._vocabulary, memory, seconds, options)

    def _words(self, heard: Decoded, span: Span) -> list[Word]:
        texts, groups = self._vocabulary.words(heard.tokens, heard.language)
        if not texts:
            return []
        times = token_times(heard.attention, math.ceil(span.seconds * POSITIONS_PER_SECOND))
        offset = span.start / LISTENING_RATE
        bounds = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
        starts = times[np.minimum(bounds, len(times) - 1)] + offset
        return [Word(text, float(a), float(b)) for text, a, b in zip(texts, starts[:-1], starts[1:], strict=True)]
