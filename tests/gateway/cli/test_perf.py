"""The real perf_analyzer against the real server: a smoke run, as CI can afford it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triton_launch.command import ServerError
from triton_launch.perf_analyzer import find
from triton_launch.server import Server

ENGINES = ("vad_silero", "motion_speech", "tts_hibari", "landmarks_mediapipe")


@pytest.mark.server
def test_it_measures_sequences_streams_and_single_requests(triton: Server, models: Path, tmp_path: Path) -> None:
    try:
        find(models, tmp_path)
    except ServerError as error:
        pytest.skip(f"{error} (`antlitz models pull perf-analyzer` fetches it)")
    command = [str(Path(sys.executable).with_name("antlitz")), "perf", "--requests", "5", "--triton", triton.address]
    for engine in ENGINES:
        command += ["--engine", engine]
    environ = {**os.environ, "ANTLITZ_MODELS": str(models), "ANTLITZ_DATA": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert "queue ms" in done.stdout, done.stdout + done.stderr
    rows = [line.split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in rows] == list(ENGINES)
    for row in rows:
        p50, p95, p99, rate, queue, ratio = (float(cell) for cell in row[3:9])
        assert 0 < p50 <= p95 <= p99 and rate > 0 and queue >= 0 and ratio > 0
    # Five requests say little about speed: what it says of the ratios is `antlitz perf`'s to judge, on its own.
    assert done.returncode in (0, 1)


def test_where_it_is_missing_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="No perf_analyzer was found"):
        find(tmp_path, tmp_path)


def test_its_number_of_requests_is_checked_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    from gateway.cli.perf import main

    with pytest.raises(SystemExit):
        main(["--requests", "0"])
    assert "at least 1" in capsys.readouterr().err
