"""Triton adapter of the role `stt`: Whisper."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from avatar_runtime import adapter
from avatar_runtime.whisper.transcribe import Transcriber, Transcript, model_folder
from avatar_runtime.whisper.utterance import Utterance

NICENESS = 5  # the video's smoothness comes first


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        os.nice(NICENESS)
        self._transcriber = Transcriber(model_folder(adapter.models_dir()))
        self._transcriber.warm_up()
        self._utterances = adapter.Sequences(Utterance)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        utterance = self._utterances.state(request)
        utterance.add(adapter.array(request, "AUDIO"))
        for name in ("LANGUAGE", "TASK", "PROMPT"):
            if given := adapter.text(request, name):
                utterance.settings[name.lower()] = given
        options = self._transcriber.options(**utterance.settings)
        if not adapter.ends(request):
            return _response(Transcript(language=options.language or ""))
        return _response(self._transcriber.transcribe(utterance.audio(), options, request.is_cancelled))


def _response(transcript: Transcript) -> Any:
    times = np.array([(word.start, word.end) for word in transcript.words], dtype=np.float32).reshape(-1, 2)
    return adapter.response(
        {
            "TEXT": [transcript.text],
            "PARTIAL": [""],
            "LANGUAGE": [transcript.language],
            "WORDS": [word.text for word in transcript.words],
            "WORD_TIMES": times,
        }
    )
