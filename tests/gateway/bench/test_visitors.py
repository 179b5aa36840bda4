from __future__ import annotations

import json

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE
from gateway.bench.crowd import Turn, answer
from gateway.bench.visitors import SOUND_RATE, Seen, spoken


def test_frames_are_counted_by_whole_seconds() -> None:
    seen = Seen(frames=[*np.arange(1000, 2000, 40), *np.arange(2000, 3000, 100), 3500.0])
    assert seen.rates(1000, 3999) == [25, 10]


def test_what_was_noted_in_pieces_is_one() -> None:
    seen = Seen()
    for at in (1.0, 2.0):
        message = json.dumps({"type": "state", "state": "speaking" if at == 2 else "listening"})
        seconds = [{"freezeCount": at, "concealedSamples": 0.0, "silentConcealedSamples": 0.0}]
        seen.add({"frames": [at], "heard": [at], "messages": [[at, message]], "seconds": seconds})
    assert seen.frames == [1.0, 2.0]
    assert seen.grown("freezeCount") == 1 and seen.grown("unknown") == 0
    assert seen.reached("speaking", 0, 10) == 2.0 and seen.reached("speaking", 0, 2) is None


def test_only_sound_that_is_missed_is_a_gap() -> None:
    """Chromium also makes silence up, which nobody hears."""
    missing = [0, 0, SOUND_RATE // 10, SOUND_RATE // 8]
    seconds = [{"concealedSamples": 500.0 + each, "silentConcealedSamples": 500.0} for each in missing]
    assert Seen(seconds=seconds).longest_gap() == pytest.approx(0.1)
    assert Seen().longest_gap() == 0


def test_an_answer_counts_from_the_last_sound_of_its_turn() -> None:
    turn = Turn(0, 1000, 3000)
    assert answer(Seen(heard=[2000.0, 3900.0, 3905.0]), turn) == pytest.approx(0.9)
    assert answer(Seen(heard=[2000.0, 30_000.0]), turn) is None


def test_breath_at_the_edges_is_not_spoken() -> None:
    audio = np.full(LISTENING_RATE, 0.005, np.float32)
    audio[LISTENING_RATE // 4 : LISTENING_RATE // 2] = 0.3
    assert spoken(audio) == (0.25, pytest.approx(0.5, abs=0.001))
