"""Triton adapter of the role `tts`: XTTS-v2. Requests run side by side; their GPT steps are one batch."""

from __future__ import annotations

from typing import Any

from avatar_runtime import adapter
from avatar_runtime.pool import Pool
from avatar_runtime.xtts.batch import MOST, WAITING
from avatar_runtime.xtts.engine import Engine, Request
from avatar_runtime.xtts.graphs import CUDA, FOLDER


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        providers = (CUDA,) if adapter.parameter(args, "device") == "cuda" else ()
        self._engine = Engine(adapter.models_dir() / FOLDER, providers=providers)
        for _ in self._engine.speak(Request("Good morning.", "en")):
            pass  # the first utterance maps memory and, on a GPU, chooses kernels
        self._pool = Pool(MOST, WAITING, "speech")

    def execute(self, requests: list[Any]) -> None:
        for request in requests:
            adapter.answer_elsewhere(self._pool, request, self._speak)

    def _speak(self, request: Any, sender: Any) -> None:
        latents = adapter.optional(request, "LATENTS")
        wanted = Request(
            text=adapter.text(request, "TEXT"),
            language=adapter.text(request, "LANGUAGE"),
            voice=adapter.text(request, "VOICE"),
            speed=adapter.scalar(request, "SPEED", 1.0),
            latents=None if latents is None else latents.tobytes(),
            seed=adapter.integer(request, "SEED", 0),
        )
        adapter.send_chunks(self._engine.speak(wanted, request.is_cancelled), request, sender)

    def finalize(self) -> None:
        self._pool.close()
