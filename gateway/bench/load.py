"""What one talk takes: cores of the gateway and of tritonserver, while it listens and while it speaks.

`antlitz bench load`; triton/CAPACITY.md plans with these figures.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.bench.stack import Running, browser, up, write_wav

RATE = 48_000  # Hz, what Chromium's file microphone takes
SETTLE_SECONDS = 4.0
PHASE_SECONDS = 15.0
SPOKEN = "The weather is lovely today, and the children are playing in the garden behind the old house. " * 6
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """CPU seconds since the processes began."""

    gateway: float
    triton: float


def used(running: Running) -> Used:
    """Of `antlitz up` itself, and of everything that it has started."""
    gateway, *others = running.processes()
    return Used(_seconds(gateway), sum(map(_seconds, others)))


def _seconds(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / TICKS  # user and system time


def cores(running: Running, seconds: float) -> Used:
    """How many cores are busy, over so many seconds."""
    began, before = time.monotonic(), used(running)
    time.sleep(seconds)
    took, after = time.monotonic() - began, used(running)
    return Used((after.gateway - before.gateway) / took, (after.triton - before.triton) / took)


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="antlitz bench load", description=__doc__).parse_args(arguments)
    table = Table("one talk", "gateway, cores", "tritonserver, cores", "together")
    with tempfile.TemporaryDirectory() as folder:
        silence = write_wav(Path(folder) / "silence.wav", np.zeros(RATE, np.float32), RATE)
        with up() as running, browser(silence) as page:
            rest = cores(running, SETTLE_SECONDS)
            page.goto(running.url)
            page.get_by_test_id("connect").click()
            page.wait_for_selector(".moving", timeout=30_000)
            time.sleep(SETTLE_SECONDS)
            phases = {"nobody": rest, "listens": cores(running, PHASE_SECONDS)}
            page.get_by_test_id("text").fill(SPOKEN)
            page.get_by_test_id("say").click()
            page.wait_for_selector('[data-testid=state][data-state="speaking"]', timeout=30_000)
            phases["speaks"] = cores(running, PHASE_SECONDS)
    for name, found in phases.items():
        table.add_row(name, f"{found.gateway:.2f}", f"{found.triton:.2f}", f"{found.gateway + found.triton:.2f}")
    Console().print(table)
    return 0
