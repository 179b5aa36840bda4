"""Endpointing: from speech probabilities to the beginning and the end of a person's turn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class TurnEvent(Enum):
    """What a window of audio can mean for the turn."""

    STARTED = auto()  # the person has begun to speak
    PAUSED = auto()  # a short silence: the turn may be over, so transcribing may begin
    RESUMED = auto()  # the person went on after a pause: what was begun at the pause is worthless
    ENDED = auto()  # the turn is over
    DISCARDED = auto()  # it was too short to be speech: a cough, a click


@dataclass(frozen=True)
class EndpointingOptions:
    """Thresholds are probabilities, the rest is seconds."""

    start: float = 0.5  # speech begins above it
    stop: float = 0.35  # silence is below it; between the two nothing changes (hysteresis)
    confirm: float = 0.09  # this much speech in a row starts a turn: three windows of 32 ms
    pre_roll: float = 0.3  # audio kept from before the first window of speech, for soft consonants
    pause: float = 0.09  # three windows: what was said so far is looked at, in case that was all
    silence: float = 0.5  # ends a turn of which nobody knows whether it is complete
    longest: float = 1.5  # ends any
    min_speech: float = 0.16  # less speech than this in a whole turn is a cough
    max_turn: float = 30.0  # a longer turn is ended where it stands


class Endpointer:
    """One stream of speech probabilities, window after window. Times are seconds of the stream."""

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        self.options = options or EndpointingOptions()
        self.start = 0.0  # of the current or last turn, pre-roll included
        self.end = 0.0  # end of the last window of speech in it
        self.in_turn = False
        self.patience = self.options.silence  # how long a silence ends the turn: whoever knows more may change it
        self._paused = False
        self._spoken = 0.0  # speech in this turn so far
        self._run: float | None = None  # where the present run of speech before a turn began

    def push(self, probability: float, begin: float, end: float) -> TurnEvent | None:
        """What the window of audio from `begin` to `end` with this probability of speech changes."""
        if not self.in_turn:
            return self._wait(probability, begin, end)
        if probability > self.options.start or (probability >= self.options.stop and not self._paused):
            self._spoken += end - begin if probability > self.options.start else 0.0
            self.end = end
            if end - self.start >= self.options.max_turn:
                return self._finish()
            if self._paused:
                self._paused, self.patience = False, self.options.silence
                return TurnEvent.RESUMED
            return None
        silence = end - self.end
        if silence >= min(self.patience, self.options.longest) or end - self.start >= self.options.max_turn:
            return self._finish()
        if silence >= self.options.pause and not self._paused:
            self._paused = True
            return TurnEvent.PAUSED
        return None

    @property
    def paused(self) -> bool:
        """Whether the person in turn is silent for a while."""
        return self.in_turn and self._paused

    @property
    def spoken(self) -> float:
        """Seconds of clear speech in this turn."""
        return self._spoken

    def reopen(self, start: float) -> None:
        """The running turn began at `start`: it goes on from one that had seemed to be over."""
        self.start = max(start, self.end - self.options.max_turn)

    def cancel(self) -> None:
        """Forget the running turn: it was none."""
        self.in_turn = self._paused = False

    def finish(self) -> TurnEvent | None:
        """End a running turn now, as when the microphone is switched off."""
        return self._finish() if self.in_turn else None

    def _wait(self, probability: float, begin: float, end: float) -> TurnEvent | None:
        if probability <= self.options.start:
            self._run = None
            return None
        if self._run is None:
            self._run = begin
        if end - self._run < self.options.confirm:
            return None
        # After a turn that was ended at its longest the person may still be speaking: nothing is heard twice.
        self.start = max(self.end, self._run - self.options.pre_roll)
        self.end = end
        self._spoken = end - self._run
        self.in_turn, self._paused, self._run = True, False, None
        self.patience = self.options.silence
        return TurnEvent.STARTED

    def _finish(self) -> TurnEvent:
        self.in_turn = self._paused = False
        return TurnEvent.ENDED if self._spoken >= self.options.min_speech else TurnEvent.DISCARDED
