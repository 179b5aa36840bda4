"""Triton adapter of the role `vad`: Silero."""

from __future__ import annotations

from typing import Any

from avatar_runtime import adapter, audio
from avatar_runtime.vad import SileroNetwork, SpeechStream


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        network = SileroNetwork()
        self._streams = adapter.Sequences(lambda: SpeechStream(network))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        stream = self._streams.state(request)
        samples = audio.checked(adapter.array(request, "AUDIO"), allow_empty=True)
        return adapter.response({"SPEECH": stream.feed(samples)})
