"""A page that loses its network, or only its socket, comes back to its session, or to one that remembers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from loopback import Page, gateway, page, until
from scripted import Scripted
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.sessions import registry


async def come_back(url: str, token: str, character: str = "") -> tuple[Page, dict[str, Any]]:
    """Another page with the token of one before; and what the gateway greets it with."""
    one = Page()
    socket = await connect(f"{url}?resume")
    await socket.send(json.dumps({"type": "resume", "token": token}))
    hello = json.loads(await socket.recv())
    await one.talk(socket, character)
    return one, hello


async def vanish(one: Page) -> None:
    """The socket breaks without a goodbye, as when a process is killed."""
    one.socket.transport.abort()


async def test_a_lost_socket_finds_its_session_and_the_answer_goes_on() -> None:
    script = Scripted(voice=9.0)  # long enough for a new connection on a busy machine
    async with gateway(script, "ada", "bob") as (url, sessions), page(url, "bob") as one:
        await one.until(lambda: one.frames)
        (session,) = sessions.running
        one.tell(type="text", text="Say something long", mode="chat")
        await one.until(lambda: one.loud())
        await vanish(one)
        two, hello = await come_back(url, one.token, "bob")
        try:
            assert hello["resumed"] and hello["id"] == session.id
            assert sessions.running == {session}
            await two.until(lambda: two.loud() and two.frames)
            assert two.of("character")[-1]["character"]["id"] == "bob"
            assert two.of("state")[0]["state"] == "speaking"
            await two.until(lambda: two.captions("avatar") == ["Say something long"], 20)
            two.mic.speak(1.0)
            await two.until(lambda: two.captions("user") == ["Hello there"])
        finally:
            await two.leave()


async def test_a_new_page_takes_the_session_from_one_whose_network_is_silent() -> None:
    """The old socket looks open to the gateway: nobody has closed it."""
    async with gateway(Scripted(), max_sessions=1) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        (session,) = sessions.running
        two, hello = await come_back(url, one.token)
        try:
            assert hello["resumed"] and sessions.running == {session}
            await two.until(lambda: two.frames)
            shown = len(one.frames)
            two.tell(type="text", text="Hello", mode="say")
            await two.until(lambda: two.captions("avatar") == ["Hello"])
            assert len(one.frames) - shown < 10, "the old peer connection gets nothing any more"
            try:
                async with asyncio.timeout(10):
                    await one.socket.recv()
                raise AssertionError("nothing is said to a page that was displaced")
            except ConnectionClosed:
                assert sessions.running == {session}
        finally:
            await two.leave()


async def test_after_the_session_has_ended_a_new_one_remembers_what_was_said() -> None:
    async with gateway(Scripted(voice=0.2), "ada", "bob") as (url, sessions):
        async with page(url, "ada") as one:
            await one.until(lambda: one.frames)
            one.tell(type="text", text="I am Ann", mode="chat")
            await one.until(lambda: one.captions("avatar") == ["I am Ann"])
            (old,) = sessions.running
            await until(lambda: len(old.history) == 2)
            await vanish(one)
            await until(lambda: not sessions.running)
        two, hello = await come_back(url, one.token, "ada")
        (new,) = sessions.running
        assert not hello["resumed"] and hello["token"] != one.token
        assert new is not old and new.history == old.history
        await two.leave()
        await until(lambda: not sessions.running)
        other, _ = await come_back(url, hello["token"], "bob")
        (third,) = sessions.running
        assert third.history == [], "what was said to one character is nothing to another"
        await other.leave()


async def test_what_is_remembered_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "REMEMBERED", 1)
    async with gateway(Scripted(voice=0.2)) as (url, sessions):
        tokens = []
        for name in ("Ann", "Ben"):
            async with page(url) as one:
                one.tell(type="text", text=name, mode="chat")
                await one.until(lambda one=one, name=name: one.captions("avatar") == [name])
                (old,) = sessions.running
                await until(lambda old=old: len(old.history) == 2)
                await one.socket.send(json.dumps({"type": "bye"}))
                await until(lambda: not sessions.running)
                tokens.append(one.token)
        for token, lines in zip(tokens, (0, 2), strict=True):
            two, _ = await come_back(url, token)
            (new,) = sessions.running
            assert len(new.history) == lines
            await two.socket.send(json.dumps({"type": "bye"}))
            await until(lambda: not sessions.running)
            await two.leave()


async def test_a_wrong_token_begins_anew_and_garbage_is_refused() -> None:
    async with gateway(Scripted()) as (url, sessions):
        two, hello = await come_back(url, "guess")
        assert not hello["resumed"]
        await two.leave()
        for message in ({"type": "resume"}, {"type": "resume", "token": 5}, {"type": "resume", "token": "x" * 1000}):
            async with connect(f"{url}?resume") as socket:
                await socket.send(json.dumps(message))
                assert json.loads(await socket.recv())["code"] == "invalid_request"
        await until(lambda: not sessions.running)


async def test_the_clocks_of_page_and_gateway_are_compared() -> None:
    async with gateway(Scripted()) as (url, _), page(url) as one:
        one.channel.send('{"type":"ping","at":12.5}')
        await one.until(lambda: one.of("pong"))
        (pong,) = one.of("pong")
        assert pong["at"] == 12.5 and pong["now"] > 1e12
        one.channel.send('{"type":"ping","at":"x"}')
        await one.until(lambda: one.of("notice"))
