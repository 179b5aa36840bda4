# ruff: noqa: RUF001, RUF003 (IPA and typographic signs are meant)
"""Kokoro-82M v1.0 (Apache-2.0) in ONNX Runtime: English by misaki's rules, the other languages by espeak-ng.

It was never trained on German; German phonemes, mapped onto its alphabet, are understood well all the same.
"""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from hibari.g2p import G2P
from numpy.typing import NDArray
from onnx import ModelProto

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.prepared import prepared_session
from avatar_runtime.voices import graph, products, rewrite
from avatar_runtime.voices.engine import Engine
from avatar_runtime.voices.espeak import ipa

FOLDER: Final = "kokoro"  # below the models folder
GRAPH: Final = "kokoro-quantized.onnx"
#: German is spoken best by blends: the French voice knows ø, œ, y, the others the rest. Word error rate of the round
#: trip with Whisper base: ef_dora 13.5 %, ff_siwis 19.9 %, both blended 6.4 %; the male blend 9.9 %.
VOICES: Final = {
    "en": (
        "af_heart", "af_bella", "af_nicole", "am_michael", "am_fenrir", "am_puck",
        "bf_emma", "bm_george", "bm_fable",
    ),
    "de": ("ef_dora+ff_siwis", "im_nicola+im_nicola+ff_siwis", "ef_dora", "if_sara", "im_nicola"),
    "fr": ("ff_siwis",),
    "es": ("ef_dora", "em_alex"),
    "it": ("if_sara", "im_nicola"),
    "pt": ("pf_dora", "pm_alex"),
}  # fmt: skip
MAX_TOKENS: Final = 510
STYLE: Final = 256

#: espeak-ng's IPA, tied with ^, to single letters (misaki's EspeakG2P); what is left of the ties goes.
_ESPEAK: Final = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^z", "ʣ"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ə^ʊ", "Q"), ("t^s", "ʦ"),
    ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("^", ""), ("-", ""), ("«", "“"), ("»", "”"), ("„", "“"),
)  # fmt: skip
#: German: no diphthong letters; ʏ is not in the vocabulary.
_GERMAN: Final = (
    ("^", ""), ("ts", "ʦ"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("ɔø", "ɔi"), ("ʏ", "y"), ("-", ""),
    ("„", "“"), ("«", "”"), ("»", "“"),
)  # fmt: skip


def espeak_tokens(phonemes: str, language: str) -> str:
    """espeak-ng's IPA in Kokoro's alphabet."""
    for old, new in _GERMAN if language == "de" else _ESPEAK:
        phonemes = phonemes.replace(old, new)
    return phonemes


def _faster(source: Path) -> ModelProto:
    model = graph.with_durations(source)
    rewrite.faster(model)
    return model


class Kokoro(Engine):
    """Kokoro on its files in `folder`: the graph, `tokenizer.json`, and `voices/<id>.bin` (style f32 [510, 256])."""

    voices = VOICES
    limits = (44, 70, 120, 160)  # a fifth of real time: the first sound must not wait for a long sentence …
    opening = 3  # … and "Ja," lasts longer than it takes to make the words behind it

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._folder = folder
        vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        self._vocabulary: dict[str, int] = vocabulary
        source = folder / GRAPH
        session = prepared_session(source, FOLDER, lambda: _faster(source), threads, graph, rewrite, products)
        self._session = graph.Stoppable(session)
        self._style = lru_cache(maxsize=16)(self._read_style)

    def stop(self) -> None:
        self._session.stop()

    def phonemes(self, text: str, language: str, voice: str) -> list[str]:
        if language == "en":
            said = (self._british if voice.startswith("b") else self._american)(text)
        else:
            said = espeak_tokens(ipa(text, language), language)
        return [c for c in said if c in self._vocabulary][:MAX_TOKENS]

    def synthesize(
        self, tokens: list[str], language: str, voice: str, speed: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        ids = [0, *(self._vocabulary[token] for token in tokens), 0]
        feed = {
            "input_ids": np.asarray([ids], np.int64),
            "style": self._style(voice)[len(tokens) - 1][None],  # a row for each length
            "speed": np.asarray([speed], np.float32),
        }
        audio, durations = self._session.run(["waveform", graph.DURATIONS], feed)
        return audio.reshape(-1), durations.reshape(-1)

    def _read_style(self, voice: str) -> NDArray[np.float32]:
        """Style vectors f32 [510, 256], a row for each number of tokens; ``a+a+b`` is the mean of those voices."""
        styles = []
        for name in voice.split("+"):
            path = self._folder / "voices" / f"{name}.bin"
            if not path.is_file():
                raise AvatarError(
                    Code.UNKNOWN_VOICE, f"The file of the voice {name} is missing; run `antlitz models pull`."
                )
            styles.append(np.fromfile(path, np.float32).reshape(-1, STYLE))
        return np.mean(styles, axis=0, dtype=np.float32)

    @cached_property
    def _american(self) -> G2P:
        return G2P()

    @cached_property
    def _british(self) -> G2P:
        return G2P(british=True)
