"""A gateway is stopped when its last talk has ended, or when that takes too long."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest


@pytest.fixture(scope="module")
def drain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("drain", Path(__file__).parents[2] / "triton" / "drain.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.EVERY_SECONDS = 0.001  # type: ignore[attr-defined]
    return module


class Gateway:
    """Its /metrics, which tell `running`, one after another, and then the last one again."""

    def __init__(self, running: list[float]) -> None:
        gateway = self
        self.running, self.asked = running, 0

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry = CollectorRegistry()
                Gauge("antlitz_sessions", "Sessions that run", registry=registry).set(gateway.next())
                self.send_response(200)
                self.end_headers()
                self.wfile.write(generate_latest(registry))

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.port = str(self.server.server_port)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self) -> float:
        self.asked += 1
        return self.running[min(self.asked, len(self.running)) - 1]


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    started = Gateway(request.param)
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.mark.parametrize("gateway", [[2.0, 1.0, 1.0, 0.0]], indirect=True)
def test_it_waits_for_the_last_talk(drain: ModuleType, gateway: Gateway) -> None:
    assert drain.drain(gateway.port, most=60)
    assert gateway.asked == 4


@pytest.mark.parametrize("gateway", [[1.0]], indirect=True)
def test_it_does_not_wait_for_ever(drain: ModuleType, gateway: Gateway) -> None:
    assert not drain.drain(gateway.port, most=0.05)


def test_nobody_is_waited_for_where_no_gateway_runs(drain: ModuleType) -> None:
    assert drain.drain("1", most=60)
