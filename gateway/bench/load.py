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
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from gateway.bench.stack import Running, browser, up, write_wav

RATE = 48_000  # Hz, what Chromium's file microphone takes
SETTLE_SECONDS = 4.0
PHASE_SECONDS = 15.0
SPOKEN = "The weather is lovely today, and the children are playing in the garden behind the old house. " * 6
DECODED = """async () => [...(await window.antlitz.peer.getStats()).values()]
  .find((one) => one.type === "inbound-rtp" && one.kind === "video").framesDecoded"""
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


def cores(running: Running, page: Page, seconds: float) -> Used:
    """How many cores are busy, over so many seconds; the page is looked after meanwhile."""
    began, before = time.monotonic(), used(running)
    page.wait_for_timeout(seconds * 1000)
    took, after = time.monotonic() - began, used(running)
    return Used((after.gateway - before.gateway) / took, (after.triton - before.triton) / took)


def decoded(page: Page) -> int:
    """Frames that the page has decoded, of all its life."""
    return int(page.evaluate(DECODED))


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="antlitz bench load", description=__doc__).parse_args(arguments)
    table = Table("one talk", "gateway, cores", "tritonserver, cores", "together", "frames a second")
    found: dict[str, tuple[Used, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        silence = write_wav(Path(folder) / "silence.wav", np.zeros(RATE, np.float32), RATE)
        with up() as running, browser(silence) as page:

            def look(name: str) -> None:
                began, before = time.monotonic(), decoded(page)
                busy = cores(running, page, PHASE_SECONDS)
                found[name] = busy, (decoded(page) - before) / (time.monotonic() - began)

            page.goto(running.url)
            page.get_by_test_id("connect").click()
            page.wait_for_selector(".moving", timeout=30_000)
            page.wait_for_timeout(SETTLE_SECONDS * 1000)
            look("listens")
            page.get_by_test_id("text").fill(SPOKEN)
            page.get_by_test_id("say").click()
            page.wait_for_selector('[data-testid=state][data-state="speaking"]', timeout=30_000)
            look("speaks")
    for name, (busy, fps) in found.items():
        numbers = (busy.gateway, busy.triton, busy.gateway + busy.triton)
        table.add_row(name, *(f"{number:.2f}" for number in numbers), f"{fps:.1f}")
    Console().print(table)
    return 0
