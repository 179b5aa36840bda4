"""STUN, TURN and the relay's keys, without a network; tests/e2e/test_turn.py asks a real coturn."""

from __future__ import annotations

import pytest
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

from gateway import ice

TURN = ["turn:relay.example:3478?transport=udp", "turns:relay.example:5349?transport=tcp"]


def test_a_key_is_what_openssl_says() -> None:
    # printf '1700003600:antlitz' | openssl dgst -sha1 -hmac north -binary | base64
    assert ice.credentials("north", "antlitz", 1_700_003_600) == (
        "1700003600:antlitz",
        "cWzKHMGjwx/aosRGYXjhn7hJVXE=",
    )


def test_servers_are_told_with_a_key_for_the_relay_alone() -> None:
    stun, turn = ice.servers(["stun:a"], TURN, "north", 3600, "antlitz", now=1_700_000_000.9)
    assert stun == {"urls": ["stun:a"]}
    assert turn["urls"] == TURN
    assert (turn["username"], turn["credential"]) == ice.credentials("north", "antlitz", 1_700_003_600)
    assert ice.servers([], [], "", 3600, "antlitz", 0.0) == []


def test_aiortc_takes_the_first_relay_it_can_read() -> None:
    told = ice.servers([], ["turn:[2001:db8::1]:3478", *TURN], "north", 60, "x", 0.0)
    kwargs = connection_kwargs([RTCIceServer(**server) for server in ice.understood(told)])
    assert (kwargs["turn_server"], kwargs["turn_transport"]) == (("relay.example", 3478), "udp")
    assert (kwargs["turn_username"], kwargs["turn_password"]) == ice.credentials("north", "x", 60)
    assert ice.understood(ice.servers([], ["turn:[::1]"], "north", 60, "x", 0.0)) == []


@pytest.mark.parametrize(
    "url", [*TURN, "turn:10.0.0.1", "turns:relay.example", "turn:[2001:db8::1]:3478?transport=tcp"]
)
def test_relays_that_browsers_take(url: str) -> None:
    ice.check([], [url], "north")


@pytest.mark.parametrize(
    "url", ["relay.example", "turn:", "turn:a?transport=tls", "turns:a?transport=udp", "turn:a b", "stun:a"]
)
def test_relays_that_they_do_not_take_are_named(url: str) -> None:
    with pytest.raises(ValueError, match="ANTLITZ_TURN_URLS should"):
        ice.check([], [url], "north")


def test_a_relay_that_gave_nothing_is_noticed() -> None:
    relayed = "a=candidate:1 1 udp 16777215 10.0.0.1 50000 typ relay raddr 0.0.0.0 rport 0"
    told = ice.servers(["stun:a"], TURN, "north", 60, "x", 0.0)
    assert ice.relay_missing(told, "a=candidate:1 1 udp 2130706431 10.0.0.2 5000 typ host")
    assert not ice.relay_missing(told, relayed)
    assert not ice.relay_missing([{"urls": ["stun:a"]}], "")
