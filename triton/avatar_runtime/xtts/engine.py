"""XTTS speaking: text in pieces, codes in the common batch, sound as soon as there is some."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.voices.engine import MAX_SPEED, MIN_SPEED, Chunk
from avatar_runtime.xtts.batch import Batch, Utterance
from avatar_runtime.xtts.bundle import XttsBundle
from avatar_runtime.xtts.gpt import Gpt, Tables
from avatar_runtime.xtts.graphs import HIDDEN, RESAMPLE, SOUND, SPEAKER, TABLES, VOICES
from avatar_runtime.xtts.runaway import Watch
from avatar_runtime.xtts.sampling import Sampling
from avatar_runtime.xtts.text.frontend import Frontend
from avatar_runtime.xtts.voices import BuiltIn, Voice, unpack
from avatar_runtime.xtts.windows import STEADY, Window

Floats = NDArray[np.float32]
log = logging.getLogger("avatar_runtime")

TRIES = 2  # a runaway nobody has heard of yet is tried once more
#: What coqui gives transformers in the place of the prefix, and so penalises as if it had been said.
PREFIX_CODE = 1
FADE = SPEAKING_RATE // 50  # samples: an utterance that is cut off does not click
NO_TIMES = np.zeros((0, 2), np.float32)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be said, and how. `seed`, any whole number: the same request sounds the same."""

    text: str
    language: str = ""
    voice: str = ""
    speed: float = 1.0
    latents: bytes | None = None
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)


class Engine:
    """XTTS with the exported bundle in `folder`. `speak` may be called from several threads at once."""

    def __init__(self, folder: Path, threads: int = 0, providers: tuple[str, ...] = ()) -> None:
        """See `XttsBundle`. Raises `engine_unavailable`."""
        bundle = XttsBundle(folder, threads, providers)
        self._sizes, self._checkpoint = bundle.sizes, bundle.checkpoint
        self._frontend = Frontend(bundle.vocabulary)
        self._tables = Tables(bundle.arrays(TABLES), bundle.sizes)
        self._voices = BuiltIn(bundle.arrays(VOICES))
        self._vocoder = bundle.session("vocoder")
        gpt = Gpt(bundle.session("gpt"), bundle.sizes, resident=next(iter(providers), ""))
        self._batch = Batch(gpt, self._tables)
        # On a GPU one that is only ever asked for windows of one size.
        self._steady = bundle.session("vocoder") if providers else None

    @property
    def voices(self) -> list[str]:
        return self._voices.names

    def speak(self, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Chunk]:
        """Chunks as they are ready; the first of a piece carries its text, and none carries phonemes.

        Bad input raises here, before the first chunk is asked for. Closing the iterator stops the work within a step.
        """
        if not MIN_SPEED <= request.speed <= MAX_SPEED:
            raise AvatarError(Code.INVALID_REQUEST, f"SPEED has to be from {MIN_SPEED} to {MAX_SPEED}.")
        language = request.language or self._frontend.languages[0]
        pieces = self._frontend.pieces(request.text, language)
        voice = self._voice(request)
        return self._say(request, language, pieces, voice, cancelled)

    def _voice(self, request: Request) -> Voice:
        if request.latents is None:
            return self._voices.get(request.voice)
        return unpack(request.latents, self._checkpoint, self._sizes.width, self._sizes.speaker)

    def _say(
        self, request: Request, language: str, pieces: list[str], voice: Voice, cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        for index, piece in enumerate(pieces):
            if cancelled():
                return
            ids = self._frontend.ids(piece, language)
            if len(ids) >= self._sizes.most_text:
                raise AvatarError(Code.INVALID_TEXT, "A part of the text is too long to be spoken at once: use stops.")
            prefix, told = self._tables.prefix(voice.latents, ids), piece
            for attempt in range(TRIES):
                seed = [request.seed % 2**64, index, attempt]
                heard = False
                try:
                    for audio in self._piece(request, prefix, voice, seed, len(piece), cancelled):
                        yield Chunk(audio, told, [], NO_TIMES)
                        heard, told = True, ""
                    break
                except Runaway as why:
                    log.warning("XTTS ran on (%s), attempt %d", why, attempt + 1)
                    if heard:
                        break  # what was heard cannot be taken back: this piece ends here

    def _piece(
        self, request: Request, prefix: Floats, voice: Voice, seed: list[int], characters: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Floats]:  # fmt: skip
        """The sound of one piece. Raises `Runaway` when it does not end by itself, after what was good of it."""
        watch = Watch(characters, self._sizes.most_generated)
        utterance = Utterance(
            prefix=prefix,
            sampling=request.sampling,
            random=np.random.default_rng(seed),
            stop_code=self._sizes.stop_code,
            codes=self._sizes.codes,
            begun_with=(PREFIX_CODE, self._sizes.start_code),
            most=watch.limit,
            cancelled=cancelled,
        )
        steady = self._steady is not None
        window = Window(lambda hidden, mix: self._sound(hidden, mix, voice.speaker), request.speed, steady)
        self._batch.give(utterance)
        sent, why = False, ""
        try:
            while (state := utterance.states.get()) is not None:
                if isinstance(state, Exception):
                    raise state
                if cancelled():  # codes may wait that nobody will hear
                    return
                code, hidden = state
                why = "" if code == self._sizes.stop_code else watch.code(code)
                audio = window.push(hidden)
                if audio is not None and not why:
                    why = watch.sound(float(np.abs(audio).max()), len(audio) / SPEAKING_RATE)
                if why:
                    break
                if audio is not None:
                    sent = True
                    yield audio
            if cancelled():
                return
            if not why:
                yield window.finish()
            elif sent or seed[-1] == TRIES - 1:
                yield _faded(window.finish())
        finally:
            utterance.close()
        if why:
            raise Runaway(why)

    def _sound(self, hidden: Floats, mix: Floats, speaker: Floats) -> Floats:
        steady = self._steady is not None and mix.shape[1:] == STEADY
        vocoder = self._steady if steady else self._vocoder
        found = vocoder.run([SOUND], {HIDDEN: hidden, RESAMPLE: mix, SPEAKER: speaker[None]})
        return np.clip(found[0], -1, 1)  # tanh may round beyond


class Runaway(Exception):
    """An utterance that did not end by itself."""


def _faded(audio: Floats) -> Floats:
    """The beginning of what was left when an utterance was cut off, faded out."""
    audio = audio[: 4 * FADE].copy()
    audio *= np.linspace(1, 0, len(audio), dtype=np.float32)
    return audio
