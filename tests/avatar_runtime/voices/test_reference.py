"""Which recordings a voice can be cloned from: people (LibriVox), synthetic voices, and everything that is no use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soxr
from hibari import Hibari

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.vad import SileroNetwork
from avatar_runtime.voices.kokoro import Kokoro
from avatar_runtime.voices.reference import check
from avatar_runtime.voices.sound import LOUDNESS
from gateway.bench.stt import load_recordings
from gateway.settings import Settings

TEXT = "My favourite picture hangs in a small museum. It is not large, and hardly anybody stops in front of it."
TIMES = np.arange(10 * SPEAKING_RATE) / SPEAKING_RATE


@pytest.fixture(scope="module")
def vad() -> SileroNetwork:
    return SileroNetwork()


@lru_cache(maxsize=1)
def voice() -> np.ndarray:
    """Seven seconds of a clear voice with a little noise of its room, 45 dB below it."""
    spoken = np.asarray(Hibari()(TEXT, seed=0), np.float32).reshape(-1)
    return spoken + noise(len(spoken), 0.05 * 10 ** (-45 / 20))


def noise(count: int, level: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, level, count).astype(np.float32)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def refusal(sound: np.ndarray, vad: SileroNetwork) -> str:
    with pytest.raises(AvatarError) as caught:
        check(sound, vad)
    assert caught.value.code is Code.INVALID_AUDIO
    sentence = caught.value.message
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 160
    return sentence


def test_a_clear_voice_is_trimmed_and_levelled(vad: SileroNetwork) -> None:
    quiet = np.zeros(2 * SPEAKING_RATE, np.float32)
    found = check(np.concatenate([quiet, voice(), quiet]) * 0.3 + 0.2, vad)
    assert found.dtype == np.float32 and found.ndim == 1
    assert len(voice()) - SPEAKING_RATE < len(found) < len(voice()) + SPEAKING_RATE / 2
    assert abs(found.mean()) < 1e-3, "the offset is gone"
    assert rms(found) == pytest.approx(LOUDNESS, rel=0.2) and np.abs(found).max() <= 0.951


def test_the_same_voice_louder_or_quieter_comes_out_the_same(vad: SileroNetwork) -> None:
    loud, quiet = check(voice(), vad), check(voice() * 0.2, vad)
    np.testing.assert_allclose(loud, quiet, atol=1e-4)


def test_people_reading_aloud(vad: SileroNetwork) -> None:
    folder = Settings.from_environment().models / "bench"
    if not (folder / "librivox" / "transcription").exists():
        pytest.skip("LibriVox recordings are missing: run `antlitz bench stt` once")
    recordings = [
        soxr.resample(item.audio, 16_000, SPEAKING_RATE).astype(np.float32) for item in load_recordings(folder)
    ]
    long = [sound for sound in recordings if len(sound) > 4 * SPEAKING_RATE]
    assert len(long) >= 3
    for sound in [*long, np.concatenate(recordings)]:
        found = check(sound, vad)
        assert 0.8 * len(sound) < len(found) <= len(sound)
    for decibels, fits in ((5, False), (10, False), (20, True), (30, True)):
        noisy = np.concatenate(recordings)
        noisy = noisy + noise(len(noisy), rms(noisy) * 10 ** (-decibels / 20))
        if fits:
            check(noisy, vad)
        else:
            assert "noise or music" in refusal(noisy, vad)


@pytest.mark.models
def test_another_synthetic_voice(vad: SileroNetwork, models: Path) -> None:
    engine = Kokoro(models / "kokoro")
    spoken = np.concatenate([chunk.audio for chunk in engine.speak(TEXT, "en", "af_heart", 1.0)])
    assert len(check(spoken, vad)) > 3 * SPEAKING_RATE


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "seconds of speech"), (2.5, "seconds of speech"), (40, "30 seconds"), (61, "too long")]
)
def test_too_short_and_too_long(vad: SileroNetwork, seconds: float, words: str) -> None:
    assert words in refusal(np.resize(voice(), int(seconds * SPEAKING_RATE)), vad)


def test_an_hour_is_refused_before_it_is_looked_at(vad: SileroNetwork) -> None:
    hour = np.broadcast_to(np.float32(np.nan), 3600 * SPEAKING_RATE)  # takes no memory unless it is touched
    assert "too long" in refusal(hour, vad)


def test_silence_and_a_microphone_that_is_off(vad: SileroNetwork) -> None:
    assert "silent" in refusal(np.zeros(5 * SPEAKING_RATE, np.float32), vad)
    assert "silent" in refusal(np.full(5 * SPEAKING_RATE, 0.5, np.float32), vad)
    assert "silent" in refusal(noise(5 * SPEAKING_RATE, 1e-4), vad)
    assert "too quiet" in refusal(voice() * 0.01, vad)


def chords() -> np.ndarray:
    """Four voices of an organ that swell and change their harmony every second."""
    roots = np.array([220.0, 247.0, 196.0, 262.0])[TIMES.astype(int) % 4]
    waves = sum(np.sin(2 * np.pi * np.cumsum(roots * ratio) / SPEAKING_RATE) for ratio in (1, 1.25, 1.5, 2))
    return (0.08 * waves * (1 + 0.5 * np.sin(4 * np.pi * TIMES))).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [0.3 * np.sin(2 * np.pi * 440 * TIMES), noise(TIMES.size, 0.1), chords(), np.sign(np.sin(2 * np.pi * 50 * TIMES))],
    ids=["tone", "noise", "chords", "hum"],
)
def test_what_is_no_voice(vad: SileroNetwork, sound: np.ndarray) -> None:
    assert "Nobody is heard" in refusal(sound.astype(np.float32), vad)


def test_music_behind_a_voice(vad: SileroNetwork) -> None:
    assert "noise or music" in refusal(voice() + np.resize(chords(), len(voice())), vad)
    assert "noise or music" in refusal(np.concatenate([voice(), chords()]), vad)


@pytest.mark.parametrize("gain", [3.0, 5.0, 10.0])
@pytest.mark.parametrize("level", [1.0, 0.3], ids=["full scale", "turned down after"])
def test_an_overdriven_voice(vad: SileroNetwork, gain: float, level: float) -> None:
    clipped = np.clip(voice() / np.abs(voice()).max() * gain, -1, 1)
    assert "overdriven" in refusal(clipped * np.float32(level), vad)
    resampled = soxr.resample(soxr.resample(clipped, SPEAKING_RATE, 44_100), 44_100, SPEAKING_RATE)
    assert "overdriven" in refusal(np.clip(resampled, -1, 1), vad), "a file of another rate"


def test_words_far_apart(vad: SileroNetwork) -> None:
    word = np.pad(voice()[: int(1.2 * SPEAKING_RATE)], (0, 5 * SPEAKING_RATE))
    assert "more pause than speech" in refusal(np.tile(word, 5), vad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(vad: SileroNetwork, bad: float) -> None:
    sound = voice().copy()
    sound[1000] = bad
    assert "not finite" in refusal(sound, vad)


def test_nothing_and_whole_numbers(vad: SileroNetwork) -> None:
    assert "empty" in refusal(np.zeros(0, np.float32), vad)
    assert "floating-point" in refusal(np.zeros(9, np.int16), vad)
