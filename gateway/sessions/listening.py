"""Listening: the microphone's track to the voice activity engine, and from it turns."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Protocol

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW, AvatarError, Role
from gateway.sessions.backoff import Backoff
from gateway.sessions.closing import close_stream
from gateway.sessions.health import Health
from gateway.turns import Endpointer, EndpointingOptions, InterruptionDetector, Recording, TurnEvent

STEP = 2 * VAD_WINDOW  # samples a request: 64 ms, half the requests of single windows
MAX_BACKLOG = 2 * LISTENING_RATE  # samples. An engine further behind than this skips to the present
WINDOW_SECONDS = VAD_WINDOW / LISTENING_RATE


class Listener(Protocol):
    """What a session does with turns. Audio is f32 [n] at 16 kHz; times are those of the event loop."""

    @property
    def busy(self) -> bool: ...
    def interrupt(self) -> None: ...
    def turn_started(self) -> None: ...
    def turn_paused(self, audio: Any) -> None: ...
    def turn_resumed(self) -> None: ...
    def turn_ended(self, audio: Any, ended_at: float) -> None: ...
    def turn_discarded(self) -> None: ...


class Ears:
    """One person's microphone."""

    def __init__(self, inference: Any, health: Health, listener: Listener, silence: float) -> None:
        self._inference, self._health, self._listener = inference, health, listener
        options = replace(EndpointingOptions(), silence=silence, pause=min(EndpointingOptions.pause, silence / 2))
        self.endpointer = Endpointer(options)
        self._interruption = InterruptionDetector()
        self._recording = Recording(options.max_turn + options.pre_roll + 5)
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=LISTENING_RATE)
        self._arrived = asyncio.Event()
        self._arrived_at = 0.0  # when the newest sample came in
        self._on = True

    def switch(self, on: bool) -> None:
        """Microphone on or off. Off ends a running turn where it stands."""
        self._on = on
        if not on:
            self._handle(self.endpointer.finish())

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
                    base = done = max(done, self._recording.samples - STEP)
                while self._recording.samples - done >= STEP:
                    count = (self._recording.samples - done) // STEP * STEP
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

    def _window(self, probability: float, begin: float, end: float) -> None:
        if not self._on:
            return
        if not self._listener.busy:
            self._interruption.reset()
        elif self._interruption.push(probability, end - begin):
            self._listener.interrupt()
            if self.endpointer.in_turn:
                self._listener.turn_started()
        self._handle(self.endpointer.push(probability, begin, end))

    def _handle(self, event: TurnEvent | None) -> None:
        if event is None:
            return
        listener, endpointer = self._listener, self.endpointer
        if event is TurnEvent.RESUMED:
            listener.turn_resumed()
        elif event is TurnEvent.DISCARDED or listener.busy:
            # While the portrait speaks, only an interruption counts; the rest is its own echo, or a murmur.
            if event in (TurnEvent.DISCARDED, TurnEvent.ENDED):
                listener.turn_discarded()
        elif event is TurnEvent.STARTED:
            listener.turn_started()
        elif event is TurnEvent.PAUSED:
            listener.turn_paused(self._turn_audio())
        elif event is TurnEvent.ENDED:
            late = self._recording.seconds - endpointer.end
            listener.turn_ended(self._turn_audio(), self._arrived_at - late)

    def _turn_audio(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The turn so far with its pre-roll and a little of the silence after it."""
        return self._recording.between(self.endpointer.start, self.endpointer.end + self.endpointer.options.pause)
