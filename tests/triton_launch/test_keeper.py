"""What dies is started again: a real tritonserver, and a real process of a model, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triton_launch.keeper import Keeper
from triton_launch.server import Server, ServerError

pytestmark = pytest.mark.server


@pytest.fixture
def server(models: Path, tmp_path: Path) -> Iterator[Server]:
    """One with two models of its own."""
    one = Server(models, tmp_path)
    one._models = ["motion_speech", "vad_silero"]
    try:
        one.wait_ready()
        yield one
    finally:
        one.stop()
        assert not list(Path("/dev/shm").glob(f"{one._shared}*")), "it leaves no shared memory"


def ready(server: Server, model: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.ports.http}/v2/models/{model}/ready", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def stub(server: Server, model: str) -> int | None:
    """The process of a model."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(server.pid)], capture_output=True, text=True
    )
    found = [int(line.split()[0]) for line in listed.stdout.splitlines() if f"/{model}/" in line]
    return found[0] if found else None


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_dead_process_of_a_model_comes_back_twice(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Keeper(server):
        for count in (1, 2):
            before = stub(server, "vad_silero")
            assert before is not None
            os.kill(before, signal.SIGKILL)
            until(lambda count=count: caplog.text.count("vad_silero is back") == count)
            assert stub(server, "vad_silero") not in (None, before) and ready(server, "vad_silero")
        assert ready(server, "motion_speech")


def test_a_dead_server_comes_back_with_its_models(server: Server) -> None:
    with Keeper(server):
        before = server.pid
        os.kill(before, signal.SIGKILL)
        until(lambda: server.pid != before and ready(server, "vad_silero") and ready(server, "motion_speech"))


def test_a_model_that_was_unloaded_on_purpose_stays_away(server: Server) -> None:
    with Keeper(server):
        assert stub(server, "vad_silero") is not None
        with server._ask("repository/models/vad_silero/unload", 10, b"{}"):
            pass
        until(lambda: stub(server, "vad_silero") is None)
        assert server.reload("vad_silero") is False
        assert not ready(server, "vad_silero")


def test_a_server_that_cannot_live_is_said_to_be_dead(models: Path, tmp_path: Path) -> None:
    one = Server(models, tmp_path, arguments=["--no-such-option"])
    with pytest.raises(ServerError, match="ended with status"):
        one.wait_ready()
    one.stop()
