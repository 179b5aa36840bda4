from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE
from gateway.bench.sounds import noisy, speechless


def test_what_is_no_speech_sounds_as_it_is_called() -> None:
    sounds = speechless(4.0)
    assert set(sounds) == {"silence", "white noise", "music", "breathing", "room tone"}
    for name, sound in sounds.items():
        assert sound.shape == (4 * LISTENING_RATE,) and sound.dtype == np.float32
        assert np.isfinite(sound).all() and np.abs(sound).max() <= 1, name
    levels = {name: float(np.sqrt(np.mean(sound**2))) for name, sound in sounds.items()}
    assert levels["silence"] == 0 < levels["room tone"] < 0.01 < levels["breathing"] < levels["white noise"]
    breath = np.abs(sounds["breathing"])
    assert breath[int(2.6 * LISTENING_RATE) :][:800].mean() > 20 * breath[int(3.7 * LISTENING_RATE) :][:800].mean()


@pytest.mark.parametrize("decibels", [0.0, 15.0])
def test_noise_lies_that_far_below(decibels: float) -> None:
    tone = (0.3 * np.sin(np.arange(LISTENING_RATE) * 0.1)).astype(np.float32)
    noise = noisy(tone, decibels) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(decibels, abs=0.2)
