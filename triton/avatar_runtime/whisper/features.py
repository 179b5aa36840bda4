"""Whisper's log-mel spectrogram in NumPy.

Equal to openai/whisper ``audio.py`` (MIT): 16 kHz, Hann window of 400 samples, hop 160, reflected ends, power
spectrum, Slaney mel filters (80 bands, 128 for large-v3 and turbo), log10 of at least 1e-10, floor 8 below the maximum,
(x + 4) / 4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE

FFT = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms
FRAMES_PER_SECOND = LISTENING_RATE // HOP  # 100
FRAMES_PER_POSITION = 2  # the encoder's second convolution has stride 2
POSITIONS_PER_SECOND = FRAMES_PER_SECOND // FRAMES_PER_POSITION  # 50
WINDOW_SECONDS = 30  # what the encoder was trained on
WINDOW_FRAMES = WINDOW_SECONDS * FRAMES_PER_SECOND  # 3000
SILENCE = -10.0  # log10 of the least power


def _hz_to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above."""
    linear = hertz / (200.0 / 3)
    return np.where(hertz >= 1000, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27), linear)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel >= 15, 1000 * np.exp((np.log(6.4) / 27) * (mel - 15)), mel * (200.0 / 3))


@lru_cache(maxsize=2)
def mel_filters(bands: int) -> NDArray[np.float32]:
    """Triangular filters [bands, 201] of equal area, as ``librosa.filters.mel(sr=16000, n_fft=400)`` makes them."""
    bins = np.fft.rfftfreq(FFT, 1 / LISTENING_RATE)
    ends = _hz_to_mel(np.array([0.0, LISTENING_RATE / 2]))
    edges = _mel_to_hz(np.linspace(ends[0], ends[1], bands + 2))
    width = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    rising, falling = -ramps[:-2] / width[:-1, None], ramps[2:] / width[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    return np.hanning(FFT + 1)[:-1].astype(np.float32)  # periodic, as torch.hann_window


def log_mel(audio: NDArray[np.float32], frames: int, bands: int = 80) -> NDArray[np.float32]:
    """The spectrogram [bands, frames] of `audio` (16 kHz, -1..1), cut or padded with silence to `frames` of 10 ms."""
    samples = frames * HOP
    padded = np.zeros(samples + FFT, dtype=np.float32)
    half = FFT // 2
    body = audio[:samples]
    padded[half : half + len(body)] = body
    padded[:half] = padded[half + 1 : FFT + 1][::-1]  # reflected, as torch.stft(center=True) does
    padded[-half:] = padded[-FFT - 1 : -half - 1][::-1]
    used = min(frames, -(-(len(body) + half) // HOP))  # later frames are silent: no need to transform them
    mel = np.full((bands, frames), SILENCE, dtype=np.float32)
    mel[:, :used] = _logarithms(padded, used, bands)
    return _scaled(mel)


def _logarithms(padded: NDArray[np.float32], frames: int, bands: int) -> NDArray[np.float32]:
    """log10 of the mel power [bands, frames] in the windows that begin at every HOP of `padded`."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:frames]
    spectrum = np.fft.rfft(windows * _hann(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.log10(np.maximum(mel_filters(bands) @ power.T, np.float32(10.0**SILENCE)))  # type: ignore[no-any-return]


def _scaled(logarithms: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the encoder hears; the floor depends on the loudest of all that is heard at once."""
    return (np.maximum(logarithms, logarithms.max() - 8.0) + 4.0) / 4.0


class LogMel:
    """The spectrogram of a stream: each sample is transformed once, however often what is known is looked at.

    A frame needs 200 samples (12.5 ms) on either side of its own place; until they are there it is not certain.
    """

    def __init__(self, bands: int = 80) -> None:
        self._bands = bands
        self._waiting = np.zeros(0, np.float32)  # from 200 samples before the next frame on
        self._begun = False
        self._certain = np.zeros((bands, 0), np.float32)  # logarithms

    @property
    def frames(self) -> int:
        """How many are certain, less those that were dropped."""
        return self._certain.shape[1]

    def push(self, audio: NDArray[np.float32]) -> int:
        """Append `audio` (16 kHz, -1..1): how many frames became certain."""
        self._waiting = np.concatenate([self._waiting, audio])
        half = FFT // 2
        if not self._begun:
            if len(self._waiting) <= half:
                return 0
            self._waiting, self._begun = self._reflected(self._waiting), True
        fresh = max(0, (len(self._waiting) - FFT) // HOP + 1)
        if fresh:
            more = _logarithms(self._waiting, fresh, self._bands)
            self._certain = np.concatenate([self._certain, more], axis=1)
            self._waiting = self._waiting[fresh * HOP :].copy()
        return fresh

    def drop(self, frames: int) -> None:
        """Forget the first of the certain frames, so that a long stream stays small."""
        self._certain = self._certain[:, frames:].copy()

    def spectrogram(self, frames: int, until: int | None = None) -> NDArray[np.float32]:
        """What is not dropped, of which `until` frames at most, padded with silence to `frames` [bands, frames].

        Equal to `log_mel` of all that was pushed, when nothing was dropped and `frames` holds it.
        """
        mel = np.full((self._bands, frames), SILENCE, np.float32)
        known = min(self.frames, frames, frames if until is None else until)
        mel[:, :known] = self._certain[:, :known]
        if known == until:
            return _scaled(mel)
        begun = self._waiting if self._begun else self._reflected(np.pad(self._waiting, (0, FFT)))
        left = min(frames - known, -(-len(begun) // HOP))
        if left > 0:
            tail = np.zeros((frames - known) * HOP + FFT, np.float32)
            tail[: min(len(begun), len(tail))] = begun[: len(tail)]
            half = FFT // 2
            tail[-half:] = tail[-FFT - 1 : -half - 1][::-1]
            mel[:, known : known + left] = _logarithms(tail, left, self._bands)
        return _scaled(mel)

    @staticmethod
    def _reflected(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([audio[1 : FFT // 2 + 1][::-1], audio])
