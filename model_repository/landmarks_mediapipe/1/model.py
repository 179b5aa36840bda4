"""Triton adapter of the role `landmarks`: MediaPipe's face networks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from avatar_runtime import adapter
from avatar_runtime.contracts import LANDMARK_COUNT
from avatar_runtime.face.landmarks import FaceFinder
from avatar_runtime.face.picture import decode


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        cv2.setNumThreads(1)
        self._finder = FaceFinder(adapter.models_dir() / "mediapipe")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        faces = self._finder.find(decode(adapter.array(request, "IMAGE").tobytes()))
        return adapter.response(
            {
                "LANDMARKS": np.array([face.landmarks for face in faces], np.float32).reshape(-1, LANDMARK_COUNT, 3),
                "BOXES": np.array([face.box for face in faces], np.float32).reshape(-1, 4),
                "SCORES": np.array([face.score for face in faces], np.float32),
            }
        )
