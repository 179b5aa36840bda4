"""What dies is started again: a real tritonserver, and a real process of a model, killed."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch import server as launcher
from triton_launch.command import ServerError
from triton_launch.keeper import Keeper
from triton_launch.server import Server

pytestmark = pytest.mark.server


KEY = "0123456789abcdef-_"


@pytest.fixture
def server(models: Path, tmp_path: Path) -> Iterator[Server]:
    """One with two models of its own."""
    one = Server(models, tmp_path, key=KEY)
    one._models = ["motion_speech", "vad_silero"]
    try:
        one.wait_ready()
        yield one
    finally:
        one.stop()
        assert not list(Path("/dev/shm").glob(f"{one._shared}*")), "it leaves no shared memory"


def ready(server: Server, model: str) -> bool:
    try:
        with server._ask(f"models/{model}/ready", 2):
            return True
    except OSError:
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


def test_a_process_that_dies_while_the_others_are_loaded_again_comes_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    real = Server._loaded

    def loaded(self: Server, name: str) -> bool:
        well = real(self, name)
        process = stub(self, "vad_silero")
        if process is not None and not killed:
            killed.append(process)
            os.kill(process, signal.SIGKILL)
        return well

    monkeypatch.setattr(Server, "_loaded", loaded)
    monkeypatch.setattr(launcher, "PAUSE_SECONDS", 0.1)
    with Keeper(server):
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: killed and stub(server, "vad_silero") not in (None, *killed))
        until(lambda: ready(server, "vad_silero"))


def test_a_long_log_begins_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.log is not None
    before = server.log.read_text("utf-8")
    assert "vad_silero" in before
    monkeypatch.setattr(launcher, "LOG_BYTES", len(before) - 1)
    with Keeper(server):
        until(lambda: server.log.stat().st_size < len(before) // 2)
        process = stub(server, "vad_silero")
        assert process is not None
        os.kill(process, signal.SIGKILL)
        until(lambda: "vad_silero" in server.log.read_text("utf-8"))
    assert server.log.with_name("tritonserver.log.1").read_text("utf-8").startswith(before)
    assert "\0" not in server.log.read_text("utf-8"), "it goes on at the beginning"


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


def test_without_a_key_the_whole_server_is_started_again(models: Path, tmp_path: Path) -> None:
    one = Server(models, tmp_path)
    try:
        one.wait_ready()
        with pytest.raises(urllib.error.HTTPError), one._ask("repository/models/vad_silero/load", 5, b"{}"):
            pass  # not even its own
        with Keeper(one):
            before, process = one.pid, stub(one, "vad_silero")
            assert process is not None
            os.kill(process, signal.SIGKILL)
            until(lambda: one.pid != before and ready(one, "vad_silero"), 60)
    finally:
        one.stop()


PROGRAM = json.dumps({"parameters": {"config": "{}", "file:1/model.py": base64.b64encode(b"evil").decode()}}).encode()


def test_nobody_loads_a_model_without_the_key(server: Server) -> None:
    url = f"http://127.0.0.1:{server.ports.http}/v2/repository/models/evil/load"
    for headers in ({}, {"antlitz-key": "wrong"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, PROGRAM, headers), timeout=5)
        refused.value.close()
        assert refused.value.code == 403
    with InferenceServerClient(server.address.rpartition("@")[2]) as client:
        for ask in (lambda: client.load_model("vad_silero"), client.get_model_repository_index):
            with pytest.raises(InferenceServerException, match="protocol is restricted"):
                ask()


async def test_a_gateway_that_was_told_the_key_sees_the_models(server: Server) -> None:
    knows, stranger = (Inference(address, Settings()) for address in (server.address, server.address[len(KEY) + 1 :]))
    assert (await knows.catalogue())["vad"]["ready"] and not (await stranger.catalogue())["vad"]["ready"]
    await knows.close()
    await stranger.close()
