"""Every utterance that is being spoken takes part in one step of the GPT: a thread of its own keeps stepping them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.xtts.gpt import Gpt, Tables
from avatar_runtime.xtts.sampling import Sampling, choose

Floats = NDArray[np.float32]
log = logging.getLogger("avatar_runtime")

MOST = 32  # utterances in one step; more wait for their turn
WAITING = 64  # requests that wait while so many are spoken; one more is refused


@dataclass(eq=False)
class Utterance:
    """One text on its way to codes. `states` hands out (code, hidden state [w]), None at the end, or an error."""

    prefix: Floats
    sampling: Sampling
    random: np.random.Generator
    stop_code: int
    codes: int  # how many there are: those that were there before count for the repetition penalty
    begun_with: tuple[int, ...]
    most: int  # codes after which it ends, stop or not: positions are embedded only so far
    cancelled: Callable[[], bool]
    states: queue.SimpleQueue[tuple[int, Floats] | Exception | None] = field(default_factory=queue.SimpleQueue)
    closed: bool = False  # whoever reads has had enough
    said: int = 0
    last: int = 0
    seen: NDArray[np.bool_] = field(init=False)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.seen = np.zeros(self.codes, np.bool_)
        self.seen[list(self.begun_with)] = True

    def take(self, logits: Floats, hidden: Floats) -> bool:
        """Chooses the next code and hands it out; whether the utterance goes on."""
        if not np.isfinite(logits).all():
            raise FloatingPointError("the network's numbers are not finite")
        self.last = choose(logits, self.seen, self.sampling, self.random)
        self.seen[self.last] = True
        self.said += 1
        self.states.put((self.last, hidden))
        if self.last == self.stop_code or self.said >= self.most:
            self.states.put(None)
            return False
        return True

    def close(self) -> None:
        """Whoever reads has had enough. When this returns, `cancelled` is asked no more: its request may go."""
        with self._asking:
            self.closed = True

    @property
    def over(self) -> bool:
        """Whether nobody wants to hear more."""
        with self._asking:
            return self.closed or self.cancelled()


class Batch:
    """Owns the GPT. Utterances may be given from any thread."""

    def __init__(self, gpt: Gpt, tables: Tables) -> None:
        self._gpt, self._tables = gpt, tables
        self._waiting: queue.SimpleQueue[Utterance] = queue.SimpleQueue()
        self._rows: list[Utterance] = []
        self._thread = threading.Thread(target=self._run, name="xtts", daemon=True)
        self._thread.start()

    def give(self, utterance: Utterance) -> None:
        self._waiting.put(utterance)

    def _run(self) -> None:
        while True:
            try:
                self._round()
            except Exception as error:  # whoever waits is told, and the next utterance finds a working engine
                log.exception("XTTS: a step failed")
                for row in self._rows:
                    row.states.put(error)
                self._rows.clear()
                self._gpt.cache.clear()

    def _round(self) -> None:
        """Takes in who waits, lets go who is done, and steps the others once."""
        while len(self._rows) < MOST and (not self._rows or not self._waiting.empty()):
            self._enter(self._waiting.get())  # blocks when nobody speaks
        for row in reversed(range(len(self._rows))):
            if self._rows[row].over:
                self._rows[row].states.put(None)
                self._leave(row)
        if not self._rows:
            return
        codes = np.stack([self._tables.code(each.last, each.said) for each in self._rows])
        logits, hidden = self._gpt.step(codes)
        for row in reversed(range(len(self._rows))):
            self._take(row, logits[row], hidden[row])

    def _enter(self, utterance: Utterance) -> None:
        if utterance.over:
            utterance.states.put(None)
            return
        try:
            logits, hidden = self._gpt.add(utterance.prefix)
        except Exception as error:
            log.exception("XTTS: a prefix failed")
            utterance.states.put(error)
            return
        self._rows.append(utterance)
        self._take(len(self._rows) - 1, logits, hidden)

    def _take(self, row: int, logits: Floats, hidden: Floats) -> None:
        """The next code of a row. What goes wrong with it is told to its own reader alone."""
        utterance = self._rows[row]
        try:
            goes_on = utterance.take(logits, hidden)
        except Exception as error:
            log.exception("XTTS: no code could be chosen")
            utterance.states.put(error)
            goes_on = False
        if not goes_on:
            self._leave(row)

    def _leave(self, row: int) -> None:
        """Takes a row out of list and cache alike: the last one moves into its place."""
        self._gpt.cache.remove(row)
        self._rows[row] = self._rows[-1]
        self._rows.pop()
        if not self._rows:
            self._gpt.cache.clear()
