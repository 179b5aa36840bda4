"""Sound that tells its number: which part of what was sent is heard at a moment, and for how long nothing new is. Pure.

Each slot of 40 ms is a tone of its own out of `TONES`, in an order in which neighbours are far apart. What a receiver
makes up for what it has not got is the sound before it once more: it tells an old number, and counts as nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from gateway.playout.timeline import SLOT_SECONDS

TONES = 32
LOWEST, APART = 500.0, 75.0  # Hz; all below 3 kHz, where every codec is at its best
STRIDE = 15  # tones from one slot to the next; and slots from one tone to the next: what is misheard is far off
LEVEL = 0.25  # of full scale
HEARD_RATE = 16_000  # Hz, of what is analysed
WINDOW = 320  # samples, 20 ms: half a slot
HOP = 80  # samples, 5 ms
LEAST = 3  # windows in a row that tell the same number, 15 ms, before it counts
CLEAR = 0.5  # share of a window's energy in its tone, above which it tells a number
SILENT = 0.01  # RMS, -40 dBFS

Audio = NDArray[np.float32]


def tone(slot: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Hz of a slot."""
    return LOWEST + APART * (np.asarray(slot) * STRIDE % TONES)


def sound(slot: int) -> NDArray[np.int16]:
    """What a slot sounds like: 960 samples at 24 kHz."""
    at = np.arange(MOTION_SAMPLES) / SPEAKING_RATE
    return (LEVEL * 32767 * np.sin(2 * np.pi * float(tone(slot)) * at)).astype(np.int16)


@dataclass(frozen=True)
class Heard:
    """What each window of a recording tells; times are s from its start, of the windows' middles."""

    at: NDArray[np.float64]  # [n]
    slot: NDArray[np.int64]  # [n] modulo TONES; -1: none
    silent: NDArray[np.bool_]  # [n]


def listen(audio: Audio) -> Heard:
    """`audio` is [n] at `HEARD_RATE`."""
    padded = np.pad(audio, (0, max(0, WINDOW - len(audio))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    at = np.arange(WINDOW) / HEARD_RATE
    weights = np.hanning(WINDOW)
    basis = np.exp(-2j * np.pi * np.outer(at, tone(np.arange(TONES)))) * weights[:, None]
    slots, silences = [], []
    for part in np.array_split(windows, max(1, len(windows) // 4096)):  # a recording of minutes is large
        power = np.abs(part @ basis) ** 2
        energy = np.sum((part * weights) ** 2, axis=1) * np.sum(weights**2) / 2  # of a pure tone, its own power
        best = np.argmax(power, axis=1)
        silent = np.sqrt(np.mean(part.astype(np.float64) ** 2, axis=1)) < SILENT
        clear = power[np.arange(len(part)), best] > CLEAR * energy
        slots.append(np.where(clear & ~silent, best, -1))
        silences.append(silent)
    times = (np.arange(len(windows)) * HOP + WINDOW / 2) / HEARD_RATE
    return Heard(times, np.concatenate(slots), np.concatenate(silences))


def readings(heard: Heard) -> list[tuple[float, int]]:
    """When (s) which number was told: by `LEAST` windows in a row, and next to the number before or after it.

    A coder's artefacts are misread now and then: a number that stands alone is none.
    """
    edges = np.flatnonzero(np.diff(heard.slot)) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, len(heard.slot)]
    runs = [
        (float(heard.at[start]), int(heard.slot[start]))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= LEAST and heard.slot[start] >= 0
    ]
    follows = [False, *((later - earlier) % TONES in (0, 1) for (_, earlier), (_, later) in pairwise(runs)), False]
    return [run for run, (before, after) in zip(runs, pairwise(follows), strict=False) if before or after]


def news(heard: Heard) -> NDArray[np.float64]:
    """[n, 2]: when (s) a slot was heard that is later than all before it, and its number from the first one on.

    Of numbers that sound alike, the one that is nearest to where the talk should be now; one sound that goes on and on
    stays what it was.
    """
    found: list[tuple[float, int]] = []
    before = -1
    for at, slot in readings(heard):
        if found and slot != before:
            when, newest = found[-1]
            expected = newest + (at - when) / SLOT_SECONDS
            number = slot + TONES * round((expected - slot) / TONES)
            if number > newest:
                found.append((at, number))
        elif not found:
            found.append((at, slot))
        before = slot
    return np.array(found).reshape(-1, 2)


def gaps(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """s without anything new after each of the news, beyond the 40 ms that a slot lasts; never negative."""
    return np.maximum(np.diff(known[:, 0]) - SLOT_SECONDS, 0.0)


def longest_silence(heard: Heard) -> float:
    """s, of what stays below -40 dBFS."""
    longest = run = 0
    for silent in heard.silent:
        run = run + 1 if silent else 0
        longest = max(longest, run)
    return longest * HOP / HEARD_RATE
