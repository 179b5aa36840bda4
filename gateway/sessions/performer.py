"""The performer keeps the timeline filled: speech with its frames, and idle motion when nothing is said."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import MOTION_SAMPLES, AvatarError
from gateway.playout.catchup import Pace, frames_to_skip
from gateway.playout.timeline import SLOT_SECONDS, Timeline
from gateway.sessions.face import Face

FIRST_PIECE = 3  # frames. A short first piece starts the sound sooner
PIECE = 5
SPEECH_AHEAD = 5  # frames rendered ahead of playout while speech is known: about 200 ms more than is being rendered
IDLE_PIECE = 3  # frames; each piece costs two requests
IDLE_AHEAD = 2  # frames; more would only delay the next answer
START_WAIT = 0.6  # s that the first sound of an answer waits for its first frames, never longer
LONGEST_PUSH = 2.0  # s of rendering asked for at once: well below `face.PUSH_TIMEOUT`
COARTICULATION = 0.4  # s of phonemes shown to motion before and after a piece

_NO_TIMES: NDArray[np.float32] = np.zeros((0, 2), np.float32)


@dataclass(eq=False)
class Passage:
    """A stretch of speech: audio f32 [n * 960] at 24 kHz, phonemes with times [m, 2] in seconds from its start.

    `mark` comes out of the timeline when it begins to be heard. One without audio marks the end of an utterance.
    """

    audio: NDArray[np.float32]
    phonemes: list[str] = field(default_factory=list)
    times: NDArray[np.float32] = field(default_factory=lambda: _NO_TIMES)
    mark: Any = None
    feeling: tuple[str, float] | None = None  # emotion and intensity of the face from here on; None changes nothing
    slot: int | None = None  # where it begins, once that is settled
    rendered: int = 0  # slots whose frames are made, or given up

    @property
    def slots(self) -> int:
        return len(self.audio) // MOTION_SAMPLES

    def piece(self, count: int) -> tuple[NDArray[np.float32], list[str], NDArray[np.float32]]:
        """Audio of the next `count` slots and the phonemes around them, times from the piece's start."""
        start = self.rendered * SLOT_SECONDS
        end = start + count * SLOT_SECONDS
        near = [
            index
            for index, (begin, stop) in enumerate(self.times)
            if stop > start - COARTICULATION and begin < end + COARTICULATION
        ]
        audio = self.audio[self.rendered * MOTION_SAMPLES : (self.rendered + count) * MOTION_SAMPLES]
        times = (self.times[near] - start).astype(np.float32).reshape(-1, 2)
        return audio, [self.phonemes[index] for index in near], times


