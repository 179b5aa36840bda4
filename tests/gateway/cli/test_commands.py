"""The command line: what it says to words it does not know, and the models' files."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize("ports", [["x"], ["0"], ["70000"], ["1", "2", "3", "4"]])
def test_serve_wants_ports(ports: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["serve", *ports])
    assert caught.value.code == 2 and "error: " in capsys.readouterr().err


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


@pytest.fixture
def xtts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is downloaded for `antlitz models pull xtts`; nothing comes from a network."""
    fetched: list[str] = []

    def download(url: str, target: Path, progress: object) -> None:
        fetched.append(url)
        target.write_bytes(url.encode())

    monkeypatch.setenv("ANTLITZ_MODELS", str(tmp_path))
    monkeypatch.delenv("COQUI_TOS_AGREED", raising=False)
    monkeypatch.setattr("triton_launch.fetch.address", lambda source: f"hub:{source.package}/{source.member}")
    monkeypatch.setattr("triton_launch.fetch.download", download)
    return fetched


def terminal(monkeypatch: pytest.MonkeyPatch, says: str | None) -> None:
    """A person at a terminal who types `says`, or Ctrl-D."""

    def answer(*_: object) -> str:
        if says is None:
            raise EOFError
        return says

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", answer)


def test_xtts_wants_its_licence_accepted(
    monkeypatch: pytest.MonkeyPatch, xtts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal: a pipe accepts nothing
    assert cli.main(["models", "pull", "xtts"]) == 1
    said = capsys.readouterr()
    assert "CPML" in said.out and "non-commercial" in said.out and "https://coqui.ai/cpml" in said.out
    assert said.err.count("\n") == 1 and "COQUI_TOS_AGREED=1" in said.err and "terminal" in said.err
    assert xtts == []


@pytest.mark.parametrize("says", ["", "n", "no", "maybe", "1", None])
def test_whoever_does_not_say_yes_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, xtts: list[str], capsys: pytest.CaptureFixture[str], says: str | None
) -> None:
    terminal(monkeypatch, says)
    assert cli.main(["models", "pull", "xtts"]) == 1
    assert "not accepted; nothing was fetched" in capsys.readouterr().err and xtts == []


@pytest.mark.parametrize("says", ["y", "Y", " yes "])
def test_whoever_says_yes_gets_the_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, xtts: list[str], capsys: pytest.CaptureFixture[str], says: str
) -> None:
    terminal(monkeypatch, says)
    assert cli.main(["models", "pull", "xtts"]) == 0
    assert sorted(xtts) == [
        f"hub:coqui/XTTS-v2/{name}" for name in ("config.json", "model.pth", "speakers_xtts.pth", "vocab.json")
    ]
    assert (tmp_path / "xtts-checkpoint" / "model.pth").read_bytes() == b"hub:coqui/XTTS-v2/model.pth"
    terminal(monkeypatch, None)
    assert cli.main(["models", "pull", "xtts"]) == 0 and len(xtts) == 4, "what is there is not asked about again"
    capsys.readouterr()
    assert cli.main(["models", "verify", "xtts"]) == 0
    assert "4 files are as they were at the first pull" in capsys.readouterr().out
    (tmp_path / "xtts-checkpoint" / "vocab.json").write_bytes(b"hub:coqui/XTTS-v2/vocab.JSON")
    assert cli.main(["models", "verify", "xtts"]) == 1
    assert "vocab.json is altered: run `antlitz models pull xtts`" in capsys.readouterr().out


def test_the_environment_may_accept(
    monkeypatch: pytest.MonkeyPatch, xtts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COQUI_TOS_AGREED", "0")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli.main(["models", "pull", "xtts"]) == 1 and xtts == []
    monkeypatch.setenv("COQUI_TOS_AGREED", "1")
    assert cli.main(["models", "pull", "xtts"]) == 0 and len(xtts) == 4
    assert "non-commercial" in capsys.readouterr().out


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
