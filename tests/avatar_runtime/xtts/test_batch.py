"""Many utterances in one step: each gets its own codes, whoever comes and goes, and nobody waits for ever."""

from __future__ import annotations

import queue
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from avatar_runtime.xtts.batch import MOST, Batch, Utterance
from avatar_runtime.xtts.sampling import Sampling

CODES, STOP = 50, 49
BROKEN = 35  # behind it the network's numbers are not finite


class Counting:
    """A GPT whose row n says n, n + 1, n + 2, …; a code is embedded as itself, and hidden states show row and code."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.steps = 0
        self.widest = 0
        self.broken = False
        self.cleared = threading.Event()
        self.cache = SimpleNamespace(remove=self._remove, clear=self._clear)
        self.gate = threading.Event()
        self.gate.set()

    def _clear(self) -> None:
        self.rows.clear()
        self.cleared.set()

    def _remove(self, row: int) -> None:
        self.rows[row] = self.rows[-1]
        self.rows.pop()

    def _says(self, code: int) -> np.ndarray:
        logits = np.zeros(CODES, np.float32)
        logits[code % CODES] = 100
        if code % CODES == BROKEN:
            logits[:] = np.nan
        return logits

    def add(self, prefix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if prefix[0, 0] < 0:
            raise ValueError("a bad prefix")
        self.rows.append(int(prefix[0, 0]))
        return self._says(self.rows[-1]), np.array([self.rows[-1]], np.float32)

    def step(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.gate.wait()
        if self.broken:
            raise RuntimeError("the GPU fell off the bus")
        assert len(codes) == len(self.rows)
        self.steps += 1
        self.widest = max(self.widest, len(codes))
        return np.stack([self._says(int(code) + 1) for code in codes[:, 0]]), np.array(self.rows, np.float32)[:, None]


class Plain:
    def code(self, code: int, position: int) -> np.ndarray:
        return np.array([code], np.float32)


def utterance(first: int, cancelled: Any = lambda: False, most: int = CODES) -> Utterance:
    return Utterance(
        prefix=np.array([[first]], np.float32),
        sampling=Sampling(temperature=0, repetition_penalty=1),
        random=np.random.default_rng(0),
        stop_code=STOP,
        codes=CODES,
        begun_with=(),
        most=most,
        cancelled=cancelled,
    )


def heard(said: Utterance) -> list[tuple[int, int]]:
    """(code, the row that it came from) until the end."""
    found = []
    while (state := said.states.get(timeout=10)) is not None:
        if isinstance(state, Exception):
            raise state
        found.append((state[0], int(state[1][0])))
    return found


@pytest.fixture
def gpt() -> Counting:
    return Counting()


@pytest.fixture
def batch(gpt: Counting) -> Batch:
    return Batch(gpt, Plain())  # type: ignore[arg-type]


def test_each_hears_its_own_codes_whoever_comes_and_goes(batch: Batch, gpt: Counting) -> None:
    gpt.gate.clear()
    said = {first: utterance(first) for first in (40, 36, 47, 38, 48, 37)}
    for each in said.values():
        batch.give(each)
    gpt.gate.set()
    for first, each in said.items():
        assert heard(each) == [(code, first) for code in range(first, STOP + 1)]
    assert gpt.widest > 2, "they shared steps"


def test_more_than_fit_wait_for_their_turn(batch: Batch, gpt: Counting) -> None:
    said = [utterance(40 + index % 9) for index in range(3 * MOST)]
    for each in said:
        batch.give(each)
    assert all(heard(each)[-1][0] == STOP for each in said)
    assert gpt.widest <= MOST


def test_cancelling_stops_within_a_step(batch: Batch, gpt: Counting) -> None:
    stop = threading.Event()
    first, other = utterance(0, stop.is_set), utterance(36)
    gpt.gate.clear()
    batch.give(first)
    first.states.get(timeout=10)
    batch.give(other)
    stop.set()
    before = gpt.steps
    gpt.gate.set()
    rest = heard(first)
    assert len(rest) <= 2 and gpt.steps - before < STOP
    assert len(heard(other)) == STOP - 36 + 1, "the others go on"


def test_a_reader_who_has_had_enough_ends_it(batch: Batch, gpt: Counting) -> None:
    gpt.gate.clear()
    said = utterance(0)
    batch.give(said)
    said.close()
    gpt.gate.set()
    assert len(heard(said)) <= 2
    assert heard(utterance_given(batch, 45))[-1][0] == STOP


def utterance_given(batch: Batch, first: int) -> Utterance:
    said = utterance(first)
    batch.give(said)
    return said


def test_a_failed_step_is_told_to_all_and_the_next_utterance_is_spoken(batch: Batch, gpt: Counting) -> None:
    gpt.gate.clear()
    said = [utterance_given(batch, first) for first in (0, 5)]
    gpt.broken = True
    gpt.gate.set()
    with pytest.raises(RuntimeError, match="bus"):
        heard(said[0])
    gpt.broken = False
    for each in said[1:]:
        try:
            heard(each)
        except RuntimeError:
            pass
    assert heard(utterance_given(batch, 45))[-1][0] == STOP


def test_a_bad_prefix_is_told_to_its_own_alone(batch: Batch) -> None:
    good, bad = utterance_given(batch, 40), utterance_given(batch, -1)
    with pytest.raises(ValueError, match="bad prefix"):
        heard(bad)
    assert heard(good)[-1][0] == STOP


def test_what_goes_wrong_in_a_row_is_told_to_its_own_alone(batch: Batch, gpt: Counting) -> None:
    gpt.gate.clear()
    bad, good = utterance_given(batch, BROKEN - 2), utterance_given(batch, 36)
    at_once = utterance_given(batch, BROKEN)
    gpt.gate.set()
    for each in (bad, at_once):
        with pytest.raises(FloatingPointError, match="not finite"):
            heard(each)
    assert len(heard(good)) == STOP - 36 + 1


def test_an_utterance_ends_where_positions_do_however_slow_its_reader(batch: Batch, gpt: Counting) -> None:
    """A runaway whose reader is still busy with the first chunk must not take the others with it."""
    gpt.gate.clear()
    runaway, other = utterance(0, most=7), utterance(36)
    batch.give(runaway)
    batch.give(other)
    gpt.gate.set()
    assert len(heard(other)) == STOP - 36 + 1
    assert len(heard(runaway)) == 7


def test_memory_is_given_back_when_the_last_one_has_spoken(batch: Batch, gpt: Counting) -> None:
    assert heard(utterance_given(batch, 45))[-1][0] == STOP
    assert gpt.cleared.wait(10)


def test_a_request_is_not_asked_any_more_once_its_reader_has_closed() -> None:
    """Triton may free after the last answer what a request would ask."""
    asked, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def cancelled() -> bool:
        asked.set()
        go_on.wait(10)
        return closed.is_set()

    said = utterance(0, cancelled)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(said.over))
    asking.start()
    assert asked.wait(10)
    closing = threading.Thread(target=lambda: (said.close(), closed.set()))
    closing.start()
    closing.join(0.1)
    go_on.set()
    asking.join(10)
    closing.join(10)
    assert answers == [False], "close waited for the question on its way"
    asked.clear()
    assert said.over and not asked.is_set()


def test_nothing_is_said_to_who_has_gone_before_their_turn(batch: Batch) -> None:
    assert heard_nothing(batch)


def heard_nothing(batch: Batch) -> bool:
    said = utterance(0, lambda: True)
    batch.give(said)
    try:
        return said.states.get(timeout=10) is None
    except queue.Empty:
        return False
