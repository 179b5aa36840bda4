"""Triton adapter of the role `voice`: XTTS's conditioning networks, which learn a voice from a recording."""

from __future__ import annotations

from typing import Any

import numpy as np

from avatar_runtime import adapter
from avatar_runtime.vad import SileroNetwork
from avatar_runtime.voices import reference
from avatar_runtime.xtts.cloning import Cloner
from avatar_runtime.xtts.graphs import FOLDER


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        self._vad = SileroNetwork()
        self._cloner = Cloner(adapter.models_dir() / FOLDER)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        speech = reference.check(adapter.array(request, "AUDIO"), self._vad)
        return adapter.response({"LATENTS": np.frombuffer(self._cloner.latents(speech), np.uint8)})
