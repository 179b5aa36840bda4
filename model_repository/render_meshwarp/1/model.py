"""Triton adapter of the role `render`: a portrait warped on its landmarks."""

from __future__ import annotations

from typing import Any

from avatar_runtime import adapter
from avatar_runtime.face.meshwarp import Portrait
from avatar_runtime.face.renderer import Renderer, Stream


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        self._renderer = Renderer(adapter.models_dir() / "mediapipe", Portrait.of)
        self._streams: adapter.Sequences[Stream] = adapter.Sequences(Stream)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        return adapter.draw(self._renderer, self._streams.state(request), request)
