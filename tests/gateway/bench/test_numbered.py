"""Sound that tells its number: what is lost, repeated, late or silent is found, to a window's length."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from avatar_runtime.contracts import SPEAKING_RATE
from gateway.bench.numbered import HEARD_RATE, TONES, Audio, gaps, listen, longest_silence, news, sound

SLOT = 640  # samples at HEARD_RATE


def sent(slots: int) -> Audio:
    pcm = np.concatenate([sound(slot) for slot in range(slots)]).astype(np.float32) / 32768
    return soxr.resample(pcm, SPEAKING_RATE, HEARD_RATE).astype(np.float32)


def test_every_slot_is_heard_and_nothing_is_missing() -> None:
    heard = listen(sent(100))
    known = news(heard)
    assert list(known[:, 1]) == list(range(100))
    assert gaps(known).max() <= 0.015
    assert longest_silence(heard) == 0


def test_the_tones_are_all_different_and_neighbours_far_apart() -> None:
    slots = [sound(slot) for slot in range(TONES)]
    assert len({slot.tobytes() for slot in slots}) == TONES
    assert sound(TONES).tobytes() == slots[0].tobytes()


@pytest.mark.parametrize("seconds", [0.2, 0.4, 3.0])
def test_a_repetition_is_nothing_new(seconds: float) -> None:
    """As a receiver conceals: the last sound again and again, then on with what is due by then."""
    audio = sent(200)
    first, count = 50 * SLOT, int(seconds * HEARD_RATE)
    audio[first : first + count] = np.resize(audio[first - SLOT : first], count)
    heard = listen(audio)
    assert gaps(news(heard)).max() == pytest.approx(seconds, abs=0.02)
    assert longest_silence(heard) == 0


def test_silence_is_a_gap_and_silence() -> None:
    audio = sent(100)
    audio[20 * SLOT : 30 * SLOT] = 0
    heard = listen(audio)
    assert gaps(news(heard)).max() == pytest.approx(0.4, abs=0.02)
    assert longest_silence(heard) == pytest.approx(0.4, abs=0.03)


def test_a_delay_that_grows_is_a_gap_of_as_much() -> None:
    """A jitter buffer that waits: what comes after is the next slot, late."""
    audio = sent(100)
    audio = np.concatenate([audio[: 50 * SLOT], np.zeros(4800, np.float32), audio[50 * SLOT :]])
    known = news(listen(audio))
    assert list(known[:, 1]) == list(range(100))
    assert gaps(known).max() == pytest.approx(0.3, abs=0.02)


def test_slots_that_never_come_are_missing() -> None:
    audio = sent(100)
    known = news(listen(np.concatenate([audio[: 50 * SLOT], audio[55 * SLOT :]])))
    assert list(known[:, 1]) == [*range(50), *range(55, 100)]


def test_a_slot_that_is_misread_moves_nothing() -> None:
    audio = sent(100)
    audio[50 * SLOT : 51 * SLOT] = sent(57)[56 * SLOT :]
    known = news(listen(audio))
    assert list(known[:, 1]) == [*range(50), *range(51, 100)]
    assert gaps(known).max() == pytest.approx(0.04, abs=0.015)


def test_noise_tells_no_number() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, HEARD_RATE).astype(np.float32)
    heard = listen(noise)
    assert len(news(heard)) == 0 and not heard.silent.any()
    assert len(news(listen(np.zeros(HEARD_RATE, np.float32)))) == 0
    assert len(news(listen(np.zeros(10, np.float32)))) == 0
