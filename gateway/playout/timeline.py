"""The media timeline: which audio and which frame belong to which moment. Pure, no clock.

Time is counted in *slots* of one frame, 40 ms: slot n is 960 samples of 24 kHz audio and the frame made for them.
`head` is the slot that audio is playing; video follows it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import MOTION_RATE, MOTION_SAMPLES, SPEAKING_RATE

PACKETS_PER_SLOT = 2  # a packet is 20 ms
PACKET_SAMPLES = MOTION_SAMPLES // PACKETS_PER_SLOT
PACKET_SECONDS = PACKET_SAMPLES / SPEAKING_RATE
SLOT_SECONDS = 1 / MOTION_RATE
MAX_AUDIO_SLOTS = 30 * MOTION_RATE  # 30 s of speech ahead of the head; a producer waits while `room` is short
MAX_FRAMES = 32  # frames ahead of the head; further ones are refused, their producer is meant to wait
#: Slots that are said again after a stop: what had left was silenced at the page, in its jitter buffer.
SAID_AGAIN = 3
#: Frames of speech that are shown after it was stopped. With one alone the picture stood still until others were there.
LIPS_AFTER = 3
FADE_SAMPLES = 120  # 5 ms: speech that is cut off must not click

Frame = NDArray[np.uint8]  # I420 [768, 512]
Pcm = NDArray[np.int16]

_SILENCE: Pcm = np.zeros(PACKET_SAMPLES, np.int16)


@dataclass(frozen=True)
class _Kept:
    """Speech that was stopped before the slot `start`: what belongs there and after."""

    start: int
    audio: dict[int, Pcm]
    marks: deque[tuple[int, Any]]


class Timeline:
    """Audio, frames and marks by slot."""

    def __init__(self) -> None:
        self.head = -1  # nothing has been played
        self.audio_end = 0  # the slot after the last speech audio
        self.frame_end = 0  # the slot after the last frame
        self.held = 0  # frames shown again because theirs was missing
        self.dropped = 0  # frames that came too late
        self._played = 0  # packets, counted from slot 0
        self._shown = False
        self._audio: dict[int, Pcm] = {}
        self._frames: dict[int, Frame] = {}
        self._marks: deque[tuple[int, Any]] = deque()
        self._kept: _Kept | None = None  # speech that was stopped and may go on

    # --- for the producer ---------------------------------------------------------------------------------
    @property
    def tail(self) -> int:
        """The first slot that new speech can take. Idle frames made for it give way: they would only delay it."""
        return max(self.audio_end, self.head + 1)

    @property
    def ahead(self) -> int:
        """How many frames are there that have not been shown."""
        return max(0, self.frame_end - self.head - 1)

    @property
    def speaking(self) -> bool:
        return self.audio_end > self.head + 1

    @property
    def waiting(self) -> int:
        """How many slots of audio have not been heard."""
        return max(0, self.audio_end - self.head - 1)

    @property
    def room(self) -> int:
        """How many slots of audio may be appended."""
        return max(0, MAX_AUDIO_SLOTS - self.waiting)

    def append(self, pcm: Pcm) -> int:
        """Speech (a multiple of 960 samples) at the tail; the slot where it begins."""
        start = self.tail
        slots = len(pcm) // MOTION_SAMPLES
        for index in range(slots):
            self._audio[start + index] = pcm[index * MOTION_SAMPLES : (index + 1) * MOTION_SAMPLES]
        self.audio_end = start + slots
        return start

    def put(self, slot: int, frame: Frame) -> None:
        """The frame of `slot`. A late one is dropped, as is one beyond the bound."""
        if slot <= self.head or slot > self.head + MAX_FRAMES:
            self.dropped += 1
            return
        self._frames[slot] = frame
        self.frame_end = max(self.frame_end, slot + 1)

    def mark(self, slot: int, what: Any) -> None:
        """`what` comes out of `passed` when `slot` begins to be heard. Marks are set in order."""
        self._marks.append((slot, what))

    @property
    def paused(self) -> bool:
        return self._kept is not None

    @property
    def heard(self) -> int:
        """The last slot of speech that was heard whole: the head, or where speech was stopped."""
        return self.head if self._kept is None else self._kept.start - 1

    def pause(self) -> None:
        """Stop speech after the packet being played. `resume`: it goes on a little before that; `clear`: it is over."""
        if self._kept is not None:
            return
        start = self._cut
        while start > self._cut - SAID_AGAIN and start - 1 in self._audio:
            start -= 1
        audio = {slot: pcm for slot, pcm in self._audio.items() if slot >= start}
        marks = deque(self._marks)
        self.clear()
        # Frames for what is not heard now move the lips without a sound: no more of them than it takes to draw others.
        last = self.head + LIPS_AFTER
        self._frames = {slot: frame for slot, frame in self._frames.items() if slot <= last}
        self.frame_end = min(self.frame_end, last + 1)
        self._kept = _Kept(start, audio, marks)

    def resume(self) -> tuple[int, int]:
        """Speech goes on: the slot where it had stopped, and by how many slots everything from there on has moved."""
        if self._kept is None:
            return self.head + 1, 0
        kept, self._kept = self._kept, None
        moved = self.tail - kept.start
        self._audio.update({slot + moved: pcm for slot, pcm in kept.audio.items()})
        if kept.audio:
            self.audio_end = max(kept.audio) + moved + 1
        self._marks.extend((slot + moved, what) for slot, what in kept.marks)
        return kept.start, moved

    def clear(self) -> None:
        """Cut speech off after the packet being played. Frames made already stay, so that the face does not jump."""
        self._kept = None
        slot, played = self._cut, self._played % PACKETS_PER_SLOT * PACKET_SAMPLES
        cut = self._audio.get(slot)
        self._audio = {known: pcm for known, pcm in self._audio.items() if known < slot}
        self.audio_end = slot
        if cut is not None:
            fade = np.zeros(MOTION_SAMPLES, np.float32)
            fade[:played] = 1
            fade[played : played + FADE_SAMPLES] = np.linspace(1, 0, FADE_SAMPLES)
            self._audio[slot] = (cut * fade).astype(np.int16)
            self.audio_end = slot + 1
        self._marks.clear()

    @property
    def _cut(self) -> int:
        """The slot of the first packet that has not been played."""
        return self._played // PACKETS_PER_SLOT

    # --- for the tracks -----------------------------------------------------------------------------------
    def take_audio(self, packet: int) -> Pcm:
        """The 480 samples of the packet with this number, silence where nothing is said. Moves the head."""
        slot, part = divmod(packet, PACKETS_PER_SLOT)
        self._played = packet + 1
        if slot > self.head:
            for old in range(max(self.head, slot - MAX_AUDIO_SLOTS) - SAID_AGAIN, slot - SAID_AGAIN):
                self._audio.pop(old, None)
            self.head = slot
        pcm = self._audio.get(slot)
        return _SILENCE if pcm is None else pcm[part * PACKET_SAMPLES : (part + 1) * PACKET_SAMPLES]

    def take_frame(self, slot: int) -> Frame | None:
        """The newest frame not after `slot`; None when there is no new one: hold the last."""
        found: Frame | None = None
        for known in sorted(self._frames):
            if known > slot:
                break
            if found is not None:
                self.dropped += 1
            found = self._frames.pop(known)
        if found is None and self._shown:
            self.held += 1
        self._shown = self._shown or found is not None
        return found

    def passed(self) -> Iterator[Any]:
        """The marks whose slot has begun to be heard, each once."""
        while self._marks and self._marks[0][0] <= self.head:
            yield self._marks.popleft()[1]
