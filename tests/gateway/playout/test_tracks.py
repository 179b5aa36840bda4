"""The tracks: frames become av frames byte for byte; encoders take our bitrate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import rtcrtpsender
from aiortc.codecs import h264, vpx
from aiortc.codecs.opus import OpusEncoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from gateway.playout import encoders
from gateway.playout.pacer import Pacer
from gateway.playout.timeline import Timeline
from gateway.playout.tracks import FaceTrack, SpeechTrack, i420_frame


def test_planes_are_copied_as_they_are() -> None:
    planes = np.random.default_rng(1).integers(16, 235, (768, 512), np.uint8)
    frame = i420_frame(planes, slot=25)
    assert np.array_equal(frame.to_ndarray(), planes)
    assert frame.format.name == "yuv420p"
    assert frame.pts * frame.time_base == 1


async def test_sound_is_made_for_opus_packets() -> None:
    timeline, moved = Timeline(), []
    timeline.append((np.sin(np.arange(960 * 5) / 10) * 9000).astype(np.int16))
    track = SpeechTrack(timeline, Pacer(), lambda: moved.append(timeline.head))
    encoder, packets, stamps = OpusEncoder(), 0, []
    for _ in range(10):
        payloads, stamp = encoder.encode(await track.recv())
        packets += len(payloads)
        stamps += [stamp] if payloads else []
    assert moved == [0, 1, 2, 3, 4]
    assert packets >= 9  # the resampler may hold one back
    assert set(np.diff(stamps)) == {960}  # 20 ms at 48 kHz
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


async def test_the_last_frame_is_held() -> None:
    timeline, shown = Timeline(), []
    timeline.put(0, np.full((768, 512), 50, np.uint8))
    track = FaceTrack(timeline, Pacer(), shown.append)
    for slot in range(3):
        timeline.take_audio(2 * slot)
        frame = await track.recv()
        assert frame.to_ndarray()[0, 0] == 50
    assert shown == [0]
    track.stop()


@pytest.fixture
def configured() -> Iterator[None]:
    modules: tuple[Any, ...] = (vpx, h264)
    before = [(module.DEFAULT_BITRATE, module.MIN_BITRATE, module.MAX_BITRATE) for module in modules]
    get_encoder, kept = rtcrtpsender.get_encoder, rtcrtpsender.RTP_HISTORY_SIZE
    encoders.configure(2_000_000)
    yield
    rtcrtpsender.get_encoder, rtcrtpsender.RTP_HISTORY_SIZE = get_encoder, kept
    for module, values in zip(modules, before, strict=True):
        module.DEFAULT_BITRATE, module.MIN_BITRATE, module.MAX_BITRATE = values


@pytest.mark.parametrize(("kind", "decoder"), [("video/VP8", "libvpx"), ("video/H264", "h264")])
@pytest.mark.usefixtures("configured")
def test_a_painting_keeps_its_grain(kind: str, decoder: str) -> None:
    """Still grain under a moving bright disc: at our settings the picture stays within a few grey levels."""
    encoder = rtcrtpsender.get_encoder(RTCRtpCodecParameters(mimeType=kind, clockRate=90_000, payloadType=97))
    assert encoder.target_bitrate == 2_000_000
    grain = np.random.default_rng(1).normal(110, 6, (512, 512))
    grain = (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1)) / 3
    codec, rows, errors = av.CodecContext.create(decoder, "r"), np.arange(512), []
    depayload = vpx.vp8_depayload if decoder == "libvpx" else h264.h264_depayload
    size = 0
    for slot in range(30):
        disc = (rows[:, None] - 256) ** 2 + (rows[None] - 200 - 4 * slot) ** 2 < 60**2
        planes = np.full((768, 512), 128, np.uint8)
        planes[:512] = np.where(disc, 200, grain).astype(np.uint8)
        payloads, stamp = encoder.encode(i420_frame(planes, slot), slot == 0)
        assert stamp == slot * 3600
        size += sum(map(len, payloads)) if slot else 0
        for decoded in codec.decode(av.Packet(b"".join(map(depayload, payloads)))):
            errors.append(np.abs(decoded.to_ndarray()[:512].astype(int) - planes[:512]).mean())
    assert np.median(errors) < 3
    assert size * 8 / 29 * 25 < 2_600_000
    codecs = [encoder.codec]
    encoder.target_bitrate = 1
    assert encoder.target_bitrate == 1_000_000
    encoder.encode(i420_frame(planes, 30))
    assert encoder.codec is not codecs[0] and encoder.codec.bit_rate == 1_000_000


@pytest.mark.usefixtures("configured")
def test_each_packet_of_speech_carries_the_one_before() -> None:
    """So that a browser can mend a loss. Where in a packet that is told: RFC 6716, sections 3.1 and 4.2.4."""
    encoder = rtcrtpsender.get_encoder(RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, payloadType=96))
    at = np.arange(24_000) / 24_000
    voice = sum(np.sin(2 * np.pi * 120 * number * at) / number for number in range(1, 20))
    samples = (voice * (1 + np.sin(2 * np.pi * 4 * at)) * 3000).astype(np.int16)  # it swells four times a second
    timeline, packets = Timeline(), []
    timeline.append(samples)
    for packet in range(50):
        frame = av.AudioFrame.from_ndarray(timeline.take_audio(packet).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 24_000, 480 * packet, Fraction(1, 24_000)
        packets += encoder.encode(frame)[0]
    assert len(packets) >= 48
    assert not any(packet[0] & 0b100 for packet in packets), "mono"
    assert all(packet[0] >> 3 < 16 for packet in packets), "only SILK, alone or below CELT, can carry another"
    assert sum(packet[1] >> 6 & 1 for packet in packets) > 0.8 * len(packets)
    assert sum(map(len, packets)) * 8 < 70_000
