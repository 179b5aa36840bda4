"""What the mouth does for each phoneme: IPA as written by espeak-ng and Kokoro (misaki), as targets of blend shapes.

Shapes and grouping after the viseme sets of Microsoft Azure and MPEG-4 FBA and the phonetic description of each
sound (height opens the jaw, rounding puckers, frontness spreads); amplitudes are tuned for portraits: an open
vowel at normal loudness stays below 0.6 of `jawOpen`.
"""

# ruff: noqa: RUF001, RUF002 - IPA is made of letters that look like others
from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL

#: The articulators: which part of the mouth a shape belongs to. Dominance is given per articulator.
ARTICULATORS: Final = ("jaw", "round", "spread", "part", "seal", "tongue")

#: The shapes that speech moves, each with its articulator. A name without a side means both sides.
SPEECH_SHAPES: Final = {
    "jawOpen": "jaw", "jawForward": "jaw",
    "mouthFunnel": "round", "mouthPucker": "round",
    "mouthStretch": "spread", "mouthSmile": "spread", "mouthDimple": "spread",
    "mouthLowerDown": "part", "mouthUpperUp": "part",
    "mouthPress": "seal", "mouthRollLower": "seal", "mouthRollUpper": "seal", "mouthShrugUpper": "seal",
    "tongueOut": "tongue",
}  # fmt: skip
SHAPE: Final = {name: index for index, name in enumerate(SPEECH_SHAPES)}
ARTICULATOR_OF: Final = np.array([ARTICULATORS.index(a) for a in SPEECH_SHAPES.values()])

#: [speech shapes, 52]: writes a vector of speech shapes into blend shapes.
TO_BLEND_SHAPES: Final = np.zeros((len(SHAPE), len(BLEND_SHAPES)))
for _name, _row in SHAPE.items():
    for _side in ("", "Left", "Right"):
        if _name + _side in CHANNEL:
            TO_BLEND_SHAPES[_row, CHANNEL[_name + _side]] = 1.0


@dataclass(frozen=True, eq=False)
class Viseme:
    """Targets (by `SHAPE`, 0..1), dominance (by `ARTICULATORS`, 0..1), and how surely the lips must get there.

    `closure` is 1 for bilabials (the lips meet in at least one frame), and `labiodental` is 1 for f and v (the
    lower lip touches the upper teeth in at least one frame).
    """

    target: np.ndarray
    dominance: np.ndarray
    closure: float = 0.0
    labiodental: float = 0.0
    vowel: bool = False
    silence: bool = False


def _viseme(
    shapes: dict[str, float], dominance: tuple[float, ...], *, closure: float = 0.0, labiodental: float = 0.0,
    vowel: bool = False, silence: bool = False,
) -> Viseme:  # fmt: skip
    target = np.zeros(len(SHAPE))
    for name, value in shapes.items():
        target[SHAPE[name]] = value
    return Viseme(target, np.array(dominance), closure, labiodental, vowel, silence)


def _vowel(jaw: float, *, spread: float = 0.0, round_: float = 0.0, funnel: float = 0.0) -> Viseme:
    """Parted lips follow the jaw; a rounded vowel keeps them together, a spread one shows the teeth."""
    part = (0.14 + 0.34 * jaw + 0.50 * spread) * (1.0 - 0.8 * max(round_, funnel))
    shapes = {
        "jawOpen": jaw, "mouthStretch": spread, "mouthSmile": 0.55 * spread, "mouthPucker": round_,
        "mouthFunnel": funnel, "mouthLowerDown": part, "mouthUpperUp": 0.45 * part,
    }  # fmt: skip
    rounding = 1.0 if max(round_, funnel) > 0.3 else 0.55
    return _viseme(shapes, (1.0, rounding, 0.8, 0.8, 0.3, 0.4), vowel=True)


REST: Final = _viseme({}, (1, 1, 1, 1, 1, 1), silence=True)

