"""Whose turn it is, without a clock: windows of 32 ms go in, events come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.turns import Event, TurnTaking

WINDOW = 0.032


class Stream:
    def __init__(self) -> None:
        self.taking = TurnTaking()
        self.now = 0.0
        self.events: list[tuple[Event, float]] = []

    def feed(self, probability: float, seconds: float, busy: bool = True) -> Stream:
        for _ in range(round(seconds / WINDOW)):
            found = self.taking.push(probability, self.now, self.now + WINDOW, busy)
            self.now += WINDOW
            self.events += [(event, self.now) for event in found]
        return self

    def judge(self, words: bool) -> Stream:
        self.events += [(event, self.now) for event in self.taking.judged(words)]
        return self

    @property
    def kinds(self) -> list[Event]:
        return [event for event, _ in self.events]


def test_who_speaks_into_a_silent_room_has_a_turn() -> None:
    stream = Stream().feed(0.01, 1.0, busy=False).feed(0.9, 1.0, busy=False).feed(0.01, 1.0, busy=False)
    assert stream.kinds == [Event.STARTED, Event.PAUSED, Event.ENDED]


def test_speech_holds_a_busy_portrait_at_once_and_takes_the_turn_after_a_while() -> None:
    stream = Stream().feed(0.01, 1.0)
    begun = stream.now
    while len(stream.events) < 2:
        stream.feed(0.95, WINDOW)
    (held, held_at), (taken, taken_at) = stream.events
    assert (held, taken) == (Event.HELD, Event.INTERRUPTED)
    assert held_at - begun == pytest.approx(2 * WINDOW)
    assert 0.4 <= taken_at - begun < 0.4 + 2 * WINDOW
    assert stream.taking.endpointer.start == pytest.approx(begun - 0.3)
    assert stream.feed(0.95, 0.5, busy=False).feed(0.01, 1.0, busy=False).kinds[2:] == [Event.PAUSED, Event.ENDED]


@pytest.mark.parametrize(("words", "then"), [(False, [Event.RELEASED]), (True, [Event.INTERRUPTED, Event.PAUSED])])
def test_after_something_short_words_decide(words: bool, then: list[Event]) -> None:
    stream = Stream().feed(0.01, 1.0).feed(0.95, 0.25).feed(0.01, 0.4)
    assert stream.kinds == [Event.HELD, Event.DOUBTED]
    assert stream.judge(words).kinds[2:] == then
    assert stream.judge(words).kinds[4 if words else 3 :] == []  # asked once, answered once


def test_a_click_is_let_go_without_asking() -> None:
    assert Stream().feed(0.01, 1.0).feed(0.95, 0.07).feed(0.01, 0.5).kinds == [Event.HELD, Event.RELEASED]


def test_soft_speech_does_not_hold_it() -> None:
    assert Stream().feed(0.45, 3.0).feed(0.01, 1.0).kinds == []


def test_one_loud_window_is_no_speech() -> None:
    stream = Stream()
    for _ in range(20):
        stream.feed(0.95, WINDOW).feed(0.1, 2 * WINDOW)
    assert stream.kinds == []


def test_who_was_speaking_when_the_portrait_ended_has_the_turn() -> None:
    stream = Stream().feed(0.01, 0.5).feed(0.95, 0.2)
    assert stream.kinds == [Event.HELD] and stream.taking.listening
    assert stream.feed(0.95, 0.3, busy=False).kinds == [Event.HELD, Event.STARTED]


def test_an_echo_that_did_not_hold_it_is_nobodys_turn() -> None:
    stream = Stream().feed(0.01, 0.5)
    stream.taking.endpointer.push(0.9, 0.5, 0.7)  # as from windows that were too soft to count
    stream.feed(0.4, 0.2).feed(0.01, 1.0, busy=False)
    assert stream.kinds == [] and not stream.taking.listening


def test_the_microphone_switched_off_lets_a_held_portrait_go() -> None:
    stream = Stream().feed(0.95, 0.2)
    assert stream.taking.finish() == [Event.RELEASED]
    assert Stream().feed(0.95, 0.5, busy=False).taking.finish() == [Event.ENDED]
    assert Stream().taking.finish() == []


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from([None, True, False])), max_size=300))
def test_every_hold_ends_before_the_next(windows: list[tuple[float, bool, bool | None]]) -> None:
    stream, held = Stream(), False
    for probability, busy, words in windows:
        before = len(stream.events)
        stream.feed(probability, WINDOW, busy)
        if words is not None:
            stream.judge(words)
        held = held and busy  # a portrait that has ended is not held
        for event in stream.kinds[before:]:
            if event is Event.HELD:
                assert not held
                held = True
            elif event in (Event.RELEASED, Event.INTERRUPTED):
                assert held
                held = False
        assert stream.taking.held is held
