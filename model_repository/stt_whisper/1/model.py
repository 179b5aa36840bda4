"""Triton adapter of the role `stt`: Whisper."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from avatar_runtime import adapter, engines
from avatar_runtime.whisper.exported import MEL, STATES
from avatar_runtime.whisper.folder import open_resident, open_transcriber
from avatar_runtime.whisper.resident import ROWS
from avatar_runtime.whisper.transcribe import Transcript
from avatar_runtime.whisper.utterance import Utterance

NICENESS = 2  # the video comes first, but a person waits, too
ENCODER = "whisper_encoder"  # the Triton model that a GPU's encoder is
REBUILD = "antlitz export whisper --checkpoint openai/whisper-large-v3 --precision fp16 --engine tensorrt"
CUDA = "CUDAExecutionProvider"


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        os.nice(NICENESS)
        on_gpu = adapter.parameter(args, "device") == "cuda"
        if on_gpu:
            plan = Path(args["model_repository"]).parent / ENCODER / "1"
            engines.check_plan(plan, engines.here(), ROWS, rebuild=REBUILD)
            self._networks: adapter.Models | None = None  # may be asked from inside execute() alone
            self._transcriber = open_resident(adapter.models_dir(), CUDA, self._encode)
        else:
            self._transcriber = open_transcriber(adapter.models_dir())
        self._transcriber.warm_up()
        if on_gpu:
            self._networks = adapter.Models(args, ROWS)
        self._utterances = adapter.Sequences(Utterance)
        # On a GPU the requests of one call share its steps; on a processor they would only share its cores.
        self._each = ThreadPoolExecutor(ROWS, "stt").map if on_gpu else map

    def execute(self, requests: list[Any]) -> list[Any]:
        return list(self._each(self._answer, requests))

    def _answer(self, request: Any) -> Any:
        return adapter.answer(request, self._respond)

    def _encode(self, mel: Any) -> Any:
        if self._networks is None:  # the decoder warms up; the encoder has a warm-up of its own
            sizes = self._transcriber.networks.sizes
            return np.zeros((1, sizes.positions, sizes.width), np.float16)
        (found,) = self._networks([(ENCODER, {MEL: mel}, [STATES], False)])
        return found[STATES]

    def _respond(self, request: Any) -> Any:
        utterance = self._utterances.state(request)
        for name in ("LANGUAGE", "LIKELY_LANGUAGE", "TASK", "PROMPT"):
            if given := adapter.text(request, name):
                utterance.settings[name.lower()] = given
        if adapter.scalar(request, "PARTIALS", 0):
            utterance.listen(self._transcriber)
        utterance.add(adapter.array(request, "AUDIO"), self._transcriber)
        flush, end = bool(adapter.scalar(request, "FLUSH", 0)), adapter.ends(request)
        return _response(utterance.heard(self._transcriber, flush, end, request.is_cancelled))


def _response(transcript: Transcript) -> Any:
    times = np.array([(word.start, word.end) for word in transcript.words], dtype=np.float32).reshape(-1, 2)
    return adapter.response(
        {
            "TEXT": [transcript.text],
            "PARTIAL": [transcript.partial],
            "LANGUAGE": [transcript.language],
            "WORDS": [word.text for word in transcript.words],
            "WORD_TIMES": times,
        }
    )
