"""The video encoders' bitrate: aiortc has no public setting for it, so its constants are set here and nowhere else.

aiortc's defaults (VP8 0.5 Mbit/s, at most 1.5) are for webcams; a portrait of 512x512 at 25 fps is blurred by them.
The rest of its VP8 settings suits us: real-time deadline, cpu-used -6 and one thread at this size cost 7 ms a frame.
"""

from __future__ import annotations

from aiortc.codecs import h264, vpx

MIN_BITRATE = 500_000  # bit/s: what a bad network may press it down to
HEADROOM = 1.5  # what a good network may raise it to


def configure(bitrate: int) -> None:
    """Bits a second of every encoder made from now on; the receiver's estimate (REMB) moves them within the bounds."""
    for codec in (vpx, h264):
        codec.DEFAULT_BITRATE = bitrate
        codec.MAX_BITRATE = int(bitrate * HEADROOM)
        codec.MIN_BITRATE = min(MIN_BITRATE, bitrate)
