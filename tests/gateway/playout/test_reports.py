"""RTCP sender reports tell the media clock, for sound and picture alike."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from aiortc import RTCPeerConnection

from gateway.playout.lending import Lender
from gateway.playout.pacer import Pacer
from gateway.playout.reports import NTP_UNIX, OPUS_DELAY, OPUS_RATE, Numbering, align, ntp
from gateway.playout.timeline import Timeline
from gateway.playout.tracks import VIDEO_CLOCK, FaceTrack, SpeechTrack


def test_timestamps_become_media_time_across_their_wrap() -> None:
    numbering = Numbering(rate=90_000, start=2.0)
    assert numbering.media_time(5) is None
    numbering.origin = 0xFFFF_FFFF - 44_999
    assert numbering.media_time(numbering.origin) == 2.0
    assert numbering.media_time(45_000) == 3.0


def test_ntp_counts_from_1900_in_parts_of_2_to_the_32() -> None:
    assert ntp(0) == NTP_UNIX << 32
    assert ntp(0.5) - ntp(0) == 1 << 31


async def reports(seconds: float, begin: float) -> dict[str, list[tuple[float, float]]]:
    """What the reports of a real connection say over `seconds`: (media time of the report, Unix time it names).

    The connection begins when playout is at `begin` seconds, as after a return.
    """
    timeline, pacer = Timeline(), Pacer()
    speech, face = SpeechTrack(timeline, pacer, lambda: None), FaceTrack(timeline, pacer, lambda slot: None)
    for _ in range(round(begin / 0.02)):
        await speech.recv()
    timeline.put(timeline.head + 1, np.zeros((768, 512), np.uint8))
    one, two = RTCPeerConnection(), RTCPeerConnection()
    told: dict[str, list[tuple[float, float]]] = {"audio": [], "video": []}
    kept: dict[str, Any] = {}
    for track, rate in ((speech, OPUS_RATE), (face, VIDEO_CLOCK)):
        loan = Lender(track).lend()
        sender = one.addTrack(loan)
        encoded: dict[int, float] = {}
        kept[track.kind] = encoded
        note(sender, loan, rate, told[track.kind], encoded)
        align(sender, loan, rate, track.wall_time)
    await one.setLocalDescription(await one.createOffer())
    await two.setRemoteDescription(one.localDescription)
    await two.setLocalDescription(await two.createAnswer())
    await one.setRemoteDescription(two.localDescription)
    deadline = time.monotonic() + seconds
    while min(len(each) for each in told.values()) < 3:
        assert time.monotonic() < deadline, told
        await asyncio.sleep(0.05)
    start = speech.wall_time(0.0)
    await asyncio.gather(one.close(), two.close())
    assert start is not None
    return {kind: [(media, at - start) for media, at in each] for kind, each in told.items()}


def note(sender: Any, loan: Any, rate: int, told: list[tuple[float, float]], encoded: dict[int, float]) -> None:
    """Notes, below `align`, which media time each RTP timestamp belongs to, and what the reports then say of it."""
    encode, send = sender._next_encoded_frame, sender._send_rtcp
    counted = [0.0]

    async def next_encoded_frame(codec: Any) -> Any:
        if counted[0]:
            encoded[sender._RTCRtpSender__rtp_timestamp] = counted[0]
        frame = await encode(codec)
        if frame is not None:
            first = loan.first - OPUS_DELAY if loan.kind == "audio" else 0.0
            counted[0] = first + frame.timestamp / rate
        return frame

    async def send_rtcp(packets: list[Any]) -> None:
        info = getattr(packets[0], "sender_info", None)
        if info is not None and info.rtp_timestamp in encoded:
            told.append((encoded[info.rtp_timestamp], info.ntp_timestamp / 2**32 - NTP_UNIX))
        await send(packets)

    sender._next_encoded_frame, sender._send_rtcp = next_encoded_frame, send_rtcp


@pytest.mark.parametrize("begin", [0.0, 1.0])
async def test_both_tracks_report_when_their_media_was_due(begin: float) -> None:
    for kind, each in (await reports(20, begin)).items():
        for media, at in each:
            assert at == pytest.approx(media, abs=0.002), kind
        assert each[-1][0] > begin
