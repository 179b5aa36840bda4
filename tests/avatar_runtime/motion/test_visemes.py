# ruff: noqa: RUF001 - IPA is made of letters that look like others
import numpy as np
import pytest

from avatar_runtime.motion.visemes import ARTICULATORS, SHAPE, VISEMES, spell

# Letters of Kokoro's vocabulary (misaki English, espeak-ng for the other languages) that are sounds.
KOKORO_SOUNDS = "AIOQSTWYabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔᵊᵻʣʥʦʨ"


def jaw(letter: str) -> float:
    return float(VISEMES[letter].target[SHAPE["jawOpen"]])


def test_every_viseme_stays_in_range() -> None:
    for viseme in VISEMES.values():
        assert viseme.target.shape == (len(SHAPE),) and viseme.dominance.shape == (len(ARTICULATORS),)
        assert viseme.target.min() >= 0 and viseme.target.max() <= 1
        assert viseme.dominance.min() > 0 and viseme.dominance.max() <= 1
        assert viseme.target[SHAPE["jawOpen"]] <= 0.6


def test_kokoros_letters_are_known() -> None:
    diphthongs = set("AIOQWY")
    missing = [s for s in KOKORO_SOUNDS if s not in VISEMES and s not in diphthongs]
    assert missing == []


def test_vowels_are_ordered_by_height_and_rounding() -> None:
    assert jaw("a") > jaw("ɛ") > jaw("e") > jaw("i")
    assert jaw("ɔ") > jaw("o") > jaw("u")
    for rounded, spread in (("y", "i"), ("ø", "e"), ("œ", "ɛ"), ("u", "i")):
        pucker = SHAPE["mouthPucker"]
        assert VISEMES[rounded].target[pucker] > VISEMES[spread].target[pucker] + 0.2


@pytest.mark.parametrize(
    ("text", "count"),
    [("a", 1), ("A", 1), ("tʃ", 2), ("t͡s", 2), ("ˈaɪ", 2), ("ɑ̃", 1), ("ç", 1), ("n̩", 1), ("ɜː", 1), ("dʲ", 1), ("", 0)],
)
def test_spelling_finds_the_sounds(text: str, count: int) -> None:
    assert len(spell(text).sounds) == count


def test_diphthong_letters_have_two_mouths() -> None:
    first, second = spell("W").sounds[0].visemes  # aʊ
    assert (first, second) == (VISEMES["a"], VISEMES["ʊ"])


def test_nasal_vowels_and_cedilla() -> None:
    assert spell("ɔ̃").sounds[0].visemes == (VISEMES["ɔ"],)
    assert spell("ã").sounds[0].visemes == (VISEMES["a"],)
    assert spell("ç").sounds[0].visemes == (VISEMES["ç"],)


def test_stress_falls_on_the_vowel() -> None:
    sounds = spell("ˈpaː").sounds
    assert [s.stress for s in sounds] == [0.0, 1.0]
    assert spell("ˈ").pending_stress == 1.0
    assert spell("ˌ").pending_stress == pytest.approx(0.45)


def test_marks_alone_are_no_sounds() -> None:
    assert spell("ː").lengthens_previous and not spell("ː").sounds
    for pause in ("_", " ", ",", ".", "?!", "…", ""):
        assert spell(pause).pause


def test_an_unknown_letter_moves_little() -> None:
    sounds = spell("☃").sounds
    assert len(sounds) == 1
    assert np.max(sounds[0].visemes[0].dominance) < 0.5
