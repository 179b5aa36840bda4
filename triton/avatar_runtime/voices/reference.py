"""Is a recording fit to clone a voice from? If so it is trimmed and levelled; if not, the person hears what to record.

Everything is measured against what the voice-activity network (`avatar_runtime.vad`) takes for speech: its level, how
far it stands above what sounds between the words, and how much of it there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from avatar_runtime.audio import checked
from avatar_runtime.contracts import (
    LISTENING_RATE,
    MAX_REFERENCE_SECONDS,
    REFERENCE_SECONDS,
    SPEAKING_RATE,
    VAD_WINDOW,
    AvatarError,
    Code,
)
from avatar_runtime.vad import SileroNetwork
from avatar_runtime.voices.sound import LOUDNESS

WINDOW: Final = VAD_WINDOW * SPEAKING_RATE // LISTENING_RATE  # 768 samples, 32 ms
WINDOW_SECONDS: Final = WINDOW / SPEAKING_RATE

SPEECH: Final = 0.5  # probability, as Silero's own examples take it
PAUSE: Final = 0.4  # s; a shorter gap between words belongs to the speech
BLIP: Final = 0.1  # s; shorter speech is a click or a cough
MARGIN: Final = 0.15  # s kept around the speech: onsets and endings are quiet

SILENT: Final = 10 ** (-60 / 20)  # RMS of the loudest window
QUIET: Final = 10 ** (-45 / 20)  # RMS of speech below which a microphone's own noise takes over
MIN_SNR: Final = 15.0  # dB between speech and what sounds in its pauses
MIN_SHARE: Final = 0.35  # of the time between the first and the last word is spoken
QUIETEST: Final = 5  # per cent of the windows: the noise of somebody who makes no pause
MIN_PAUSES: Final = 8  # windows that say what noise there is

FLAT: Final = 0.97  # of the peak; resampling makes clipped tops wavy
MAX_FLAT: Final = 0.002  # share of the samples of speech up there; clean speech has a twentieth of that

PEAK: Final = 0.95  # full scale, that levelling never passes

Samples = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Measures:
    """What was found: seconds, RMS (full scale 1), decibels, a share of samples."""

    speech: float  # s
    level: float  # RMS of the speech
    snr: float  # dB
    flat: float  # share of samples at the peak

    def check(self) -> None:
        """`invalid_audio` with one sentence when no voice can be cloned from this."""
        shortest, _ = REFERENCE_SECONDS
        if self.level < QUIET:
            raise _refusal("The voice is too quiet: come closer to the microphone, or turn it up, and record again.")
        if self.flat > MAX_FLAT:
            raise _refusal("The voice is overdriven: turn the microphone down, or step back, and record again.")
        if self.speech < shortest:
            raise _refusal(
                f"Only {self.speech:.1f} seconds of speech were found: record one person speaking for 10 to 20 seconds."
            )
        if self.snr < MIN_SNR:
            raise _refusal("There is noise or music behind the voice: record in a quiet room, close to the microphone.")


def check(audio: NDArray[np.floating], vad: SileroNetwork) -> Samples:
    """The speech in `audio` (mono [n], SPEAKING_RATE), without silence at its ends, at an even level.

    Costs 3 ms a second of audio on one core. Raises `invalid_audio` with one sentence that says what to record instead.
    """
    if audio.size > MAX_REFERENCE_SECONDS * SPEAKING_RATE:  # before anything is computed
        raise _refusal("The recording is too long: record one person speaking for 10 to 20 seconds.")
    samples = checked(audio, SPEAKING_RATE, MAX_REFERENCE_SECONDS)
    samples = np.clip(samples, -1.0, 1.0)
    samples = samples - samples.mean(dtype=np.float64).astype(np.float32)
    windows = in_windows(samples)
    if _level(windows).max() < SILENT:
        raise _refusal("The recording is silent: see that the microphone is switched on, and record again.")
    spoken = speech_windows(samples, vad)
    if not spoken.any():
        raise _refusal("Nobody is heard speaking: record one person's voice, without music, for 10 to 20 seconds.")
    first, last = (int(index) for index in np.flatnonzero(spoken)[[0, -1]])
    found = measure(windows, spoken)
    found.check()
    if found.speech < MIN_SHARE * (last + 1 - first) * WINDOW_SECONDS:
        raise _refusal("There is more pause than speech: record one person speaking without long breaks.")
    margin = round(MARGIN * SPEAKING_RATE)
    kept = samples[max(0, first * WINDOW - margin) : (last + 1) * WINDOW + margin]
    if kept.size > REFERENCE_SECONDS[1] * SPEAKING_RATE:
        raise _refusal(f"This is more than {REFERENCE_SECONDS[1]:g} seconds of speech: 10 to 20 seconds are enough.")
    gain = min(LOUDNESS / found.level, PEAK / float(np.abs(kept).max()))
    return (kept * np.float32(gain)).astype(np.float32)


def in_windows(samples: Samples) -> Samples:
    """`samples` as [k, WINDOW], the last one filled up with silence."""
    return np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)


def speech_windows(samples: Samples, vad: SileroNetwork) -> Mask:
    """For each window of 32 ms whether somebody speaks; short gaps are closed, blips dropped.

    The network hears the recording levelled, so that a quiet voice is refused for being quiet and not for being absent.
    """
    loud = samples * np.float32(0.5 / max(float(np.abs(samples).max()), 1e-9))
    heard = vad.speech(soxr.resample(loud, SPEAKING_RATE, LISTENING_RATE).astype(np.float32))
    count = -(-len(samples) // WINDOW)
    spoken = np.zeros(count, np.bool_)
    spoken[: min(count, len(heard))] = heard[:count] > SPEECH
    spoken = ~_drop_short(~spoken, PAUSE, inside=True)
    return _drop_short(spoken, BLIP)


def measure(windows: Samples, spoken: Mask) -> Measures:
    """Level, noise and clipping of what is spoken in `windows` [k, WINDOW]."""
    power = np.square(_level(windows))
    voice = float(power[spoken].mean())
    # A window beside speech holds the end of a word.
    near = np.convolve(spoken, np.ones(5), "same") > 0
    pauses = power[~near]
    noise = float(np.median(pauses)) if pauses.size >= MIN_PAUSES else float(np.percentile(power, QUIETEST))
    snr = 10 * np.log10(max(voice - noise, 1e-12) / max(noise, 1e-12))
    words = windows[spoken].reshape(-1)
    return Measures(float(spoken.sum()) * WINDOW_SECONDS, voice**0.5, float(snr), max(_flat(words), _flat(-words)))


def _flat(samples: Samples) -> float:
    """The share of samples within 3 % of the highest: few in speech, many where tops were cut off."""
    return float(np.mean(samples > FLAT * samples.max(initial=0.0)))


def _level(windows: Samples) -> NDArray[np.float64]:
    """The RMS of each window."""
    return np.sqrt(np.square(windows, dtype=np.float64).mean(axis=1))


def _drop_short(mask: Mask, seconds: float, inside: bool = False) -> Mask:
    """`mask` without runs shorter than `seconds`; with `inside`, those that touch an end stay."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    kept = mask.copy()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if (end - start) * WINDOW_SECONDS < seconds and not (inside and (start == 0 or end == len(mask))):
            kept[start:end] = False
    return kept


def _refusal(sentence: str) -> AvatarError:
    return AvatarError(Code.INVALID_AUDIO, sentence)
