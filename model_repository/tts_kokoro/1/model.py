"""tts: text to speech, streamed clause by clause."""

from __future__ import annotations

import os
from typing import Any

from avatar_runtime import adapter
from avatar_runtime.voices.kokoro import KokoroVoice

NICENESS = 5  # the picture's 25 frames a second come first


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        os.nice(NICENESS)
        self._voice = KokoroVoice(adapter.models_dir() / "kokoro")

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            adapter.answer_decoupled(request, self._speak)

    def _speak(self, request: Any, sender: Any) -> None:
        chunks = self._voice.speak(
            adapter.text(request, "TEXT"),
            adapter.text(request, "LANGUAGE"),
            adapter.text(request, "VOICE"),
            adapter.scalar(request, "SPEED", 1.0),
            request.is_cancelled,
        )
        for chunk in chunks:
            if request.is_cancelled():
                return
            sender.send(
                adapter.response(
                    {
                        "AUDIO": chunk.audio,
                        "TEXT": [chunk.text],
                        "PHONEMES": chunk.phonemes,
                        "PHONEME_TIMES": chunk.times,
                    }
                )
            )
