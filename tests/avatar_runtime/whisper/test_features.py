from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.whisper.features import FFT, HOP, log_mel, mel_filters


def reference(audio: np.ndarray, frames: int) -> np.ndarray:
    """openai/whisper's ``log_mel_spectrogram`` spelled out frame by frame in float64."""
    padded = np.pad(np.pad(audio, (0, max(0, frames * HOP - len(audio)))), FFT // 2, mode="reflect").astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    power = np.stack([np.abs(np.fft.rfft(padded[i * HOP :][:FFT] * window)) ** 2 for i in range(frames)], axis=1)
    logarithm = np.log10(np.maximum(mel_filters(80) @ power, 1e-10))
    return (np.maximum(logarithm, logarithm.max() - 8) + 4) / 4


@pytest.mark.parametrize("samples", [1, 399, 16_000, 31_999, 32_000])
def test_equals_the_definition(samples: int) -> None:
    audio = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    np.testing.assert_allclose(log_mel(audio, 200), reference(audio, 200), atol=1e-4)


def test_longer_audio_is_cut() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 64_000).astype(np.float32)
    assert log_mel(audio, 200).shape == (80, 200)
    np.testing.assert_allclose(log_mel(audio, 200)[:, :190], reference(audio, 400)[:, :190], atol=0.2)


def test_filters_are_slaneys() -> None:
    filters = mel_filters(80)
    assert filters.shape == (80, 201)
    # openai/whisper's mel_filters.npz: the first filter peaks at bin 1 with 0.0249, each sums to about 1/40.
    assert filters[0].argmax() == 1
    assert filters[0, 1] == pytest.approx(0.02486, abs=1e-4)
    np.testing.assert_allclose(filters[40:].sum(axis=1), 1 / 40, rtol=0.07)
