from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.whisper.features import FFT, HOP, LogMel, log_mel, mel_filters


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


def slaney(bands: int) -> np.ndarray:
    """Slaney's filters point by point, from his Auditory Toolbox (1998): 66.67 Hz a mel below 1 kHz, above it 27
    steps to 6.4 kHz; triangles of area 1.
    """

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * np.log(8000 / 1000) / np.log(6.4)
    edges = [hertz(top * index / (bands + 1)) for index in range(bands + 2)]
    filters = np.zeros((bands, FFT // 2 + 1))
    for band, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        for place in range(FFT // 2 + 1):
            at = place * 16_000 / FFT
            height = (at - low) / (centre - low) if at <= centre else (high - at) / (high - centre)
            filters[band, place] = max(0.0, height) * 2 / (high - low)
    return filters


@pytest.mark.parametrize("bands", [80, 128])
def test_equals_openais(bands: int) -> None:
    """``log_mel_spectrogram`` as openai/whisper computes it: torch.stft, its filters, all in float32."""
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(bands)
    time = np.arange(3 * 16_000) / 16_000
    audio = (0.3 * np.sin(2 * np.pi * 300 * time**2) + random.normal(0, 0.01, len(time))).astype(np.float32)
    audio[20_000:30_000] = 0
    stft = torch.stft(torch.from_numpy(audio), FFT, HOP, window=torch.hann_window(FFT), return_complex=True)
    power = stft[..., :-1].abs() ** 2
    logarithm = (torch.from_numpy(slaney(bands)).float() @ power).clamp(min=1e-10).log10()
    wanted = (torch.maximum(logarithm, logarithm.max() - 8.0) + 4.0) / 4.0
    np.testing.assert_allclose(mel_filters(bands), slaney(bands), atol=1e-7)
    np.testing.assert_allclose(log_mel(audio, 300, bands), wanted.numpy(), atol=1e-4)


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("samples", [0, 1, 200, 201, 399, 16_000, 31_843, 32_000])
@pytest.mark.parametrize("step", [1, 160, 333, 40_000])
def test_a_stream_equals_the_whole(bands: int, samples: int, step: int) -> None:
    audio = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    stream = LogMel(bands)
    certain = sum(stream.push(audio[start : start + step]) for start in range(0, samples, step))
    assert stream.frames == certain == max(0, (samples - FFT // 2) // HOP + 1 if samples > FFT // 2 else 0)
    for frames in (200, 300):
        np.testing.assert_allclose(stream.spectrogram(frames), log_mel(audio, frames, bands), atol=1e-5)


def test_certain_frames_do_not_change() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    audio[5000] = 1.0  # the loudest, early: the floor stays
    stream = LogMel()
    stream.push(audio[:16_000])
    early, known = stream.spectrogram(200), stream.frames
    stream.push(audio[16_000:])
    np.testing.assert_array_equal(stream.spectrogram(200)[:, :known], early[:, :known])


def test_dropped_frames_are_gone_and_the_rest_stays() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    stream, whole = LogMel(), log_mel(audio, 300)
    stream.push(audio[:20_000])
    stream.drop(50)
    stream.push(audio[20_000:])
    np.testing.assert_allclose(stream.spectrogram(200)[:, :149], whole[:, 50:199], atol=1e-5)
