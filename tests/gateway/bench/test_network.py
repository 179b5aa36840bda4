"""When something was heard, and how old it was then."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from gateway.bench.network import BLOCK_SECONDS, Numbered, Talk, ages


def test_a_recording_s_clock_is_that_of_its_least_late_blocks() -> None:
    """And it stands still with the loudspeaker, half a second in the middle here."""
    lateness = np.random.default_rng(1).uniform(0, 0.2, 200)
    lateness[::5] = 0
    told = 1000 + BLOCK_SECONDS * np.arange(1, 201) + lateness
    told[100:] += 0.5
    talk = Talk(cast(Any, None), None, cast(Any, None), _told=list(told))
    at = np.array([1.0, 10.0, 40.0, 51.0])
    assert talk.when(at) == pytest.approx(1000 + at + [0, 0, 0.5, 0.5])
    assert np.ptp(talk.began) == pytest.approx(0.5)


def test_the_age_of_a_slot_is_told_by_its_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [(100 + 0.04 * slot, slot) for slot in range(200)]
    monkeypatch.setattr(Numbered, "left", left)
    heard, numbers = np.array([100.3, 104.4, 107.0]), np.array([0, 100, 170]) % 32
    assert ages(heard, numbers) == pytest.approx([0.3, 0.4, 0.2])
    assert len(ages(np.array([99.0]), np.array([0]))) == 0
