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
        adapter.send_speech(self._engine, request, sender)
