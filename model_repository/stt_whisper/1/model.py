"""Triton adapter of the role `stt`: Whisper."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from avatar_runtime import adapter
from avatar_runtime.whisper.folder import open_transcriber
from avatar_runtime.whisper.transcribe import Transcript
from avatar_runtime.whisper.utterance import Utterance

NICENESS = 5  # the video's smoothness comes first


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        os.nice(NICENESS)
        self._transcriber = open_transcriber(adapter.models_dir())
        self._transcriber.warm_up()
        self._utterances = adapter.Sequences(Utterance)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        utterance = self._utterances.state(request)
        for name in ("LANGUAGE", "TASK", "PROMPT"):
            if given := adapter.text(request, name):
                utterance.settings[name.lower()] = given
        if adapter.scalar(request, "PARTIALS", 0):
            utterance.listen(self._transcriber)
        utterance.add(adapter.array(request, "AUDIO"), self._transcriber)
        flush, end = bool(adapter.scalar(request, "FLUSH", 0)), adapter.ends(request)
        return _response(utterance.heard(self._transcriber, flush, end, request.is_cancelled))


def _response(transcript: Transcript) -> Any:
    times = np.array([(word.start, word.end) for word in transcript.words], dtype=np.float32).reshape(-1, 2)
    return adapter.response(
        {
            "TEXT": [transcript.text],
            "PARTIAL": [transcript.partial],
            "LANGUAGE": [transcript.language],
            "WORDS": [word.text for word in transcript.words],
            "WORD_TIMES": times,
        }
    )
