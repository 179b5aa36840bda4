"""Speech by Kokoro: `avatar_runtime.voices.kokoro` behind the tts contract."""

from __future__ import annotations

import os
from typing import Any

from avatar_runtime import adapter
from avatar_runtime.voices.kokoro import FOLDER, Kokoro


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        os.nice(1)  # the video comes first, but a person waits, too
        self._engine = Kokoro(adapter.models_dir() / FOLDER)
        list(self._engine.speak("Hallo.", "de"))  # the first call is slow; English has a faster voice, and may wait

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            adapter.answer_decoupled(request, self._produce)

    def _produce(self, request: Any, sender: Any) -> None:
        adapter.send_speech(self._engine, request, sender)
