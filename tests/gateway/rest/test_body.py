"""Bodies that are too large, or do not come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from avatar_runtime.contracts import AvatarError, Code
from gateway.errors import respond
from gateway.rest import body


def request(receive: Callable[[], Awaitable[Message]], length: str = "") -> Request:
    headers = [(b"content-length", length.encode())] if length else []
    return Request({"type": "http", "method": "PUT", "path": "/", "headers": headers}, receive)


def arriving(*chunks: bytes, complete: bool = True) -> Callable[[], Awaitable[Message]]:
    """A body in pieces; one that is not complete never ends."""
    left: Iterator[tuple[int, bytes]] = iter(enumerate(chunks, 1))

    async def receive() -> Message:
        number, chunk = next(left, (0, b""))
        if not number:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": chunk, "more_body": not complete or number < len(chunks)}

    return receive


async def test_a_body_in_pieces() -> None:
    assert await body.read(request(arriving(b"one ", b"two")), 7) == b"one two"


async def test_a_body_over_its_limit_is_not_read_to_its_end() -> None:
    for length in ("", "8", "9" * 400):
        with pytest.raises(AvatarError) as caught:
            await body.read(request(arriving(b"1234", b"5678", complete=False), length), 7)
        assert caught.value.code is Code.TOO_LARGE


@pytest.mark.parametrize("limit", ["CHUNK_SECONDS", "BODY_SECONDS"])
async def test_a_body_that_does_not_come(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, limit, 0.02)
    with pytest.raises(Exception) as caught:
        await body.read(request(arriving(b"1", complete=False)), 7)
    answer = respond(caught.value)
    assert answer.status_code == 408 and b"did not come in time" in bytes(answer.body)
