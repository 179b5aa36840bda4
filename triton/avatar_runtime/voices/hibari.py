"""The English voice that is in its Python package: hibari, a distilled Kokoro, a hundred times faster than speech."""

from __future__ import annotations

import numpy as np
import onnx
from hibari import Hibari, dsp

from .graphs import session, with_durations
from .speech import Spoken, Voice

DURATION_SAMPLES = 600  # 25 ms: two spectrum frames of dsp.HOP samples a unit of duration
SEED = 0  # of the noise in the sound: the same text is the same audio


class HibariVoice(Voice):
    """hibari with the durations of its phonemes as one more output."""

    voices = {"heart": "en"}  # noqa: RUF012 - a constant of the class

    def __init__(self) -> None:
        self._hibari = Hibari()
        model = onnx.load(self._hibari.model_path)
        self._outputs = ["lh", "theta", "ln", "lr", "phi", "f0", with_durations(model)]
        self._session = session(model, threads=1)
        self._hibari.sess = None  # ours takes its place
        self.say("Hello.", "en", "heart", 1.0)  # loads the phonemizer, half a second

    def say(self, clause: str, language: str, voice: str, speed: float) -> Spoken | None:
        phonemes = [letter for letter in " ".join(self._hibari.phonemize(clause)) if letter in self._hibari.vocab]
        if not phonemes:
            return None
        feed = {
            "ids": np.array([self._hibari.ids("".join(phonemes))], np.int64),
            "speed": np.array([speed], np.float32),
        }
        *spectrum, durations = self._session.run(self._outputs, feed)
        parts = [part[0] for part in spectrum]
        audio = dsp.synth(*parts, np.random.default_rng(SEED)).astype(np.float32)
        samples = (np.asarray(durations).reshape(-1) * DURATION_SAMPLES).astype(np.int64)
        return Spoken(audio, ["_", *phonemes, "_"], samples)
