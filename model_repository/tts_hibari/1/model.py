"""English speech by hibari: `avatar_runtime.voices.hibari` behind the tts contract."""

from __future__ import annotations

import os
from typing import Any

from avatar_runtime import adapter
from avatar_runtime.voices.hibari import Hibari


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        os.nice(5)  # smooth video comes first
        self._engine = Hibari()
        list(self._engine.speak("Hello there."))  # the first call loads lexicons

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            adapter.answer_decoupled(request, self._produce)

    def _produce(self, request: Any, sender: Any) -> None:
        chunks = self._engine.speak(
            adapter.text(request, "TEXT"),
            adapter.text(request, "LANGUAGE"),
            adapter.text(request, "VOICE"),
            adapter.scalar(request, "SPEED", 1.0),
        )
        while not request.is_cancelled():
            chunk = next(chunks, None)
            if chunk is None:
                break
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
