"""The application as a whole, with no Triton behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gateway.app import create_app
from gateway.settings import Settings

OWN = "http://localhost:8080"  # a name that the gateway answers to
SOCKET = "ws://localhost:8080/api/session"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, triton="127.0.0.1:9")  # the discard port: nobody answers


def test_the_page_and_its_headers(settings: Settings) -> None:
    with TestClient(create_app(settings), OWN) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        script = client.get("/client/src/main.js")
        assert script.status_code == 200
        assert script.headers["cache-control"] == "no-cache"
        assert client.get("/client/../gateway/app.py").status_code == 404
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/nowhere").json()["error"]["code"] == "not_found"


def test_the_default_characters_are_there(settings: Settings) -> None:
    with TestClient(create_app(settings), OWN) as client:
        assert len(client.get("/api/characters").json()["characters"]) >= 3


def test_a_session_needs_no_engines_to_begin(settings: Settings) -> None:
    with TestClient(create_app(settings), OWN) as client, client.websocket_connect(SOCKET) as socket:
        hello = socket.receive_json()
        assert hello["type"] == "session"
        assert hello["iceServers"] == []
        socket.send_json({"type": "bye"})
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1000


def test_another_sites_page_is_refused(settings: Settings) -> None:
    with TestClient(create_app(settings), OWN) as client:
        with pytest.raises(WebSocketDisconnect):
            with client.websocket_connect(SOCKET, headers={"origin": "https://evil.example"}):
                pass
