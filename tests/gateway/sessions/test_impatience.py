from __future__ import annotations

from aiortc import RTCPeerConnection

from gateway.sessions.impatience import hand_over_at_once


async def test_the_aiortc_that_is_installed_can_be_told() -> None:
    connection = RTCPeerConnection()
    transceiver = connection.addTransceiver("audio")
    assert hand_over_at_once(transceiver.receiver)
    await connection.close()


def test_another_receiver_is_left_alone() -> None:
    assert not hand_over_at_once(object())
