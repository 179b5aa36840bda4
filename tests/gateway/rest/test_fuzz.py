"""The whole application under requests made up from its own document, over HTTP, with engines out of a script."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from scripted_inference import ScriptedInference, cloning_catalogue

import gateway.app
from gateway.settings import Settings

#: ANTLITZ_TEST_REQUESTS=10000 for the figure of the README.
REQUESTS = int(os.environ.get("ANTLITZ_TEST_REQUESTS", "600"))


@pytest.fixture
def url(tmp_path: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    async def nothing(self: Any) -> None:
        return None

    monkeypatch.setattr(ScriptedInference, "close", nothing, raising=False)
    monkeypatch.setattr(gateway.app, "Inference", lambda *_: ScriptedInference(cloning_catalogue()))
    server = uvicorn.Server(uvicorn.Config(gateway.app.create_app(Settings(data=tmp_path)), port=0, log_config=None))
    listening = threading.Event()
    startup = server.startup

    async def started(sockets: Any = None) -> None:
        await startup(sockets)
        listening.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert listening.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.mark.filterwarnings("ignore")  # Hypothesis' and schemathesis' own
def test_no_request_is_answered_with_500(url: str) -> None:
    fuzzing = pytest.importorskip("gateway.bench.fuzz", reason="schemathesis is missing: pip install -e '.[test]'")
    report = fuzzing.fuzz(url, REQUESTS, seed=int(os.environ.get("ANTLITZ_TEST_SEED", "1")))
    assert report.faults == []
    assert report.requests == REQUESTS and not [status for status in report.statuses if status >= 500]
    assert min(report.statuses[status] for status in (200, 400, 404)) > REQUESTS / 50, "requests of all kinds arrive"
    never = [name for name, statuses in report.by_operation.items() if not any(status < 400 for status in statuses)]
    assert never == [], "every operation was also asked for something that it can do"
    print(report.requests, dict(report.statuses))
