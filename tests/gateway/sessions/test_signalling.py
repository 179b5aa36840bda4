"""The WebSocket: garbage, limits, origins, goodbyes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiortc import RTCSessionDescription
from loopback import Page, gateway, page, until
from scripted import Scripted
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

OFFER = {"type": "offer", "sdp": "v=0\r\n", "character": "ada"}


async def rest(socket: Any) -> list[dict[str, Any]]:
    """What is still said until the socket closes."""
    said = []
    try:
        async with asyncio.timeout(15):
            while True:
                said.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return said


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("hello", "invalid_request"),
        (b"\x00\x01\x02", "invalid_request"),
        ("[]", "invalid_request"),
        ("5", "invalid_request"),
        ("[" * 100_000, "invalid_request"),
        (json.dumps({"type": "dance"}), "invalid_request"),
        (json.dumps({"type": "offer"}), "invalid_request"),
        (json.dumps({"type": "offer", "sdp": 5}), "invalid_request"),
        (json.dumps({"type": "offer", "sdp": "v=0", "character": ["x"]}), "invalid_request"),
        (json.dumps({"type": "offer", "sdp": "nonsense"}), "invalid_request"),
        (json.dumps({**OFFER, "sdp": "v=0\r\nm=audio x y\r\n"}), "invalid_request"),
        (json.dumps({**OFFER, "character": "nobody"}), "unknown_character"),
        (json.dumps({"type": "candidate", "candidate": {"candidate": "x"}}), "invalid_request"),
        (json.dumps({"type": "candidate", "candidate": 7}), "invalid_request"),
        ("x" * 300_000, "too_large"),
    ],
)
async def test_garbage_gets_one_error_and_a_polite_end(message: str | bytes, code: str) -> None:
    async with gateway(Scripted()) as (url, sessions), connect(url) as socket:
        assert json.loads(await socket.recv())["type"] == "session"
        await socket.send(message)
        said = await rest(socket)
        assert [(one["type"], one["code"]) for one in said] == [("error", code)]
        assert said[0]["message"].endswith(".")
        assert not sessions.running


async def test_a_flood_of_messages_ends_the_session() -> None:
    async with gateway(Scripted()) as (url, sessions), connect(url) as socket:
        await socket.recv()
        for _ in range(300):
            await socket.send(json.dumps({"type": "candidate", "candidate": None}))
        said = await rest(socket)
        assert [one["code"] for one in said] == ["invalid_request"] and "too many" in said[0]["message"]
        assert not sessions.running


async def test_too_many_sessions_are_refused_and_places_become_free() -> None:
    async with gateway(Scripted(), max_sessions=1) as (url, sessions):
        async with page(url):
            async with connect(url) as socket:
                said = await rest(socket)
                assert [(one["type"], one["code"], one["retryable"]) for one in said] == [
                    ("error", "too_many_sessions", True)
                ]
        await until(lambda: not sessions.running)
        async with page(url):
            assert len(sessions.running) == 1


async def test_a_foreign_origin_is_refused_and_our_own_is_not() -> None:
    async with gateway(Scripted()) as (url, _):
        with pytest.raises(InvalidStatus):
            await connect(url, origin="https://evil.example")  # type: ignore[arg-type]
        own = url.replace("ws://", "http://").removesuffix("/api/session")
        async with connect(url, origin=own) as socket:  # type: ignore[arg-type]
            assert json.loads(await socket.recv())["type"] == "session"


async def test_bye_ends_the_session() -> None:
    async with gateway(Scripted()) as (url, sessions), page(url) as one:
        await one.socket.send(json.dumps({"type": "bye"}))
        assert await rest(one.socket) == []
        assert not sessions.running


async def test_trickled_candidates_connect() -> None:
    async with gateway(Scripted()) as (url, _):
        one = Page()
        one.socket = await connect(url)
        await one.socket.recv()
        await one.peer.setLocalDescription(await one.peer.createOffer())
        sdp = one.peer.localDescription.sdp.splitlines()
        found = [line.removeprefix("a=") for line in sdp if line.startswith("a=candidate")]
        bare = [line for line in sdp if not line.startswith(("a=candidate", "a=end-of-candidates"))]
        await one.socket.send(json.dumps({"type": "offer", "sdp": "\r\n".join(bare) + "\r\n", "character": ""}))
        answer = json.loads(await one.socket.recv())
        await one.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        for line in found:
            candidate = {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}
            await one.socket.send(json.dumps({"type": "candidate", "candidate": candidate}))
        await one.socket.send(json.dumps({"type": "candidate", "candidate": None}))
        await one.until(lambda: one.frames)
        await one.leave()


async def test_closing_the_gateway_ends_every_session() -> None:
    async with gateway(Scripted()) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        await sessions.close_all()
        assert not sessions.running


async def test_a_second_offer_renegotiates() -> None:
    async with gateway(Scripted(voice=0.2), "ada", "bob") as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        await one.peer.setLocalDescription(await one.peer.createOffer())
        offer = {"type": "offer", "sdp": one.peer.localDescription.sdp, "character": "bob"}
        await one.socket.send(json.dumps(offer))
        answer = json.loads(await one.socket.recv())
        await one.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        assert one.of("character")[-1]["character"]["id"] == "bob"
        one.tell(type="text", text="Hello", mode="say")
        await one.until(lambda: one.captions("avatar") == ["Hello"])


async def test_a_bug_ends_the_session_with_an_id_and_no_words_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Scripted):
        def vad(self) -> Any:
            raise ZeroDivisionError("secret words")

    async with gateway(Broken()) as (url, sessions), page(url) as one:
        said = await rest(one.socket)
        assert said[-1]["code"] == "internal"
        assert not sessions.running
    assert "secret" not in caplog.text
    assert said[-1]["message"].split()[-1].rstrip(".") in caplog.text


async def test_a_lost_peer_is_told_on_the_socket() -> None:
    async with gateway(Scripted()) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        await one.peer.close()
        said = await rest(one.socket)
        assert said[-1]["code"] == "timeout" and said[-1]["retryable"]
        assert not sessions.running
