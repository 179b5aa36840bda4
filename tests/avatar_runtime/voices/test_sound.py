"""`avatar_runtime.voices.sound`: trimmed to a natural pause, equally loud."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.voices.sound import LEAD_IN, LOUDNESS, PAUSES, Loudness, trim
from avatar_runtime.voices.text import Ending


def tone(seconds: float, amplitude: float = 0.1) -> np.ndarray:
    time = np.arange(round(seconds * SPEAKING_RATE)) / SPEAKING_RATE
    return (amplitude * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SPEAKING_RATE), np.float32)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("tail", [0.0, 0.05, 1.0])
def test_trim_moves_the_times_along(ending: Ending, tail: float) -> None:
    audio = np.concatenate([silence(0.4), tone(1.0), silence(tail)])
    times = np.array([[0, 0.4], [0.4, 1.4], [1.4, 1.4 + tail]], np.float32)
    kept, phonemes, moved = trim(audio, ["_", "a", "_"], times, ending)
    seconds = len(kept) / SPEAKING_RATE
    assert seconds == pytest.approx(LEAD_IN + 1.0 + PAUSES[ending], abs=0.011)
    assert phonemes == ["_", "a", "_"]
    assert moved[1] == pytest.approx([LEAD_IN, LEAD_IN + 1.0], abs=0.011)
    assert moved[-1, 1] == pytest.approx(seconds, abs=1e-4)
    assert kept[0] == 0 and kept[-1] == 0


def test_silence_stays_as_it_is() -> None:
    audio = silence(0.5)
    kept, phonemes, _ = trim(audio, ["_"], np.array([[0, 0.5]], np.float32), Ending.SENTENCE)
    assert len(kept) == len(audio) and phonemes == ["_"]
    assert Loudness().level(kept).max() == 0


@pytest.mark.parametrize("amplitude", [0.03, 0.2, 0.9])
def test_every_voice_is_equally_loud(amplitude: float) -> None:
    audio = Loudness().level(np.concatenate([silence(0.2), tone(1.0, amplitude)]))
    assert np.sqrt(np.mean(audio[SPEAKING_RATE // 4 :] ** 2)) == pytest.approx(LOUDNESS, rel=0.05)


def test_peaks_never_pass_full_scale_and_gain_does_not_jump() -> None:
    loudness = Loudness()
    spiky = tone(1.0, 0.02)
    spiky[::2000] = 0.9
    assert np.abs(loudness.level(spiky)).max() <= 1.0
    first = Loudness()
    first.level(tone(1.0, 0.1))
    after = first.level(tone(0.2, 0.05))
    assert np.abs(after).max() < 0.12  # a soft word stays softer than the sentence before it
