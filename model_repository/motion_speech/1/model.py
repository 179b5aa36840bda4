"""Face motion from speech by signal processing and phonemes: `avatar_runtime.motion` behind the motion contract."""

from __future__ import annotations

from typing import Any

from avatar_runtime import adapter
from avatar_runtime.motion import FaceMotion


class _Sequence:
    """The face of one sequence, made at its first request, which may bring the seed."""

    face: FaceMotion | None = None


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        self._sequences: adapter.Sequences[_Sequence] = adapter.Sequences(_Sequence)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        sequence = self._sequences.state(request)
        if sequence.face is None:
            seed = adapter.optional(request, "SEED")
            sequence.face = FaceMotion(0 if seed is None or seed.size == 0 else int(seed.reshape(-1)[0]))
        times = adapter.optional(request, "PHONEME_TIMES")
        has_phonemes = adapter.optional(request, "PHONEMES") is not None
        intensity = adapter.optional(request, "INTENSITY")
        motion = sequence.face.push(
            adapter.array(request, "AUDIO"),
            phonemes=adapter.strings(request, "PHONEMES") if has_phonemes else None,
            times=times,
            emotion=adapter.text(request, "EMOTION") or None,
            intensity=None if intensity is None or intensity.size == 0 else float(intensity.reshape(-1)[0]),
        )
        return adapter.response({"MOTION": motion})
