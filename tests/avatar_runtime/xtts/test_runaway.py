"""What counts as running on."""

from __future__ import annotations

import numpy as np

from avatar_runtime.xtts.runaway import FEWEST, PER_CHARACTER, QUIET_SECONDS, RECENT, SPARE, Watch


def test_an_ordinary_utterance_passes() -> None:
    watch, random = Watch(60, 600), np.random.default_rng(0)
    assert not any(watch.code(int(code)) for code in random.integers(0, 1024, 100))
    assert not any(watch.sound(0.3, 1.0) for _ in range(5))


def test_no_stop_is_noticed_long_before_the_network_ends() -> None:
    watch = Watch(10, 600)
    found = [watch.code(index % 1000) for index in range(200)]
    assert found.index("no stop") == SPARE + round(PER_CHARACTER * 10) - 1
    assert Watch(1000, 300).limit == 300


def test_a_stuck_voice_is_noticed() -> None:
    watch = Watch(200, 600)
    found = [watch.code(index % FEWEST) for index in range(RECENT)]
    assert found[-1] == "repeated codes" and not any(found[:-1])
    lively = Watch(200, 600)
    assert not any(lively.code(index % (FEWEST + 1)) for index in range(RECENT))


def test_silence_without_end_is_noticed_and_a_pause_is_not() -> None:
    watch = Watch(200, 600)
    assert not watch.sound(0.0, QUIET_SECONDS - 0.1)
    assert not watch.sound(0.2, 1.0)
    assert not watch.sound(0.0, QUIET_SECONDS / 2)
    assert watch.sound(0.0, QUIET_SECONDS / 2) == "silence"