# Dominance: jaw, round, spread, part, seal, tongue.
_BILABIAL = _viseme(
    {"jawOpen": 0.03, "mouthRollLower": 0.16, "mouthRollUpper": 0.12, "mouthPress": 0.22},
    (0.9, 0.15, 0.2, 1.0, 1.0, 0.5), closure=1.0,
)  # fmt: skip
_BILABIAL_NASAL = _viseme(
    {"jawOpen": 0.05, "mouthRollLower": 0.12, "mouthRollUpper": 0.10, "mouthPress": 0.16},
    (0.8, 0.15, 0.2, 1.0, 1.0, 0.5), closure=1.0,
)  # fmt: skip
_LABIODENTAL = _viseme(
    {"jawOpen": 0.10, "mouthRollLower": 0.5, "mouthUpperUp": 0.34, "mouthShrugUpper": 0.1},
    (0.8, 0.3, 0.3, 1.0, 1.0, 0.5), labiodental=1.0,
)  # fmt: skip
_SIBILANT = _viseme(
    {"jawOpen": 0.09, "mouthStretch": 0.24, "mouthSmile": 0.08, "mouthLowerDown": 0.46, "mouthUpperUp": 0.26},
    (0.75, 0.25, 0.4, 0.7, 0.5, 0.5),
)
_POSTALVEOLAR = _viseme(
    {"jawOpen": 0.11, "mouthFunnel": 0.5, "mouthPucker": 0.22, "mouthLowerDown": 0.28, "mouthUpperUp": 0.26},
    (0.7, 0.9, 0.6, 0.6, 0.5, 0.5),
)
_DENTAL = _viseme(
    {"jawOpen": 0.15, "mouthLowerDown": 0.28, "mouthUpperUp": 0.16, "tongueOut": 0.28},
    (0.6, 0.2, 0.3, 0.5, 0.5, 1.0),
)
_ALVEOLAR = _viseme({"jawOpen": 0.17, "mouthLowerDown": 0.26, "mouthUpperUp": 0.12}, (0.38, 0.12, 0.2, 0.4, 0.4, 0.6))
_LATERAL = _viseme(
    {"jawOpen": 0.24, "mouthLowerDown": 0.26, "mouthUpperUp": 0.11, "tongueOut": 0.06},
    (0.40, 0.15, 0.2, 0.4, 0.4, 0.6),
)
_VELAR = _viseme({"jawOpen": 0.21, "mouthLowerDown": 0.20, "mouthUpperUp": 0.08}, (0.30, 0.1, 0.15, 0.3, 0.4, 0.5))
_PALATAL = _viseme(
    {"jawOpen": 0.14, "mouthStretch": 0.26, "mouthSmile": 0.12, "mouthLowerDown": 0.17, "mouthUpperUp": 0.07},
    (0.5, 0.35, 0.5, 0.4, 0.4, 0.5),
)
_RHOTIC = _viseme(
    {"jawOpen": 0.15, "mouthFunnel": 0.3, "mouthPucker": 0.26, "mouthLowerDown": 0.12},
    (0.45, 0.7, 0.4, 0.4, 0.4, 0.5),
)
_LABIOVELAR = _viseme({"jawOpen": 0.08, "mouthPucker": 0.72, "mouthFunnel": 0.2}, (0.7, 1.0, 0.7, 0.7, 0.5, 0.5))
_LABIOPALATAL = _viseme({"jawOpen": 0.08, "mouthPucker": 0.65, "mouthFunnel": 0.22}, (0.6, 1.0, 0.7, 0.7, 0.5, 0.5))
_LABIAL_APPROXIMANT = _viseme(
    {"jawOpen": 0.08, "mouthPress": 0.08, "mouthLowerDown": 0.03}, (0.8, 0.2, 0.2, 0.9, 0.7, 0.5)
)
# Made in the throat: the mouth is already in its neighbour's place.
_GLOTTAL = _viseme({"jawOpen": 0.16, "mouthLowerDown": 0.1}, (0.12, 0.05, 0.05, 0.12, 0.3, 0.4))

_A = _vowel(0.58)
_E = _vowel(0.31, spread=0.26)
_I = _vowel(0.17, spread=0.36)
_O = _vowel(0.31, round_=0.45, funnel=0.38)
_U = _vowel(0.15, round_=0.66, funnel=0.26)
_NEAR_I = _vowel(0.25, spread=0.22)
_NEAR_U = _vowel(0.22, round_=0.48, funnel=0.24)
_OPEN_E = _vowel(0.42, spread=0.20)
_OPEN_O = _vowel(0.43, round_=0.26, funnel=0.42)
_SCHWA = _vowel(0.28, spread=0.04)

