import numpy as np
import pytest

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from avatar_runtime.motion import signal
from avatar_runtime.motion.visemes import SHAPE

# Formants of an adult man's vowels, Hz (Peterson and Barney 1952).
FORMANTS = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240)}


def vowel(name: str, frames: int = 20, pitch: float = 120.0) -> np.ndarray:
    """A sum of harmonics under three resonances, rms about -18 dBFS, with the history `analyse` wants."""
    n = frames * MOTION_SAMPLES + signal.HISTORY
    time = np.arange(n) / SPEAKING_RATE
    tone = np.zeros(n)
    for harmonic in np.arange(pitch, 5000, pitch):
        size = sum(1.0 / (1.0 + ((harmonic - f) / 70.0) ** 2) * 2.0**-k for k, f in enumerate(FORMANTS[name]))
        tone += size * (200.0 / harmonic) ** 0.5 * np.sin(2 * np.pi * harmonic * time)
    return (tone * 0.125 / np.sqrt(np.mean(tone**2))).astype(np.float32)


def mouth(audio: np.ndarray) -> np.ndarray:
    sound = signal.analyse(audio)
    return signal.shapes(sound, (sound.level > signal.SILENCE_DB).astype(float)).mean(axis=0)


def test_vowels_open_spread_and_round_the_mouth() -> None:
    a, i, u = (mouth(vowel(v)) for v in "aiu")
    jaw, stretch, pucker = SHAPE["jawOpen"], SHAPE["mouthStretch"], SHAPE["mouthPucker"]
    assert a[jaw] > 0.4 > max(i[jaw], u[jaw]) + 0.1
    assert i[stretch] > max(a[stretch], u[stretch]) + 0.1
    assert u[pucker] > max(a[pucker], i[pucker]) + 0.15


def test_a_hiss_shows_teeth_with_the_jaw_up() -> None:
    noise = np.random.default_rng(0).standard_normal(20 * MOTION_SAMPLES + signal.HISTORY)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(noise), 1 / SPEAKING_RATE) < 4500] = 0
    s = mouth((0.05 * np.fft.irfft(spectrum, len(noise))).astype(np.float32))
    assert s[SHAPE["jawOpen"]] < 0.12 and s[SHAPE["mouthLowerDown"]] > 0.15


@pytest.mark.parametrize("frames", [1, 7])
def test_silence_is_a_shut_mouth(frames: int) -> None:
    audio = np.zeros(frames * MOTION_SAMPLES + signal.HISTORY, dtype=np.float32)
    assert signal.analyse(audio).level.max() < signal.SILENCE_DB
    assert not mouth(audio).any()
