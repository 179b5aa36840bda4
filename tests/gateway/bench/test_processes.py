from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gateway.bench.processes import OTHERS, TICKS, Meter, below, busy_seconds, name_of, parent_and_seconds


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/x/venv/bin/python3 /x/venv/bin/antlitz up --port 0", "gateway"),
        ("/x/venv/bin/python3 /x/venv/bin/antlitz bench crowd", "antlitz bench"),
        ("/x/python_backend_stub /tmp/triton/repository/stt_whisper/1/model.py region 1048576", "stt_whisper"),
        ("/x/bin/tritonserver --model-repository=/tmp/repository", "tritonserver"),
        ("/usr/lib/chromium/chromium --type=gpu-process --no-sandbox", "Chromium, gpu-process"),
        ("/usr/lib/chromium/chromium --type=utility --utility-sub-type=audio.mojom.AudioService", "Chromium, audio"),
        ("/usr/lib/chromium/chromium --headless", "Chromium, browser"),
        ("/x/node cli.js run-driver", "node"),
        ("", ""),
    ],
)
def test_a_process_is_named_by_its_command_line(command: str, name: str) -> None:
    assert name_of(command) == name


def test_the_name_of_a_program_may_hold_brackets_and_spaces() -> None:
    stat = f"17 (odd) name)) S 4 1 1 0 -1 0 0 0 0 0 {3 * TICKS} {2 * TICKS} 0 0 20 0"
    assert parent_and_seconds(stat) == (4, 5.0)


def test_a_machine_that_waits_is_not_busy() -> None:
    user, system, idle, waiting = 7 * TICKS, 2 * TICKS, 90 * TICKS, 5 * TICKS
    assert busy_seconds(f"cpu  {user} 0 {system} {idle} {waiting} 0 0 0 {user} 0\ncpu0 1 2") == 9.0


def test_children_count_and_strangers_do_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert {os.getpid(), child.pid} <= set(below(os.getpid()))
        assert os.getppid() not in below(os.getpid())
        assert set(below(child.pid)) == {child.pid}
    finally:
        child.communicate(b"\n")


def test_who_works_is_seen() -> None:
    meter = Meter()
    total = sum(number * number for number in range(300_000))
    cores = meter.read()
    assert total and OTHERS in cores and list(cores)[-1] == OTHERS
    assert sum(cores.values()) > 0
