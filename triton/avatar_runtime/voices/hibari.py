"""English by hibari (Apache-2.0): a distilled Kokoro of 8 MB, a hundred times faster than real time on one core."""

from __future__ import annotations

from pathlib import Path

import hibari
import numpy as np
from hibari import dsp
from numpy.typing import NDArray

from avatar_runtime.prepared import cpu_session
from avatar_runtime.voices import graph
from avatar_runtime.voices.engine import Engine

VOICES = {"en": ("heart",)}  # the one voice inside the package; it would download the others


class Hibari(Engine):
    """`hibari-tts` with its durations made visible. Needs no file but the package."""

    voices = VOICES
    limits = (100, 160, 220)  # so fast that cutting sentences gains nothing

    def __init__(self, threads: int = 1) -> None:
        self._hibari = hibari.Hibari(threads=threads)
        model = graph.with_durations(Path(self._hibari.model_path))
        self._session = cpu_session(model.SerializeToString(), threads)
        self._hibari.sess = self._session  # frees the one without durations

    def phonemes(self, text: str, language: str, voice: str) -> list[str]:
        joined = " ".join(self._hibari.phonemize(text))
        return [c for c in joined if c in self._hibari.vocab]

    def synthesize(
        self, tokens: list[str], language: str, voice: str, speed: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        feed = {"ids": np.asarray([self._hibari.ids(tokens)], np.int64), "speed": np.asarray([speed], np.float32)}
        outputs = dict(zip(_OUTPUTS, self._session.run(_OUTPUTS, feed), strict=True))
        durations = outputs.pop(graph.DURATIONS)
        # a fixed seed: the same text always sounds the same
        audio = dsp.synth(*(outputs[name][0] for name in _SPECTRUM), np.random.default_rng(0))
        return audio.astype(np.float32), durations.reshape(-1).astype(np.float32)


_SPECTRUM = ("lh", "theta", "ln", "lr", "phi", "f0")
_OUTPUTS = [*_SPECTRUM, graph.DURATIONS]
