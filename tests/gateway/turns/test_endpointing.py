"""Endpointing without a clock: windows of 32 ms go in, events come out."""

from __future__ import annotations

import pytest

from gateway.turns import Endpointer, EndpointingOptions, TurnEvent

WINDOW = 0.032


class Stream:
    """Feeds an endpointer and keeps (event, time)."""

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        self.endpointer = Endpointer(options)
        self.now = 0.0
        self.events: list[tuple[TurnEvent, float]] = []

    def feed(self, probability: float, seconds: float) -> Stream:
        for _ in range(round(seconds / WINDOW)):
            event = self.endpointer.push(probability, self.now, self.now + WINDOW)
            self.now += WINDOW
            if event is not None:
                self.events.append((event, self.now))
        return self

    @property
    def kinds(self) -> list[TurnEvent]:
        return [event for event, _ in self.events]


def test_a_turn_starts_pauses_and_ends() -> None:
    stream = Stream().feed(0.01, 1.0).feed(0.9, 1.0).feed(0.02, 1.0)
    assert stream.kinds == [TurnEvent.STARTED, TurnEvent.PAUSED, TurnEvent.ENDED]
    started, paused, ended = (at for _, at in stream.events)
    speech_began, speech_ended = 31 * WINDOW, 62 * WINDOW
    assert started == pytest.approx(speech_began + 0.096)
    assert stream.endpointer.start == pytest.approx(speech_began - 0.3)
    assert stream.endpointer.end == pytest.approx(speech_ended)
    pause = stream.endpointer.options.pause
    assert pause <= paused - speech_ended < pause + WINDOW + 1e-6
    assert 0.5 <= ended - speech_ended < 0.5 + WINDOW + 1e-6


def test_going_on_after_a_pause_is_one_turn() -> None:
    stream = Stream().feed(0.9, 0.5).feed(0.1, 0.3).feed(0.9, 0.5).feed(0.1, 0.6)
    assert stream.kinds == [
        TurnEvent.STARTED,
        TurnEvent.PAUSED,
        TurnEvent.RESUMED,
        TurnEvent.PAUSED,
        TurnEvent.ENDED,
    ]


def test_hysteresis_keeps_a_soft_ending_within_the_turn() -> None:
    stream = Stream().feed(0.9, 0.5).feed(0.4, 2.0)
    assert stream.kinds == [TurnEvent.STARTED]


def test_doubtful_sound_does_not_resume_a_paused_turn() -> None:
    stream = Stream().feed(0.9, 0.5).feed(0.1, 0.25).feed(0.4, 0.3)
    assert stream.kinds == [TurnEvent.STARTED, TurnEvent.PAUSED, TurnEvent.ENDED]


def test_doubtful_sound_starts_nothing() -> None:
    assert Stream().feed(0.45, 3.0).kinds == []


def test_two_windows_are_no_start() -> None:
    stream = Stream()
    for _ in range(10):
        stream.feed(0.9, 2 * WINDOW).feed(0.1, 2 * WINDOW)
    assert stream.kinds == []


def test_a_cough_is_discarded() -> None:
    stream = Stream().feed(0.9, 4 * WINDOW).feed(0.1, 1.0)
    assert stream.kinds[-1] is TurnEvent.DISCARDED


def test_a_turn_is_ended_at_its_longest() -> None:
    stream = Stream(EndpointingOptions(max_turn=5.0)).feed(0.9, 6.0)
    assert stream.kinds[:2] == [TurnEvent.STARTED, TurnEvent.ENDED]
    assert stream.events[1][1] == pytest.approx(5.0, abs=2 * WINDOW)


def test_who_speaks_on_after_the_longest_turn_is_not_heard_twice() -> None:
    stream = Stream(EndpointingOptions(max_turn=5.0))
    while TurnEvent.ENDED not in stream.kinds:
        stream.feed(0.9, WINDOW)
    ended = stream.endpointer.end
    stream.feed(0.9, 0.3)
    assert stream.endpointer.in_turn and stream.endpointer.start == ended


def test_the_first_turn_cannot_begin_before_the_stream() -> None:
    assert Stream().feed(0.9, 0.2).endpointer.start == 0.0


def test_switching_the_microphone_off_ends_a_turn() -> None:
    stream = Stream().feed(0.9, 0.5)
    assert stream.endpointer.finish() is TurnEvent.ENDED
    assert stream.endpointer.finish() is None


def test_patience_can_be_changed_while_it_is_silent_and_holds_for_one_pause() -> None:
    stream = Stream().feed(0.9, 1.0).feed(0.01, 0.2)
    stream.endpointer.patience = 1.2
    assert stream.feed(0.01, 0.9).kinds[-1] is TurnEvent.PAUSED
    stream.feed(0.9, 0.3)
    assert stream.endpointer.patience == stream.endpointer.options.silence
    stream.feed(0.01, 0.2)
    stream.endpointer.patience = 0.3
    ended = stream.feed(0.01, 0.15).events[-1]
    assert ended[0] is TurnEvent.ENDED


def test_no_patience_is_longer_than_the_longest() -> None:
    stream = Stream().feed(0.9, 1.0).feed(0.01, 0.2)
    stream.endpointer.patience = 60
    assert stream.feed(0.01, 1.4).kinds[-1] is TurnEvent.ENDED


def test_a_turn_can_go_on_from_an_earlier_one_and_is_still_bounded() -> None:
    stream = Stream().feed(0.9, 1.0).feed(0.01, 1.0).feed(0.9, 0.5)
    stream.endpointer.reopen(0.0)
    assert stream.endpointer.start == 0
    stream.endpointer.reopen(-100)
    assert stream.endpointer.start == stream.endpointer.end - stream.endpointer.options.max_turn


def test_a_cancelled_turn_was_none() -> None:
    stream = Stream().feed(0.9, 1.0)
    stream.endpointer.cancel()
    assert stream.feed(0.01, 2.0).kinds == [TurnEvent.STARTED]
    assert stream.feed(0.9, 0.3).kinds[-1] is TurnEvent.STARTED
