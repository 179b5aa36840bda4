# ruff: noqa: RUF001 - IPA is made of letters that look like others
import numpy as np
import pytest

from avatar_runtime.motion.coarticulation import FRAME, TICKS, blend, sounds
from avatar_runtime.motion.visemes import SHAPE

JAW, PUCKER, STRETCH, ROLL = SHAPE["jawOpen"], SHAPE["mouthPucker"], SHAPE["mouthStretch"], SHAPE["mouthRollLower"]


def spoken(*said: tuple[str, float], start: float = 0.4):
    """Raw phonemes one after the other from (symbol, seconds)."""
    at, raw = start, []
    for symbol, seconds in said:
        raw.append((symbol, round(at * TICKS), round((at + seconds) * TICKS)))
        at += seconds
    return sounds(raw, seed=0)


GRID = (np.arange(40) + 0.5) * FRAME


@pytest.mark.parametrize("lips", ["m", "b", "p"])
@pytest.mark.parametrize("length", [0.015, 0.030, 0.050, 0.090])
@pytest.mark.parametrize("offset", np.arange(0, 0.040, 0.005))
def test_lips_meet_however_short_the_sound_and_wherever_it_falls(lips: str, length: float, offset: float) -> None:
    mouth = blend(GRID, spoken(("a", 0.15), (lips, length), ("a", 0.15), start=0.4 + offset))
    sealed = np.flatnonzero(mouth.sealed >= 0.999)
    assert len(sealed) >= 1
    assert (mouth.shapes[sealed, JAW] <= 0.08).all()
    assert mouth.shapes[:, JAW].max() > 0.4
    # The lips meet where the sound is, within half a frame.
    middle = 0.4 + offset + 0.15 + length / 2
    assert np.abs(GRID[sealed] - middle).min() <= FRAME / 2 + length / 2


@pytest.mark.parametrize("offset", np.arange(0, 0.040, 0.005))
def test_the_lower_lip_reaches_the_teeth(offset: float) -> None:
    mouth = blend(GRID, spoken(("a", 0.15), ("f", 0.03), ("a", 0.15), start=0.4 + offset))
    assert mouth.shapes[:, ROLL].max() >= 0.45
    assert mouth.shapes[mouth.shapes[:, ROLL].argmax(), JAW] < 0.15


def test_rounding_spreads_ahead_over_consonants() -> None:
    rounded = blend(GRID, spoken(("s", 0.08), ("t", 0.05), ("u", 0.15))).shapes
    spread = blend(GRID, spoken(("s", 0.08), ("t", 0.05), ("i", 0.15))).shapes
    during_t = np.abs(GRID - 0.50).argmin()
    assert rounded[during_t, PUCKER] > 0.2 > spread[during_t, PUCKER]


def test_a_closure_keeps_the_rounding_of_its_vowel() -> None:
    mouth = blend(GRID, spoken(("b", 0.06), ("u", 0.2)))
    closed = mouth.sealed.argmax()
    assert mouth.sealed[closed] == 1 and mouth.shapes[closed, PUCKER] > 0.25


def test_the_mouth_prepares_before_the_sound() -> None:
    jaw = blend(GRID, spoken(("a", 0.2), start=0.4)).shapes[:, JAW]
    before = (GRID > 0.36) & (GRID < 0.40)
    assert jaw[before].max() > 0.1
    assert jaw[GRID < 0.25].max() < 0.02
    assert jaw[GRID > 0.85].max() < 0.02


def test_a_word_gap_keeps_the_mouth_open_and_a_pause_closes_it() -> None:
    gap = blend(GRID, spoken(("a", 0.12), (" ", 0.03), ("a", 0.12))).shapes[:, JAW]
    pause = blend(GRID, spoken(("a", 0.12), (",", 0.30), ("a", 0.12))).shapes[:, JAW]
    assert gap[(GRID > 0.5) & (GRID < 0.57)].min() > 0.3
    assert pause[(GRID > 0.6) & (GRID < 0.75)].min() < 0.03


def test_length_mark_and_stress_as_phonemes_of_their_own() -> None:
    said = spoken(("ˈ", 0.02), ("b", 0.05), ("a", 0.10), ("ː", 0.08))
    assert len(said.start) == 2
    assert said.end[1] == pytest.approx(0.65)
    assert said.stress.tolist() == [0.0, 1.0]


def test_frames_depend_on_near_sounds_only() -> None:
    near = [("a", 4000, 5000), ("m", 5000, 5600), ("i", 5600, 6600)]
    far = [("u", 20000, 21000)]
    early = GRID[GRID < 0.9]
    np.testing.assert_array_equal(blend(early, sounds(near, 0)).shapes, blend(early, sounds(near + far, 0)).shapes)


def test_nothing_said_is_nothing_moved() -> None:
    mouth = blend(GRID, sounds([], 0))
    assert not mouth.shapes.any() and not mouth.covered.any()
