"""One stream of the `stt` contract: what arrived of it, and what is heard in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.audio import checked
from avatar_runtime.whisper.streaming import Stream
from avatar_runtime.whisper.transcribe import Transcriber, Transcript


class Utterance:
    """Audio (16 kHz) and settings of one stream, bounded by ``MAX_UTTERANCE_SECONDS``."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self._stream: Stream | None = None  # of one that is heard while it is spoken
        self._parts: list[NDArray[np.float32]] = []  # of one that is not
        self._length = 0

    def listen(self, transcriber: Transcriber) -> None:
        """Hear it while it is spoken. Only before anything was added."""
        if self._stream is None and not self._length:
            self._stream = Stream(transcriber)

    def add(self, audio: NDArray[Any], transcriber: Transcriber) -> None:
        """Append `audio`, which may be empty; raises `invalid_audio`, or what is wrong with the settings."""
        options = transcriber.options(**self.settings)
        part = checked(audio, already=self._length, allow_empty=True)
        self._length += len(part)
        if self._stream is not None:
            self._stream.add(part, options)
        else:
            self._parts.append(part.copy())  # Triton's memory is its own again after the request

    def heard(
        self, transcriber: Transcriber, flush: bool, end: bool, cancelled: Callable[[], bool] = lambda: False
    ) -> Transcript:
        """What the contract answers; raises `invalid_audio` at the end of a stream that nothing came in."""
        options = transcriber.options(**self.settings)
        if end and not self._length:
            checked(np.zeros(0, np.float32))
        if self._stream is not None:
            if end:
                return self._stream.finish(options)
            return self._stream.flush(options) if flush else self._stream.heard()
        if not (flush or end) or not self._length:
            return Transcript(language=options.language or "")
        self._parts = [np.concatenate(self._parts)]
        found = transcriber.transcribe(checked(self._parts[0]), options, cancelled)
        if not end:
            found.text, found.partial = "", found.text
        return found