class Performer:
    def __init__(self, face: Face, timeline: Timeline) -> None:
        self.face, self._timeline = face, timeline
        self._queue: deque[Passage] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._pace = Pace()
        self._placed: list[Passage] = []  # those that have a place, until they have been heard
        self._stops = 0  # how often speech was stopped: what was being drawn then is not wanted any more
        self._trials = 0  # frames to draw one by one, because nobody knows how long this renderer takes

    @property
    def heard(self) -> int:
        """The last slot of speech that was heard."""
        return self._timeline.heard

    def pause(self) -> None:
        """Stop speaking at once, for now; what is said meanwhile waits, and the face goes on living."""
        self._timeline.pause()
        self._stops += 1
        self._stop_timer()

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        if not self._timeline.paused:
            return
        stopped, moved = self._timeline.resume()
        placed = [one for one in self._placed if one.slot is not None and one.slot + max(one.slots, 1) > stopped]
        for passage in placed:
            # What was drawn ahead has been dropped: the face is drawn anew from where the sound goes on.
            passage.rendered = min(passage.rendered, max(0, stopped - (passage.slot or 0)))
            passage.slot = (passage.slot or 0) + moved
        waiting = [passage for passage in self._queue if passage.slot is None]
        self._placed = placed
        self._queue = deque([one for one in placed if one.rendered < one.slots] + waiting)
        if placed:
            self._settle()
        elif waiting:
            self._wait_for_frames()
        self._wake.set()

    async def say(self, passage: Passage) -> None:
        """Queue a passage; waits while it does not fit on the timeline, whatever its length if that is empty."""
        while passage.slots + self._queued() > self._timeline.room and (self._timeline.speaking or self._queued()):
            self._wake.clear()
            await self._wake.wait()
        self._queue.append(passage)
        if self._timeline.speaking or not passage.slots or not self._may_render():
            self._settle()
        if passage.slot is None:
            self._wait_for_frames()
        self._wake.set()

    def clear(self) -> None:
        """Stop speaking at once, for good."""
        self._queue.clear()
        self._placed.clear()
        self._stops += 1
        self._timeline.clear()
        self._stop_timer()
        self._wake.set()

    def moved(self) -> None:
        """The timeline's head has moved, or something else changed that may call for frames."""
        self._wake.set()

    async def run(self) -> None:
        """Render until cancelled."""
        try:
            while True:
                self._wake.clear()
                if not await self._step():
                    await self._wake.wait()
        finally:
            self._stop_timer()
            await self.face.close()

    async def _step(self) -> bool:
        """Render one piece; False when there is nothing to do now."""
        if not self._may_render():
            if self._timeline.paused:
                return False
            self._settle()
            self._queue.clear()  # their sound is on the timeline, their frames are given up
            return False
        while self._queue and self._queue[0].rendered >= self._queue[0].slots and self._queue[0].slot is not None:
            self._queue.popleft()
        try:
            if self._queue and not self._timeline.paused:
                return await self._render_speech(self._queue[0])
            return await self._render_idle()
        except AvatarError:
            return True  # the face has told the person and waits before it tries again

    async def _render_speech(self, passage: Passage) -> bool:
        left, skip = passage.slots - passage.rendered, 0
        if passage.slot is None:
            count = min(FIRST_PIECE, left)
        else:
            lead = passage.slot + passage.rendered - self._timeline.head - 1
            if lead >= SPEECH_AHEAD:
                return False
            # Far enough for one frame, drawn now, to be in time.
            count = min(max(PIECE, math.ceil(self._pace.per_frame / SLOT_SECONDS) + 1 - lead, -lead), left)
            skip = frames_to_skip(count, lead, self._pace.per_frame)
            skip = max(skip, count - self._at_once())
        if passage.feeling is not None and not passage.rendered:
            self.face.feel(*passage.feeling)
        stops = self._stops
        frames = await self._move(passage.piece(count), skip)
        if stops == self._stops:
            self._settle()
            assert passage.slot is not None
            self._put(passage.slot + passage.rendered + skip, frames)
            passage.rendered += count
        return True

    async def _render_idle(self) -> bool:
        if self._timeline.ahead >= IDLE_AHEAD:
            return False
        count = min(IDLE_PIECE, self._at_once())
        frames = await self._move((np.zeros(count * MOTION_SAMPLES, np.float32), [], _NO_TIMES), 0)
        self._put(max(self._timeline.frame_end, self._timeline.head + 1), frames)
        return True

    async def _move(
        self, piece: tuple[NDArray[np.float32], list[str], NDArray[np.float32]], skip: int
    ) -> NDArray[np.uint8]:
        if self.face.fresh:
            self._trials = 2
        loop = asyncio.get_running_loop()
        began = loop.time()
        frames = await self.face.move(*piece, skip=skip)
        took = loop.time() - began
        if not self._trials:
            self._pace.took(took, len(frames))
        elif len(frames):
            # The first frames of a portrait or renderer hold its preparation; those after them tell the pace.
            self._trials -= 1
            self._pace = Pace(took / len(frames)) if not self._trials else self._pace
        return frames

    def _at_once(self) -> int:
        """How many frames may be asked for in one push, so that it cannot take too long."""
        if self._trials or self.face.fresh:
            return 1
        return max(1, int(LONGEST_PUSH / max(self._pace.per_frame, 1e-3)))

    def _put(self, slot: int, frames: NDArray[np.uint8]) -> None:
        for index, frame in enumerate(frames):
            self._timeline.put(slot + index, frame)

    def _settle(self) -> None:
        """Give every queued passage its place on the timeline: from here on its sound waits for nothing."""
        self._stop_timer()
        if self._timeline.paused:
            return
        self._placed = [one for one in self._placed if (one.slot or 0) + one.slots > self._timeline.head]
        for passage in self._queue:
            if passage.slot is not None:
                continue
            self._placed.append(passage)
            if passage.slots:
                passage.slot = self._timeline.append(_pcm(passage.audio))
            else:
                passage.slot = max(self._timeline.audio_end, self._timeline.head + 1)
            if passage.mark is not None:
                self._timeline.mark(passage.slot, passage.mark)

    def _wait_for_frames(self) -> None:
        if self._timer is None and not self._timeline.paused:
            self._timer = asyncio.get_running_loop().call_later(START_WAIT, self._settle)

    def _queued(self) -> int:
        return sum(passage.slots for passage in self._queue if passage.slot is None)

    def _may_render(self) -> bool:
        return self.face.available(asyncio.get_running_loop().time())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _pcm(audio: NDArray[np.float32]) -> NDArray[np.int16]:
    return (np.clip(audio, -1, 1) * 32767).astype(np.int16)
