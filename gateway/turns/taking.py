"""Whose turn it is: what a window of the microphone's sound means for the conversation. Pure: times are arguments.

While the portrait is silent, speech makes turns. While it thinks or speaks, speech first *holds* it, because that must
be quick and can be taken back: 64 ms of speech are enough. Then it is decided whether the person takes the turn
(`INTERRUPTED`), or whether it was a cough or an "mhm" (`RELEASED`). What was short is `DOUBTED`: whoever can read
words says by `judged` whether there were any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from gateway.turns.endpointing import Endpointer, EndpointingOptions, TurnEvent


class Event(Enum):
    STARTED = auto()  # the person has begun to speak
    PAUSED = auto()  # a short silence: the turn may be over
    RESUMED = auto()  # the person went on after it
    ENDED = auto()  # the turn is over
    DISCARDED = auto()  # it was too short to be speech: a cough, a click
    HELD = auto()  # somebody speaks while the portrait is busy: it falls silent
    DOUBTED = auto()  # it was short: were there words?
    RELEASED = auto()  # it was nothing: the portrait goes on
    INTERRUPTED = auto()  # it is the person's turn now; it began where the endpointer says


@dataclass(frozen=True)
class TakingOptions:
    """Thresholds are probabilities, the rest is seconds."""

    clear: float = 0.5  # speech that counts while the portrait is busy
    quiet: float = 0.35  # below it nobody speaks
    hold: float = 0.06  # two windows of clear speech hold the portrait
    interrupt: float = 0.4  # this much clear speech takes the turn, whatever it says
    doubt: float = 0.2  # of silence after less than that


class TurnTaking:
    def __init__(self, options: EndpointingOptions | None = None, taking: TakingOptions | None = None) -> None:
        self.endpointer = Endpointer(options)
        self.options = taking or TakingOptions()
        self.held = False
        self._busy = False
        self._asked = False  # whether there were words
        self._run = 0.0  # clear speech in a row, while not held
        self._loud = 0.0  # clear speech since it was held
        self._last = 0.0  # when it was clear last

    @property
    def listening(self) -> bool:
        """Whether what is heard belongs to a turn, or may."""
        return self.endpointer.in_turn and (self.held or not self._busy)

    def push(self, probability: float, begin: float, end: float, busy: bool) -> list[Event]:
        """What the window from `begin` to `end` changes; `busy`: the portrait thinks or speaks."""
        events = self._portrait(busy)
        event = self.endpointer.push(probability, begin, end)
        if not busy:
            return events + ([_EVENTS[event]] if event is not None else [])
        clear = probability > self.options.clear
        if not self.held:
            self._run = self._run + end - begin if clear else 0.0
            if self._run >= self.options.hold:
                self.held, self._asked = True, False
                self._loud, self._last, self._run = self._run, end, 0.0
                events.append(Event.HELD)
            return events
        if clear:
            self._loud += end - begin
            self._last = end
        if self._loud >= self.options.interrupt and self.endpointer.in_turn:
            return [*events, self._interrupt()]
        if not self._asked and end - self._last >= self.options.doubt:
            if not self.endpointer.in_turn or self.endpointer.spoken < self.endpointer.options.min_speech:
                return [*events, self._release()]
            self._asked = True
            events.append(Event.DOUBTED)
        return events

    def judged(self, words: bool) -> list[Event]:
        """The answer to `DOUBTED`."""
        if not (self.held and self._asked):
            return []
        if not words:
            return [self._release()]
        return [self._interrupt(), Event.PAUSED]

    def finish(self) -> list[Event]:
        """The microphone was switched off: a running turn ends where it stands."""
        if self.held:
            return [self._release()]
        event = self.endpointer.finish()
        return [] if event is None or self._busy else [_EVENTS[event]]

    def _portrait(self, busy: bool) -> list[Event]:
        was, self._busy = self._busy, busy
        if was and not busy:
            self._run = 0.0
            if self.held:  # it has ended by itself: who was speaking has the turn
                self.held = False
                return [Event.STARTED] if self.endpointer.in_turn else []
            if self.endpointer.in_turn:  # soft speech, or an echo: nobody's turn
                self.endpointer.cancel()
        return []

    def _interrupt(self) -> Event:
        self.held = self._asked = self._busy = False
        return Event.INTERRUPTED

    def _release(self) -> Event:
        self.held = self._asked = False
        self.endpointer.cancel()
        return Event.RELEASED


_EVENTS = {event: Event[event.name] for event in TurnEvent}
