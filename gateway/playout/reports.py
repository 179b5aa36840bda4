"""RTCP sender reports by the media clock, so that a browser aligns sound and picture exactly.

aiortc 1.16 stamps a report with the wall clock at which the last packet left. That is after encoding: 1 ms for sound,
5 to 40 ms for a picture on a busy processor, and the browser takes the difference for a difference of capture. Here the
NTP time of a report is the moment at which its RTP timestamp was due in playout, the same clock for both tracks.
aiortc has no public place for this: two methods of a sender are wrapped, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import RtcpSrPacket

from gateway.playout.lending import Loan

OPUS_RATE = 48_000  # Hz, RTP clock of Opus
OPUS_DELAY = 0.0065  # s by which libopus's decoded sound comes after its timestamp (312 samples of look-ahead)
NTP_UNIX = 2_208_988_800  # s from 1900 to 1970


@dataclass
class Numbering:
    """How a sender's RTP timestamps count: `rate` a second; at timestamp `origin` the media time is `start`."""

    rate: int
    start: float = 0.0
    origin: int | None = None  # chosen at random by the sender, known when its first packet has gone
    encoded: int | None = None  # the encoder's timestamp of the frame sent last

    def media_time(self, timestamp: int) -> float | None:
        """Seconds from the start of the media clock; None before the first packet."""
        if self.origin is None:
            return None
        ahead = (timestamp - self.origin) & 0xFFFF_FFFF
        return self.start + ahead / self.rate


def ntp(unix: float) -> int:
    """The 64-bit NTP timestamp of a Unix time."""
    return round((unix + NTP_UNIX) * (1 << 32))


def align(sender: Any, loan: Loan, rate: int, wall_time: Callable[[float], float | None]) -> None:
    """Let the reports of this RTCRtpSender tell the media clock; `wall_time` gives the Unix time of a media time."""
    numbering = Numbering(rate)
    encode, send = sender._next_encoded_frame, sender._send_rtcp

    async def next_encoded_frame(codec: Any) -> Any:
        if numbering.encoded is not None:  # its packets have gone: the sender asks for one frame after another
            sent = sender._RTCRtpSender__rtp_timestamp
            numbering.origin = (sent - numbering.encoded) & 0xFFFF_FFFF
        frame = await encode(codec)
        if frame is not None:
            if loan.kind == "audio" and loan.first is not None:  # the encoder counts from its first packet
                numbering.start = loan.first - OPUS_DELAY
            numbering.encoded = frame.timestamp
        return frame

    async def send_rtcp(packets: list[Any]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                media = numbering.media_time(packet.sender_info.rtp_timestamp)
                due = None if media is None else wall_time(media)
                if due is not None:
                    packet.sender_info.ntp_timestamp = ntp(due)
        await send(packets)

    sender._next_encoded_frame, sender._send_rtcp = next_encoded_frame, send_rtcp
