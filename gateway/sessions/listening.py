"""Listening: the microphone's track to the voice activity engine, and from it turns and their words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

import av
import numpy as np
import soxr
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE, VAD_WINDOW, AvatarError, Role
from gateway.sessions.backoff import Backoff
from gateway.sessions.closing import close_stream
from gateway.sessions.health import Health
from gateway.sessions.scribe import Expected, Scribe
from gateway.transcript import Heard
from gateway.turns import EchoGate, EndpointingOptions, Event, Recording, TurnTaking, meant, patience
from gateway.turns.echo import WINDOW_SECONDS as ECHO_SECONDS

MAX_BACKLOG = 4 * LISTENING_RATE  # samples. An engine further behind than this skips to the present
WINDOW_SECONDS = VAD_WINDOW / LISTENING_RATE
SPEECH = 0.35  # probability below which nobody speaks
FALLING = 0.6  # below it somebody who spoke may be about to be silent: what was said is looked at at once


class Listener(Protocol):
    """What a session does with turns. Times are those of the event loop."""

    @property
    def busy(self) -> bool:
        """Whether the portrait thinks or speaks."""
        ...

    @property
    def revocable(self) -> bool:
        """Whether its answer may still be taken back as if it had never been."""
        ...

    def hold(self) -> None: ...
    def release(self) -> None: ...
    def take_turn(self, reopen: bool) -> bool: ...
    def turn_started(self, reopened: bool = False) -> None: ...
    def turn_heard(self, heard: Heard) -> None: ...
    def turn_paused(self, heard: Heard) -> None: ...
    def turn_discarded(self) -> None: ...
    def turn_ended(self, heard: Awaitable[Heard | None], ended_at: float) -> None: ...


class Ears:
    """One person's microphone."""

    def __init__(
        self,
        inference: Any,
        health: Health,
        listener: Listener,
        silence: float,
        tasks: Any,
        expect: Callable[[], Expected],
    ) -> None:
        """`silence` ends a turn of which nothing is known."""
        self._inference, self._health, self._listener, self._tasks = inference, health, listener, tasks
        self._expect = expect
        options = replace(EndpointingOptions(), silence=silence, pause=min(EndpointingOptions.pause, silence / 2))
        self.taking = TurnTaking(options)
        self._echo = EchoGate()
        self._resent = soxr.ResampleStream(SPEAKING_RATE, LISTENING_RATE, 1, "float32", "LQ")
        self._recording = Recording(options.max_turn + options.pre_roll + 5)
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=LISTENING_RATE)
        self._arrived = asyncio.Event()
        self._arrived_at = 0.0  # when the newest sample came in
        self._on = True
        self._speaking = False  # in the window before
        self._scribe: Scribe | None = None  # of the running turn
        self._ended: Scribe | None = None  # of the last one, while the person may still go on with it
        self._asked: asyncio.Task[Heard | None] | None = None  # for all the words, at the last pause

    def switch(self, on: bool) -> None:
        """Microphone on or off. Off ends a running turn where it stands."""
        self._on = on
        if not on:
            for event in self.taking.finish():
                self._handle(event)

    def sent(self, pcm: NDArray[np.int16]) -> None:
        """The sound that leaves for the person's loudspeakers, [n] at 24 kHz: it may come back."""
        self._echo.sent(self._resent.resample_chunk(pcm.astype(np.float32) / 32768))

    async def hear(self, track: Any) -> None:
        """Read the remote track to its end: aiortc keeps every frame that nobody reads."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if not self._on:
                continue
            for part in self._resampler.resample(frame):
                self._recording.append(part.to_ndarray().reshape(-1).astype(np.float32))
            self._arrived_at = asyncio.get_running_loop().time()
            self._arrived.set()

    async def run(self) -> None:
        """Ask the engine for every window until cancelled."""
        backoff = Backoff()
        stream: Any = None
        base = done = 0  # the stream began at sample `base`; up to `done` it has been asked
        windows = 0
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                now = asyncio.get_running_loop().time()
                behind = self._recording.samples - done
                if stream is None or behind > MAX_BACKLOG:
                    if not backoff.ready(now):
                        continue
                    await close_stream(stream)
                    stream, windows = self._inference.vad(), 0
                    base = done = max(done, self._recording.samples - VAD_WINDOW)
                while self._recording.samples - done >= VAD_WINDOW:
                    count = (self._recording.samples - done) // VAD_WINDOW * VAD_WINDOW
                    try:
                        found = await stream.push(self._recording.slice(done, done + count))
                    except AvatarError as error:
                        self._health.failed(Role.VAD, error)
                        backoff.failed(now)
                        stream, done = None, self._recording.samples
                        break
                    done += count
                    backoff.worked()
                    self._health.works(Role.VAD)
                    for probability in found:
                        begin = base / LISTENING_RATE + windows * WINDOW_SECONDS
                        windows += 1
                        self._window(float(probability), begin, begin + WINDOW_SECONDS)
        finally:
            await close_stream(stream)
            for scribe in (self._scribe, self._ended):
                if scribe is not None:
                    await scribe.close()

    def _window(self, probability: float, begin: float, end: float) -> None:
        if not self._on:
            return
        busy = self._listener.busy
        if busy and probability > SPEECH and self._echo.hears_itself(self._recording.between(end - ECHO_SECONDS, end)):
            probability = 0.0
        for event in self.taking.push(probability, begin, end, busy):
            self._handle(event)
        if self._ended is not None and not self._listener.revocable:
            self._dismiss(self._ended)
            self._ended = None
        if not self.taking.listening:
            self._dismiss(self._scribe)
            self._scribe = None
            return
        if self._scribe is None:
            self._scribe = self._employ()
        if probability > FALLING:
            self._scribe.more()
            self._speaking = True
        elif self._speaking:
            self._speaking = False
            self._scribe.breath()

    def _handle(self, event: Event) -> None:
        listener = self._listener
        match event:
            case Event.STARTED:
                listener.turn_started()
            case Event.PAUSED:
                self._ask(self._paused)
            case Event.RESUMED:
                self._asked = None
            case Event.DISCARDED:
                listener.turn_discarded()
            case Event.ENDED:
                self._turn_ended()
            case Event.HELD:
                listener.hold()
            case Event.DOUBTED:
                self._ask(self._judged)
            case Event.RELEASED:
                listener.release()
            case Event.INTERRUPTED:
                self._interrupted()

    def _turn_ended(self) -> None:
        endpointer = self.taking.endpointer
        asked, self._asked = self._asked or self._ask(), None
        self._dismiss(self._ended)
        self._ended, self._scribe = self._scribe, None
        if endpointer.end - endpointer.start >= endpointer.options.max_turn - endpointer.options.pre_roll:
            self._dismiss(self._ended)  # who speaks on and on gets another turn
            self._ended = None
        late = self._recording.seconds - endpointer.end
        self._listener.turn_ended(asked, self._arrived_at - late)

    def _interrupted(self) -> None:
        before, self._ended = self._ended, None
        reopened = self._listener.take_turn(before is not None)
        if reopened and before is not None:
            self.taking.endpointer.reopen(before.start / LISTENING_RATE)
            self._dismiss(self._scribe)
            self._scribe = before
        else:
            self._dismiss(before)
        self._listener.turn_started(reopened)

    def _paused(self, heard: Heard | None) -> None:
        if heard is None:
            return
        if heard.whole:
            self.taking.endpointer.patience = patience(heard.whole, heard.language)
        self._listener.turn_paused(heard)

    def _judged(self, heard: Heard | None) -> None:
        for event in self.taking.judged(heard is not None and meant(heard.whole)):
            self._handle(event)

    def _told(self, scribe: Scribe, heard: Heard, whole: bool) -> None:
        if scribe is not self._scribe or self.taking.held:
            return
        if whole and self.taking.endpointer.paused:  # this may be all
            self._paused(heard)
        else:
            self._listener.turn_heard(heard)

    def _ask(self, then: Callable[[Heard | None], None] | None = None) -> asyncio.Task[Heard | None]:
        """Have all the words so far; `then` is told, unless something else has happened meanwhile."""
        self._asked = self._tasks.create_task(self._words(self._scribe, then))
        return self._asked

    async def _words(self, scribe: Scribe | None, then: Callable[[Heard | None], None] | None) -> Heard | None:
        until = round(self.taking.endpointer.end * LISTENING_RATE)
        heard = None if scribe is None else await scribe.text(until)
        if then is not None and self._asked is asyncio.current_task() and self._scribe is scribe:
            then(heard)
        return heard

    def _employ(self) -> Scribe:
        """Somebody who writes the running turn down."""
        start = round(self.taking.endpointer.start * LISTENING_RATE)
        scribe = Scribe(
            self._inference, self._recording, start, self._expect(), self._health, self._tasks,
            lambda heard, whole: self._told(scribe, heard, whole),
        )  # fmt: skip
        return scribe

    def _dismiss(self, scribe: Scribe | None) -> None:
        if scribe is not None:
            self._tasks.create_task(scribe.close())
