"""The doors of the whole application, with no Triton behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from gateway.app import create_app
from gateway.security.guard import AT_ONCE, LOGINS_AT_ONCE, Guard
from gateway.security.policy import Policy
from gateway.security.token import Token
from gateway.settings import Settings

TOKEN = "a-token-of-a-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SOCKET = "wss://faces.example/api/session"
WORDS = "zanzibar xylophone"  # no log should ever have them

Open = Callable[..., TestClient]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Starts a gateway: what it is set to, and how a client of it calls it and comes from."""
    with ExitStack() as stack:

        def start(url: str = "https://faces.example", address: str = "192.0.2.9", **settings: object) -> TestClient:
            chosen = {"data": tmp_path, "triton": "127.0.0.1:9", "token": TOKEN, "hosts": "faces.example", **settings}
            client = TestClient(create_app(Settings(**chosen)), url, client=(address, 50_000), follow_redirects=False)
            return stack.enter_context(client)

        yield start


def code(response: object) -> str:
    return str(response.json()["error"]["code"])  # type: ignore[attr-defined]


def test_the_token_opens_rest_and_sessions(opened: Open) -> None:
    client = opened()
    for path in ("/api/characters", "/api/openapi.json", "/nowhere", "/api/session"):
        assert client.get(path).status_code == 401
    refused = client.post("/api/characters", json={"name": "ada"})
    assert refused.status_code == 401 and code(refused) == "unauthorized"
    assert refused.headers["www-authenticate"] == "Bearer"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET):
        pass
    assert client.get("/api/characters", headers=BEARER).status_code == 200
    with client.websocket_connect(SOCKET, headers=BEARER) as socket:
        assert socket.receive_json()["type"] == "session"


def test_a_token_for_a_cookie(opened: Open) -> None:
    client = opened()
    page = client.get("/")
    assert page.status_code == 401 and "login.js" in page.text, "who is not known gets the login page"
    wrong = client.post("/api/login", json={"token": "wrong"})
    assert wrong.status_code == 401 and wrong.json()["error"]["message"] == "This is not the token."
    assert "set-cookie" not in wrong.headers
    right = client.post("/api/login", json={"token": TOKEN})
    assert right.status_code == 204
    cookie = right.headers["set-cookie"]
    assert cookie.startswith("__Host-antlitz=") and TOKEN not in cookie
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert "main.js" in client.get("/").text
    own = {"Origin": "https://faces.example"}
    assert client.post("/api/characters", json={"name": "ada"}, headers=own).status_code == 201
    with client.websocket_connect(SOCKET, headers=own) as socket:
        assert socket.receive_json()["type"] == "session"
    foreign = {"Origin": "https://evil.example"}
    assert client.post("/api/characters", json={"name": "bob"}, headers=foreign).status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers=foreign):
        pass
    assert client.post("/api/logout", headers=own).status_code == 204
    assert client.get("/api/characters").status_code == 401


def test_over_plain_http_the_cookie_is_not_for_https(opened: Open) -> None:
    client = opened("http://faces.example")
    cookie = client.post("/api/login", json={"token": TOKEN}).headers["set-cookie"]
    assert cookie.startswith("antlitz=") and "Secure" not in cookie and "HttpOnly" in cookie


def test_localhost_needs_no_token(opened: Open) -> None:
    client = opened("http://localhost:8080", "127.0.0.1", token="", hosts="")
    assert "main.js" in client.get("/").text
    assert client.post("/api/characters", json={"name": "ada"}).status_code == 201
    assert client.post("/api/login", json={"token": "any"}).status_code == 204
    assert not list((client.app.state.settings.data).glob("token"))


def test_a_name_rebound_to_localhost(opened: Open) -> None:
    client = opened("http://evil.example", "127.0.0.1", token="", hosts="")
    for method, path in (("GET", "/"), ("GET", "/api/characters"), ("DELETE", "/api/characters/mona-lisa")):
        assert client.request(method, path).status_code == 421
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://evil.example/api/session"):
        pass
    assert len(opened("http://localhost", token="", hosts="").get("/api/characters").json()["characters"]) >= 3


