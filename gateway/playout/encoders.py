"""The encoders: aiortc has no public settings for them, so they are set here and nowhere else.

aiortc's encoders are made for webcams. Measured on a moving 512x512 portrait at 2 Mbit/s on one core:

- VP8: noise-sensitivity 4 takes a painting's grain for noise. Without it 47.4 dB, not 41.7; 3.6 ms, not 4.8.
- VP8 that may not quantize more finely than 6 needs half the bits for a face that listens (45.2 dB, 1.0 Mbit/s, 1.5 ms;
  with 2 it is 47.4 dB, 1.9 Mbit/s, 2.2 ms), and as much less work for packets, keys and the browser.
- H.264: x264's preset `medium` costs 17.9 ms a frame, `veryfast` 3.1 ms for 0.9 dB.
- bitrate: 0.5 Mbit/s by default and 1.5 at most are blurred; the receiver's estimate (REMB) starts low, and every
  change of more than a tenth costs a key frame, so it may move the bitrate only down to a half.
- Opus: aiortc's 96 kbit/s in stereo hold nothing against loss. Here each packet carries the one before it too, coarsely
  (in-band FEC), of which a browser makes what was lost. It is the one voice, so mono; 0.24 ms a packet, not 0.14.
- repetition: of the 128 packets that aiortc keeps, the first is gone after half a second of picture, which is
  earlier than a browser on a slow network asks for it again.
"""

from __future__ import annotations

import fractions
from typing import Any

import av
from aiortc import rtcrtpsender
from aiortc.codecs import get_encoder, h264, opus, vpx
from aiortc.codecs.base import Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from avatar_runtime.contracts import MOTION_RATE

FINEST = 6  # VP8's quantizer, of 63
CHANGE = 0.1  # aiortc's own step: a smaller change of the bitrate keeps the encoder
KEPT_PACKETS = 1024  # 4 s of picture
SPEECH_BITRATE = 64_000  # bits a second, of which about a third is the packet before
EXPECTED_LOSS = 10  # %, for which Opus chooses how much of its bits that is


class SpeechOpus(opus.OpusEncoder):
    """Mono, with forward error correction."""

    def __init__(self) -> None:
        super().__init__()
        codec: Any = av.CodecContext.create("libopus", "w")
        codec.bit_rate, codec.format, codec.layout = SPEECH_BITRATE, "s16", "mono"
        codec.sample_rate, codec.time_base = opus.SAMPLE_RATE, opus.TIME_BASE
        codec.options = {"application": "audio", "fec": "1", "packet_loss": str(EXPECTED_LOSS)}
        self.codec = codec
        self.resampler = av.AudioResampler("s16", "mono", opus.SAMPLE_RATE, opus.SAMPLES_PER_FRAME)


class PortraitVp8(vpx.Vp8Encoder):
    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        if _outdated(self.codec, self.target_bitrate):
            self.codec = _codec("libvpx", frame, self.target_bitrate, _vp8_options(self.target_bitrate))
            self.codec.gop_size, self.codec.qmin, self.codec.qmax, self.codec.thread_count = 3000, FINEST, 56, 1
        return super().encode(frame, force_keyframe)


class PortraitH264(h264.H264Encoder):
    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        if _outdated(self.codec, self.target_bitrate):
            options = {"level": "31", "tune": "zerolatency", "preset": "veryfast"}
            self.codec = _codec("libx264", frame, self.target_bitrate, options)
            self.codec.framerate, self.codec.profile = fractions.Fraction(MOTION_RATE), "Baseline"
            self.codec.time_base = fractions.Fraction(1, MOTION_RATE)
        return super().encode(frame, force_keyframe)


def configure(bitrate: int) -> None:
    """Use these encoders in this process, at `bitrate` bits a second."""
    modules: tuple[Any, ...] = (vpx, h264)  # their constants are no public attributes for a type checker
    for module in modules:
        module.DEFAULT_BITRATE = module.MAX_BITRATE = bitrate
        module.MIN_BITRATE = bitrate // 2
    sender: Any = rtcrtpsender
    sender.get_encoder, sender.RTP_HISTORY_SIZE = encoder_for, KEPT_PACKETS


def encoder_for(codec: RTCRtpCodecParameters) -> Encoder:
    """Ours for what browsers take, aiortc's for the rest."""
    ours: dict[str, type[Encoder]] = {
        "audio/opus": SpeechOpus,
        "video/vp8": PortraitVp8,
        "video/h264": PortraitH264,
    }
    made = ours.get(codec.mimeType.lower())
    return made() if made is not None else get_encoder(codec)


def _outdated(codec: Any, bitrate: int) -> bool:
    return codec is None or abs(bitrate - codec.bit_rate) / codec.bit_rate > CHANGE


def _codec(name: str, frame: Any, bitrate: int, options: dict[str, str]) -> Any:
    codec: Any = av.CodecContext.create(name, "w")
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "yuv420p"
    codec.bit_rate, codec.options = bitrate, options
    return codec


def _vp8_options(bitrate: int) -> dict[str, str]:
    """aiortc's, without the denoiser. Equal lowest and highest rates make it constant; the buffer holds a second."""
    return {
        "bufsize": str(bitrate),
        "minrate": str(bitrate),
        "maxrate": str(bitrate),
        "cpu-used": "-6",
        "deadline": "realtime",
        "lag-in-frames": "0",
        "noise-sensitivity": "0",
        "overshoot-pct": "15",
        "undershoot-pct": "100",
        "partitions": "0",
        "static-thresh": "1",
    }
