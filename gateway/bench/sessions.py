"""`antlitz bench sessions`: sessions opened and closed one after another, and what is left of them."""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
from pathlib import Path

from aiortc import RTCPeerConnection
from rich.console import Console
from rich.table import Table

from gateway.bench.within import Within, within
from gateway.inference.streams import Stream
from gateway.sessions.session import Session

NEAR = 20  # sessions whose median is compared, for a codec's buffers come and go
SETTLED = 10  # sessions after which memory should not grow any more


def resident() -> float:
    """Anonymous memory of this process, bytes: the gateway's, for everything else runs in others."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("Pss_Anon:"))


def left() -> dict[str, int]:
    """What sessions are made of, as far as it is still there."""
    gc.collect()
    things = gc.get_objects()
    return {
        "sessions": sum(isinstance(each, Session) for each in things),
        "peers": sum(isinstance(each, RTCPeerConnection) for each in things),
        "Triton sequences": sum(isinstance(each, Stream) and bool(each._sequence) for each in things),
        "tasks": len(asyncio.all_tasks()),
    }


async def one(antlitz: Within) -> float:
    """A session that says something and whose tab is closed; seconds until nothing of it runs any more."""
    page = await antlitz.page()
    await antlitz.talk(page)
    await page.get_by_test_id("text").fill("Good morning.")
    await page.get_by_test_id("say").click()
    await page.wait_for_function("document.querySelector('[data-testid=state]').textContent.match(/speak/i)")
    await page.context.close()
    closed = time.monotonic()
    while antlitz.sessions.running:  # noqa: ASYNC110 - looked at from outside, as an operator would
        await asyncio.sleep(0.02)
    return time.monotonic() - closed


async def measure(count: int) -> Table:
    table = Table("what", "measured", "at most")
    async with within() as antlitz:
        before = left()
        freed, sizes = [], []
        for _ in range(count):
            freed.append(await one(antlitz))
            await asyncio.sleep(0.5)
            gc.collect()
            sizes.append(resident())
        after = left()
        early, late = sizes[SETTLED : SETTLED + NEAR], sizes[-NEAR:]
        grown = statistics.median(late) / statistics.median(early) - 1
    table.add_row(f"memory of the gateway, growth from session {SETTLED} to {count}", f"{grown:+.1%}", "+2 %")
    table.add_row("a tab is closed until all is free, the longest", f"{max(freed):.1f} s", "5 s")
    for name, number in after.items():
        table.add_row(f"{name} left", f"{number - before[name]:+d}", "0")
    return table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench sessions", description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args(arguments)
    Console(width=110).print(asyncio.run(measure(options.count)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
