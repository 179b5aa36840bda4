"""Kokoro-82M: 54 voices, eight languages, from espeak-ng's phonemes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx

from . import espeak
from .graphs import session, with_durations, with_float_convolutions
from .speech import Floats, Spoken, Voice

DURATION_SAMPLES = 600  # 25 ms at 24 kHz a unit of duration
LONGEST = 510  # phonemes: the model's position embeddings less the two pads
STYLE_SIZE = 256

#: language -> (espeak-ng voice, letters of this project's voices). German has no voice of its own: ef_dora speaks it best.
LANGUAGES = {"en": "en-us", "de": "de", "es": "es", "fr": "fr-fr", "it": "it", "pt": "pt-br", "hi": "hi"}
PREFIXES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt"}
GERMAN = ("ef_dora", "if_sara", "im_nicola")

#: espeak-ng's IPA -> the alphabet that Kokoro was trained on (misaki's): one letter an affricate or diphthong.
ALPHABET = {
    "en": (
        ("ə^l", "ᵊl"), ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "Q"), ("dʒ", "ʤ"), ("tʃ", "ʧ"),
        ("ɜːɹ", "ɜɹ"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ː", ""), ("̩", ""),
    ),
    "de": (("ɔø", "ɔi"), ("ts", "ʦ"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("aɪ", "aɪ"), ("ɡ", "ɡ")),
    "*": (("dz", "ʣ"), ("ts", "ʦ"), ("tʃ", "ʧ"), ("dʒ", "ʤ")),
}  # fmt: skip
_MARKS = re.compile(r"([,;:.!?…—\"“”()]+)")
_SWITCH = re.compile(r"\([a-z-]+\)")  # espeak-ng's note that a word is read in another language
_JOINERS = str.maketrans("", "", "-͡‿")


def ipa(clause: str, language: str, vocabulary: dict[str, int]) -> list[str]:
    """Phonemes of a clause with its marks, all in `vocabulary`."""
    pieces = []
    for piece in _MARKS.split(clause):
        if _MARKS.fullmatch(piece):
            pieces.append(piece[0])
        elif any(letter.isalnum() for letter in piece):
            said = _SWITCH.sub("", espeak.phonemes(piece, LANGUAGES[language])).translate(_JOINERS)
            for old, new in ALPHABET.get(language, ALPHABET["*"]):
                said = said.replace(old, new)
            pieces.append((" " if pieces else "") + said.strip())
    return [letter for letter in "".join(pieces) if letter in vocabulary]


class KokoroVoice(Voice):
    """The voices of `folder`: `kokoro-quantized.onnx`, `tokenizer.json`, `voices/*.bin`."""

    quick_start = True

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._vocabulary: dict[str, int] = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        model = onnx.load(folder / "kokoro-quantized.onnx")
        with_float_convolutions(model)
        self._durations = with_durations(model)
        self._waveform = model.graph.output[0].name
        self._session = session(model, threads)
        self._folder = folder / "voices"
        self._styles: dict[str, Floats] = {}
        names = sorted(path.stem for path in self._folder.glob("*.bin"))
        if not names:
            raise FileNotFoundError(f"no voices in {self._folder}: run `antlitz models pull kokoro`")
        # af_heart first: the best of the English ones, and so the default.
        names.sort(key=lambda name: name != "af_heart")
        self.voices = {name: PREFIXES[name[0]] for name in names if name[0] in PREFIXES}
        self._german = [name for name in GERMAN if name in self.voices]
        self.say("Hello.", "en", "af_heart", 1.0)  # the first run allocates

    @property
    def languages(self) -> list[str]:
        return [*dict.fromkeys(self.voices.values()), "de"]

    def choose(self, language: str, voice: str) -> tuple[str, str]:
        if not voice and language.split("-")[0].lower() == "de":
            return "de", self._german[0]
        return super().choose(language, voice)

    def _style(self, voice: str, length: int) -> Floats:
        if voice not in self._styles:
            data = np.fromfile(self._folder / f"{voice}.bin", np.float32)
            self._styles[voice] = data.reshape(-1, 1, STYLE_SIZE)
        rows = self._styles[voice]
        return rows[min(length, len(rows) - 1)]

    def say(self, clause: str, language: str, voice: str, speed: float) -> Spoken | None:
        phonemes = ipa(clause, language, self._vocabulary)[:LONGEST]
        if not any(letter.isalpha() for letter in phonemes):
            return None
        pad = self._vocabulary["$"]
        feed = {
            "input_ids": np.array([[pad, *(self._vocabulary[letter] for letter in phonemes), pad]], np.int64),
            "style": self._style(voice, len(phonemes)),
            "speed": np.array([speed], np.float32),
        }
        audio, durations = self._session.run([self._waveform, self._durations], feed)
        samples = (np.asarray(durations).reshape(-1) * DURATION_SAMPLES).astype(np.int64)
        return Spoken(np.asarray(audio, np.float32).reshape(-1), ["_", *phonemes, "_"], samples)
