"""The command line: what it says to words it does not know, and the models' files."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.up import loopback, url
from gateway.settings import Settings
from triton_launch.manifest import choose, load


def test_help_and_unknown_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0 and "antlitz COMMAND" in capsys.readouterr().out
    assert cli.main([]) == 2
    assert cli.main(["dance"]) == 2 and "no command 'dance'" in capsys.readouterr().err
    assert cli.main(["bench", "nothing"]) == 2


def test_a_setting_that_makes_no_sense_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTLITZ_PORT", "many")
    assert cli.main(["models", "list"]) == 2
    assert capsys.readouterr().err.startswith("antlitz: ANTLITZ_PORT should be a int")


def test_models_are_listed_and_verified(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTLITZ_MODELS", str(tmp_path))
    assert cli.main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert all(model.name in out for model in load())
    altered = tmp_path / choose(["mediapipe"])[0].files[0].path
    altered.parent.mkdir()
    altered.write_bytes(b"other")
    assert cli.main(["models", "verify", "mediapipe"]) == 1
    out = capsys.readouterr().out
    assert "is altered: run `antlitz models pull mediapipe`" in out and "is missing" in out
    assert not altered.exists(), "the next pull brings it again"
    assert cli.main(["models", "verify", "nobody"]) == 2


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("example", False)]
)
def test_https_off_loopback(host: str, local: bool) -> None:
    assert loopback(host) is local
    assert url(Settings(host=host), 8080).startswith("http://localhost:" if local else "https://")


def test_a_port_that_is_taken_is_said_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["up", "--port", str(port)]) == 2
    assert f"port {port} cannot be listened on" in capsys.readouterr().err
