"""The outgoing tracks: they read the clock, the timeline says what to send."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Callable

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS, SPEAKING_RATE
from gateway.clock import unix_time
from gateway.playout.pacer import Pacer
from gateway.playout.timeline import (
    PACKET_SAMPLES,
    PACKET_SECONDS,
    PACKETS_PER_SLOT,
    SLOT_SECONDS,
    Frame,
    Pcm,
    Timeline,
)

AUDIO_TIME_BASE = fractions.Fraction(1, SPEAKING_RATE)
VIDEO_CLOCK = 90_000  # Hz
VIDEO_TIME_BASE = fractions.Fraction(1, VIDEO_CLOCK)
CHROMA_ROWS = FRAME_SIZE // 4  # a chroma plane of 256x256 fills 128 rows of 512


class PlayoutTrack(MediaStreamTrack):
    """A track of the one media clock."""

    def __init__(self, pacer: Pacer) -> None:
        super().__init__()
        self._pacer = pacer

    def wall_time(self, media_time: float) -> float | None:
        """The Unix time at which `media_time` (seconds) is due; None before the clock has started."""
        due = self._pacer.due(media_time)
        return None if due is None else due + unix_time() - asyncio.get_running_loop().time()


class SpeechTrack(PlayoutTrack):
    """Speech and silence in packets of 20 ms.

    `on_slot` is called whenever the head has moved to a new slot, `on_packet` with the samples of every packet.
    """

    kind = "audio"

    def __init__(
        self,
        timeline: Timeline,
        pacer: Pacer,
        on_slot: Callable[[], None],
        on_packet: Callable[[Pcm], None] = lambda pcm: None,
    ) -> None:
        super().__init__(pacer)
        self._timeline, self._on_slot, self._on_packet = timeline, on_slot, on_packet
        self._packet = 0

    async def recv(self) -> av.AudioFrame:
        """16-bit mono at 24 kHz; aiortc's Opus encoder resamples to 48 kHz and keeps its own filter state."""
        if self.readyState != "live":
            raise MediaStreamError
        wait = self._pacer.delay(self._packet * PACKET_SECONDS, asyncio.get_running_loop().time(), master=True)
        if wait:
            await asyncio.sleep(wait)
        samples = self._timeline.take_audio(self._packet)
        frame = av.AudioFrame(format="s16", layout="mono", samples=PACKET_SAMPLES)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.time_base, frame.pts = SPEAKING_RATE, AUDIO_TIME_BASE, self._packet * PACKET_SAMPLES
        if self._packet % PACKETS_PER_SLOT == 0:
            self._on_slot()
        self._on_packet(samples)
        self._packet += 1
        return frame


class FaceTrack(PlayoutTrack):
    """25 frames a second; the last one again when there is no new one. `on_frame(slot)` is called for each new one."""

    kind = "video"

    def __init__(self, timeline: Timeline, pacer: Pacer, on_frame: Callable[[int], None]) -> None:
        super().__init__(pacer)
        self._timeline, self._on_frame = timeline, on_frame
        self._slot = 0
        self._last: Frame | None = None
        self.sent = 0  # frames, those held too

    async def recv(self) -> av.VideoFrame:
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            self._slot = max(self._slot, self._timeline.head)  # never behind the sound: what is late is left out
            wait = self._pacer.delay(self._slot * SLOT_SECONDS, asyncio.get_running_loop().time())
            if wait:
                await asyncio.sleep(wait)
            slot, self._slot = self._slot, self._slot + 1
            # Audio is the master: should it lag, video waits with it. One slot is allowed, for both are due at once.
            fresh = self._timeline.take_frame(min(slot, self._timeline.head + 1))
            if fresh is not None:
                self._last = fresh
                self._on_frame(slot)
            if self._last is not None:
                self.sent += 1
                return i420_frame(self._last, slot)
            # Nothing to show yet: the page has the still portrait, and an empty track costs nothing.


def i420_frame(planes: Frame, slot: int) -> av.VideoFrame:
    """An av frame around planar I420 [768, 512]: the planes are copied as they are, no colour conversion."""
    frame = av.VideoFrame(FRAME_SIZE, FRAME_SIZE, "yuv420p")
    luma, chroma = FRAME_SIZE, FRAME_SIZE + CHROMA_ROWS
    for plane, (first, last) in zip(frame.planes, ((0, luma), (luma, chroma), (chroma, I420_ROWS)), strict=True):
        source = planes[first:last].reshape(plane.height, plane.width)
        if plane.line_size != plane.width:  # FFmpeg pads lines for its alignment; 512 and 256 usually need none
            padded = np.zeros((plane.height, plane.line_size), np.uint8)
            padded[:, : plane.width] = source
            source = padded
        plane.update(np.ascontiguousarray(source))  # type: ignore[arg-type]  # any buffer will do
    frame.pts = int(slot * SLOT_SECONDS * VIDEO_CLOCK + 0.5)
    frame.time_base = VIDEO_TIME_BASE
    return frame