VISEMES: Final[dict[str, Viseme]] = {
    **dict.fromkeys("pb", _BILABIAL), **dict.fromkeys("mʙ", _BILABIAL_NASAL),
    **dict.fromkeys("fvɱʋ", _LABIODENTAL), **dict.fromkeys("βɸ", _LABIAL_APPROXIMANT),
    **dict.fromkeys("szʦʣɕʑ", _SIBILANT), **dict.fromkeys("ʃʒʧʤʂʐʨʥS", _POSTALVEOLAR),
    **dict.fromkeys("θð", _DENTAL), **dict.fromkeys("tdnɾTʈɖɳɽ", _ALVEOLAR), **dict.fromkeys("lɫɭɬʟ", _LATERAL),
    **dict.fromkeys("kgɡŋxɣɰɴqχʁʀrħʕ", _VELAR), **dict.fromkeys("jʝçɲʎcɟ", _PALATAL),
    **dict.fromkeys("ɹɻɺ", _RHOTIC), **dict.fromkeys("wʍ", _LABIOVELAR), "ɥ": _LABIOPALATAL,
    **dict.fromkeys("hɦʔ", _GLOTTAL),
    **dict.fromkeys("aɑɶ", _A), "æ": _vowel(0.52, spread=0.22), **dict.fromkeys("ʌɐ", _vowel(0.46)),
    "ɒ": _vowel(0.46, round_=0.15, funnel=0.30), **dict.fromkeys("ɛᴇ", _OPEN_E), **dict.fromkeys("eɘ", _E),
    "i": _I, **dict.fromkeys("ɪɨᵻ", _NEAR_I), **dict.fromkeys("əᵊ", _SCHWA),
    **dict.fromkeys("ɜɝɞ", _vowel(0.34, funnel=0.18)),
    "ɚ": _vowel(0.28, funnel=0.2), "ɔ": _OPEN_O, **dict.fromkeys("oɤ", _O), **dict.fromkeys("uɯ", _U),
    "ʊ": _NEAR_U, "ʉ": _vowel(0.13, round_=0.58, funnel=0.22), "y": _vowel(0.12, round_=0.64, funnel=0.24),
    "ʏ": _vowel(0.17, round_=0.50, funnel=0.24), **dict.fromkeys("øɵ", _vowel(0.28, round_=0.46, funnel=0.34)),
    "œ": _vowel(0.39, round_=0.30, funnel=0.40),
}  # fmt: skip

#: Letters that stand for two sounds: misaki's diphthongs (hexgrad/misaki, EN_PHONES.md).
DIPHTHONGS: Final = {"A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ"}
STRESS_MARKS: Final = {"ˈ": 1.0, "'": 1.0, "ˌ": 0.45}
LENGTH_MARKS: Final = frozenset("ːˑ")
#: Marks that colour the sound before them and add nothing to see (release, aspiration, tie bars, tones).
_SILENT_MARKS: Final = frozenset("ʰʱʲˠˤ˞ⁿˡ̩̯͜͡‿-↓↑→↗↘ʼ")
PAUSES: Final = frozenset('_ .,;:!?¡¿—–…"()“”«»\n\t')
_CEDILLA = "\u0327"


@dataclass(frozen=True)
class Sound:
    """One sound of a phoneme string: `visemes` one after the other, `weight` its share of the string's time."""

    visemes: tuple[Viseme, ...]
    weight: float = 1.0
    stress: float = 0.0  # 0, 0.45 secondary, 1 primary; set on the vowel


@dataclass(frozen=True)
class Spelling:
    """What one phoneme string says: its sounds, and marks that reach over its ends (`ˈ` forward, `ː` backward)."""

    sounds: tuple[Sound, ...]
    pending_stress: float = 0.0
    lengthens_previous: bool = False
    pause: bool = False


def _plain(text: str) -> Iterable[str]:
    """The letters of `text` without accents that do not change the lips (nasal tilde, syllabic, devoiced…)."""
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        kept = [p for p in parts if not unicodedata.combining(p) or p == _CEDILLA]
        yield from unicodedata.normalize("NFC", "".join(kept))


@lru_cache(maxsize=4096)
def spell(phoneme: str) -> Spelling:
    """The sounds in one phoneme string: a single letter (Kokoro), or several with marks (``ˈaɪ``, ``t͡ʃ``, ``ɑ̃ː``).

    An unknown letter hardly moves the mouth; it never fails.
    """
    if all(letter in PAUSES for letter in phoneme):
        return Spelling((), pause=True)
    sounds: list[Sound] = []
    stress, lengthens = 0.0, False
    for letter in _plain(phoneme):
        if letter in STRESS_MARKS:
            stress = STRESS_MARKS[letter]
        elif letter in LENGTH_MARKS or letter in _SILENT_MARKS:
            if sounds and letter in LENGTH_MARKS:
                sounds[-1] = Sound(sounds[-1].visemes, sounds[-1].weight * 1.6, sounds[-1].stress)
            lengthens |= not sounds
        elif letter in PAUSES:
            continue
        else:
            visemes = tuple(VISEMES.get(v, _GLOTTAL) for v in DIPHTHONGS.get(letter, letter))
            is_vowel = visemes[0].vowel
            sounds.append(Sound(visemes, 1.5 if is_vowel else 1.0, stress if is_vowel else 0.0))
            stress = 0.0 if is_vowel else stress
    return Spelling(tuple(sounds), stress, lengthens and not sounds)