def test_no_other_site_is_let_in_by_cors(opened: Open) -> None:
    client = opened("http://localhost:8080", "127.0.0.1", token="", hosts="")
    foreign = {"Origin": "https://evil.example"}
    asked = {**foreign, "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    for response in (
        client.options("/api/characters", headers=asked),
        client.get("/api/characters", headers=foreign),
        client.post("/api/characters", headers={**foreign, "Content-Type": "text/plain"}, content='{"name":"a"}'),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_headers_are_on_every_answer(opened: Open) -> None:
    client = opened()
    for response in (
        client.get("/"),
        client.get("/client/style.css"),
        client.get("/api/characters"),
        client.get("/api/characters", headers=BEARER),
        client.get("/nowhere", headers=BEARER),
        client.get("/", headers={"Host": "evil.example"}),
    ):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-frame-options"] == "DENY"
        assert "geolocation=()" in response.headers["permissions-policy"]
    assert "connect-src 'self' wss://faces.example;" in client.get("/").headers["content-security-policy"]
    odd = client.get("/", headers={"Host": "faces.example; script-src *"})
    assert "*" not in odd.headers["content-security-policy"]


def test_too_many_requests_from_one_address(opened: Open) -> None:
    client = opened(rate=1)
    answers = [client.get("/healthz") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].headers["retry-after"] == "1" and code(answers[-1]) == "too_many_requests"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers=BEARER):
        pass


def test_what_makes_work_costs_more(opened: Open) -> None:
    client = opened(rate=1)
    answers = [client.post("/nowhere", headers=BEARER).status_code for _ in range(5)]
    assert answers == [404] * 4 + [429]


def test_tokens_cannot_be_tried(opened: Open) -> None:
    client = opened()
    tried = [client.post("/api/login", json={"token": str(number)}).status_code for number in range(LOGINS_AT_ONCE + 1)]
    assert tried == [401] * LOGINS_AT_ONCE + [429]


def test_an_address_has_so_many_conversations(opened: Open) -> None:
    client = opened(address_sessions=1)
    with client.websocket_connect(SOCKET, headers=BEARER) as first:
        assert first.receive_json()["type"] == "session"
        with client.websocket_connect(SOCKET, headers=BEARER) as second:
            refused = second.receive_json()
            assert (refused["code"], refused["retryable"]) == ("too_many_sessions", True)
        first.send_json({"type": "bye"})
        with pytest.raises(WebSocketDisconnect):
            first.receive_json()
    with client.websocket_connect(SOCKET, headers=BEARER) as third:
        assert third.receive_json()["type"] == "session"


async def test_a_visitor_has_so_many_requests_at_once() -> None:
    answered = asyncio.Event()
    statuses: list[int] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answered.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.request"}

    guard = Guard(slow, Policy(Token(TOKEN), None), rate=0, login=Path())

    async def upload(address: str) -> None:
        headers = [(b"host", b"x"), (b"authorization", f"Bearer {TOKEN}".encode())]
        scope = {"type": "http", "method": "PUT", "path": "/x", "headers": headers, "client": (address, 5)}
        await guard(scope, receive, send)

    async with asyncio.TaskGroup() as running:
        for _ in range(AT_ONCE):
            running.create_task(upload("192.0.2.9"))
        running.create_task(upload("192.0.2.10"))
        await asyncio.sleep(0)
        await upload("192.0.2.9")
        assert statuses == [429]
        answered.set()
    assert statuses == [429] + [200] * (AT_ONCE + 1)
    await upload("192.0.2.9")
    assert statuses[-1] == 200


def test_nothing_outside_the_page_is_served(opened: Open) -> None:
    client = opened()
    for path in (
        "/client/../gateway/app.py",
        "/client/%2e%2e/gateway/app.py",
        "/client/..%2fpyproject.toml",
        "/client//etc/passwd",
        "/client/%00",
        "/client/src/..%5c..%5cREADME.md",
        "/api/characters/..%2f..%2fcharacters.db/portrait",
        "/api/characters/%00/portrait",
    ):
        assert client.get(path, headers=BEARER).status_code == 404


def test_neither_secrets_nor_words_are_logged(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "gateway"):
        client = opened()
        client.post("/api/login", json={"token": TOKEN})
        client.post("/api/login", json={"token": "wrong-" + TOKEN})
        client.post("/api/characters", json={"name": "ada", "personality": WORDS}, headers=BEARER)
        client.post("/api/synthesize", json={"text": WORDS}, headers=BEARER)
        client.post("/api/transcribe", files={"file": b"RIFF" + WORDS.encode()}, headers=BEARER)
        client.post("/api/synthesize", content='{"text": "' + WORDS, headers=BEARER)
        with client.websocket_connect(f"{SOCKET}?resume", headers=BEARER) as socket:
            socket.send_json({"type": "resume", "token": "seat-" + TOKEN})
            seat = socket.receive_json()["token"]
            socket.send_json({"type": "offer", "sdp": WORDS, "character": ""})
            assert socket.receive_json()["type"] == "error"
    assert "session" in caplog.text
    for secret in (TOKEN, seat, WORDS, WORDS.split()[0]):
        assert secret not in caplog.text
