"""`antlitz up` on an address that others reach, with no Triton behind it: its token, its certificate, its proxies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

READY = re.compile(r"ready: https?://\S+?:(\d+)/(?:#token=(\S+))?")


class Up:
    """A running `antlitz up`."""

    def __init__(self, data: Path, **environ: str) -> None:
        command = [str(Path(sys.executable).with_name("antlitz")), "up", "--triton", "127.0.0.1:9", "--port", "0"]
        settings = {"ANTLITZ_DATA": str(data), "ANTLITZ_LOG_LEVEL": "debug", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **settings, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._ready.wait(120), self.said
        found = READY.search(self.said)
        assert found is not None, self.said
        self.port, self.token = int(found[1]), found[2]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
            if "token" in line.lower() and "which is in" in line:
                self._ready.set()
        self._ready.set()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def up(data: Path, **environ: str) -> Iterator[Up]:
    running = Up(data, **environ)
    try:
        yield running
    finally:
        running.stop()


def test_a_token_is_printed_once_and_opens_the_doors(tmp_path: Path) -> None:
    with up(tmp_path, ANTLITZ_HOST="0.0.0.0") as first:
        token = (tmp_path / "token").read_text().strip()
        assert first.token == token and len(token) >= 43
        with httpx.Client(base_url=f"https://127.0.0.1:{first.port}", verify=False) as client:
            assert client.get("/api/characters").status_code == 401
            bearer = {"Authorization": f"Bearer {token}"}
            assert client.get("/api/characters", headers=bearer).status_code == 200
            cookie = client.post("/api/login", json={"token": token}).headers["set-cookie"]
            assert cookie.startswith("__Host-antlitz=") and "Secure" in cookie
            # This machine may read the figures; whom a proxy speaks for may not.
            assert client.get("/metrics", headers={"Cookie": ""}).status_code == 200
            remote = {"X-Forwarded-For": "192.0.2.9", "Cookie": ""}
            assert client.get("/metrics", headers=remote).status_code == 401
    assert first.said.count(token) == 1, "in the address it printed, and in no log"
    with up(tmp_path, ANTLITZ_HOST="0.0.0.0", ANTLITZ_PROXIES="192.0.2.1") as again:
        assert again.token is None and token not in again.said
        with httpx.Client(base_url=f"https://127.0.0.1:{again.port}", verify=False) as client:
            assert client.get("/api/characters", headers=bearer).status_code == 200
            # 127.0.0.1 is no proxy now, so what it says of others does not count.
            assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 200


def test_a_token_of_the_operator(tmp_path: Path) -> None:
    secret = "of-the-operator-0123456789"
    with up(tmp_path, ANTLITZ_TOKEN=secret) as running:
        with httpx.Client(base_url=f"http://127.0.0.1:{running.port}") as client:
            assert client.get("/api/characters").status_code == 401
            assert client.get("/api/characters", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert secret not in running.said and not (tmp_path / "token").exists()


@pytest.mark.parametrize("token", ["short", "with-ümlaut-0123456789"])
def test_a_token_that_is_none(token: str, tmp_path: Path) -> None:
    environ = {**os.environ, "ANTLITZ_DATA": str(tmp_path), "ANTLITZ_TOKEN": token}
    command = [str(Path(sys.executable).with_name("antlitz")), "up"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and done.stderr == "antlitz: ANTLITZ_TOKEN should be at least 16 characters of ASCII.\n"


@pytest.mark.parametrize(
    ("variable", "address", "sentence"),
    [
        ("ANTLITZ_DATABASE", "postgresql://antlitz:secret@127.0.0.1:9/antlitz", "does not answer at the moment"),
        ("ANTLITZ_DATABASE", "mysql://127.0.0.1/antlitz", "ANTLITZ_DATABASE should be an address like postgresql://"),
        ("ANTLITZ_ASSETS", "/srv/faces", "ANTLITZ_ASSETS should be an address like s3://"),
    ],
)
def test_characters_that_cannot_be_had(variable: str, address: str, sentence: str, tmp_path: Path) -> None:
    environ = {**os.environ, "ANTLITZ_DATA": str(tmp_path), variable: address}
    command = [str(Path(sys.executable).with_name("antlitz")), "up", "--triton", "127.0.0.1:9", "--port", "0"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (1, 2) and "secret" not in done.stderr + done.stdout
    assert done.stderr.startswith("antlitz: ") and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
