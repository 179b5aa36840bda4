"""Triton adapter of the role `capture`: a face followed through a video."""

from __future__ import annotations

from typing import Any

import numpy as np

from avatar_runtime import adapter
from avatar_runtime.face.capture import Capture
from avatar_runtime.face.landmarks import FaceFinder


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        finder = FaceFinder(adapter.models_dir() / "mediapipe")
        self._captures: adapter.Sequences[Capture] = adapter.Sequences(lambda: Capture(finder))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        capture = self._captures.state(request)
        frame = adapter.array(request, "IMAGE")
        if not frame.size and adapter.ends(request):  # nothing more to see
            motion, score = capture.hold(), 0.0
        else:
            motion, score = capture.push(frame)
        return adapter.response({"MOTION": motion[None], "FACE": np.array([score], np.float32)})
