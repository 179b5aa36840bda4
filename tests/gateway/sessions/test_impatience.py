from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import numpy as np
from aiortc import RTCPeerConnection
from aiortc.codecs.opus import OpusEncoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.rtp import RtpPacket

from gateway.bench.rough import Conditions, Wire
from gateway.sessions.impatience import FAR, PATIENCE, Order, hand_over_at_once


def through(numbers: list[int]) -> list[list[int]]:
    order: Order[int] = Order()
    return [order.add(number, number) for number in numbers]


def test_what_comes_in_order_goes_on_at_once() -> None:
    assert through([7, 8, 9]) == [[7], [8], [9]]
    assert through([65534, 65535, 0, 1]) == [[65534], [65535], [0], [1]]


def test_packets_that_overtook_one_are_put_in_order() -> None:
    assert through([1, 3, 4, 2, 5]) == [[1], [], [], [2, 3, 4], [5]]
    assert through([65535, 1, 0]) == [[65535], [], [0, 1]]


def test_a_lost_packet_is_waited_for_a_while_and_delays_nothing_after_that() -> None:
    later = list(range(3, 3 + 2 * PATIENCE))
    out = through([1, *later])
    assert out[:PATIENCE] == [[1], *[[]] * (PATIENCE - 1)]
    assert out[PATIENCE] == later[:PATIENCE], "all at once"
    assert out[PATIENCE + 1 :] == [[each] for each in later[PATIENCE:]]


def test_what_is_too_late_or_comes_twice_is_left_out() -> None:
    assert through([1, 2, 2, 1, 3]) == [[1], [2], [], [], [3]]


def test_a_sender_that_begins_anew_is_followed() -> None:
    assert through([5000, 5001, 5000 - 2 * FAR, 5001 - 2 * FAR]) == [[5000], [5001], [4800], [4801]]
    assert through([1, 20_000, 20_001]) == [[1], [20_000], [20_001]]


def test_on_a_rough_network_sound_is_late_by_what_is_missing_and_no_more() -> None:
    wire, order = Wire(3), Order[int]()
    wire.conditions = Conditions(loss=0.05, delay=0.1, jitter=0.1)
    ages = []
    for tick in range(60_000):
        now = tick / 1000
        if tick % 20 == 0:
            wire.send((tick // 20).to_bytes(4), now)
        for packet in wire.arrived(now):
            number = int.from_bytes(packet)
            ages += [now - each * 0.02 for each in order.add(number, number)]
    assert len(ages) > 0.9 * 3000
    assert np.median(ages) < 0.22 and max(ages) < 0.4


async def test_a_receiver_of_aiortc_decodes_each_packet_when_it_is_there() -> None:
    connection = RTCPeerConnection()
    receiver = connection.addTransceiver("audio").receiver
    receiver._track = RemoteStreamTrack("audio")
    assert hand_over_at_once(receiver)
    codec = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=111)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[codec]))
    encoder, packets = OpusEncoder(), []
    for number in range(12):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * number, Fraction(1, 48_000)
        packets += encoder.encode(frame)[0]
    heard = [0, 2, 3, 1, *range(5, 10)]  # 1 is late, 4 is lost
    decoded = []
    for number in heard:
        packet = RtpPacket(payload_type=111, sequence_number=number, timestamp=960 * number, ssrc=1)
        packet.payload = packets[number]
        await receiver._handle_rtp_packet(packet, 0)
    async with asyncio.timeout(10):
        while len(decoded) < 4:
            decoded.append((await receiver.track.recv()).pts // 960)
    assert decoded == [0, 1, 2, 3], "4 is still waited for"
    await receiver.stop()
    await connection.close()


def test_another_receiver_is_left_alone() -> None:
    assert not hand_over_at_once(object())
