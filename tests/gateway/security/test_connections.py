"""Connections that are opened and not used, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from gateway.rest.body import read
from gateway.security.connections import BoundedProtocol, LeavingWebSocket

HEAD = 0.4  # s here for a request's head
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /flood HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"  # a WebSocket's close frame, masked with zeros: 1000


async def slow(request: Request) -> Response:
    await asyncio.sleep(2 * HEAD)
    return PlainTextResponse("done")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def upload(request: Request) -> Response:
    return PlainTextResponse(str(len(await read(request, 1_000))))


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr("gateway.security.connections.HEAD_SECONDS", HEAD)
    app = Starlette(
        routes=[Route("/", slow), Route("/upload", upload, methods=["POST"]), WebSocketRoute("/echo", echo)]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", http=BoundedProtocol, timeout_keep_alive=60))
    listening = socket.create_server(("127.0.0.1", 0))  # who connects before the server has started waits for it
    running = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await running


async def drip(writer: asyncio.StreamWriter, text: bytes, every: float) -> None:
    """Byte by byte, until the other end hangs up."""
    try:
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every)
    except ConnectionError:
        return


async def hung_up(reader: asyncio.StreamReader) -> bytes:
    """What came until the other end hung up; TimeoutError when it does not."""
    async with asyncio.timeout(10 * HEAD):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_who_sends_nothing_is_hung_up_on(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await hung_up(reader) == b""
    writer.close()


async def test_who_sends_a_head_byte_by_byte_is_hung_up_on(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    dripping = asyncio.create_task(drip(writer, GET * 10, HEAD / 8))
    assert await hung_up(reader) == b""
    dripping.cancel()
    writer.close()


async def test_so_is_who_does_it_after_a_first_request(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200"), "an answer may take longer than a head"
    dripping = asyncio.create_task(drip(writer, GET * 10, HEAD / 8))
    assert await hung_up(reader) == b""
    dripping.cancel()
    writer.close()


async def test_who_asks_again_and_again_is_answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(GET)
        await reader.readuntil(b"done")
    writer.close()


async def test_a_websocket_may_be_silent_for_longer(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/echo") as talk:
        await asyncio.sleep(2 * HEAD)
        await talk.send("still here")
        assert await talk.recv() == "still here"


async def test_a_body_that_does_not_come(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rest.body.CHUNK_SECONDS", HEAD)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    assert (await hung_up(reader)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_body_that_comes_byte_by_byte(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rest.body.BODY_SECONDS", HEAD)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n")
    dripping = asyncio.create_task(drip(writer, bytes(900), HEAD / 8))
    assert (await hung_up(reader)).startswith(b"HTTP/1.1 408")
    dripping.cancel()
    writer.close()


async def test_the_server_ends_in_order_while_a_page_is_leaving() -> None:
    """It has said goodbye and takes nothing more, as behind a network that is gone."""
    ended = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        ended.append(True)

    async def flood(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_bytes(bytes(8 * 2**20))
        assert (await websocket.receive())["type"] == "websocket.disconnect"

    app = Starlette(routes=[WebSocketRoute("/flood", flood)], lifespan=lifespan)
    config = uvicorn.Config(app, log_level="critical", ws=LeavingWebSocket, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve([listening]))
    with socket.create_connection(listening.getsockname()) as page:
        page.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(page, UPGRADE)
        assert (await loop.sock_recv(page, 16)).startswith(b"HTTP/1.1 101")
        await asyncio.sleep(0.1)  # both buffers are full
        await loop.sock_sendall(page, GOODBYE)
        await asyncio.sleep(0.1)
        assert server.server_state.connections
        server.should_exit = True
        async with asyncio.timeout(10):
            await running
    assert ended
