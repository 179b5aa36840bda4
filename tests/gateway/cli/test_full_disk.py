"""`antlitz up` where the disk takes no more: one sentence, and it starts when there is room again.

RLIMIT_FSIZE lets no file grow, as a full disk does; Python ignores the signal that comes with it.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import certificate
from gateway.cli import up
from gateway.security.token import ensure
from gateway.settings import Settings

SENTENCE = "antlitz: The gateway cannot write to its disk, which may be full; nothing was changed.\n"


def no_room() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def test_a_first_start_on_a_full_disk(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("antlitz")), "up", "--port", "0", "--triton", "127.0.0.1:9"],
        env={"ANTLITZ_DATA": str(tmp_path / "data"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, preexec_fn=no_room, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, SENTENCE)


@pytest.mark.parametrize("makes", ["token", "certificate"])
def test_what_is_made_on_a_first_start_is_whole_or_not_there(tmp_path: Path, makes: str) -> None:
    def make() -> None:
        if makes == "token":
            ensure(Settings(data=tmp_path, host="0.0.0.0"))
        else:
            certificate.ensure(tmp_path, "192.0.2.7")

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError):
            make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    make()
    assert all(path.stat().st_size and path.suffix != ".part" for path in tmp_path.iterdir())


def test_a_disk_that_fills_up_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.cli.up.ensure", full)
    monkeypatch.setenv("ANTLITZ_DATA", str(tmp_path))
    assert up.main(["--port", "0", "--triton", "127.0.0.1:9"]) == 1
    assert capsys.readouterr().err == SENTENCE
