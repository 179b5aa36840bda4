"""`antlitz bench playout`: sound against picture, and how old a frame is when it is shown, measured in Chromium.

The gateway's timeline is made to draw its slot's number into every frame, and every two seconds a flash with a tone.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from gateway.bench.marked import Marked, offsets
from gateway.bench.within import within
from gateway.playout.timeline import SLOT_SECONDS

LEAST = 10  # flashes
NEAR = 500.0  # ms: a tone this near a flash is its own
MARKS = Path(__file__).with_name("marks.js")


def first_shown(frames: list[list[float]]) -> dict[int, float]:
    """When (ms since 1970) each slot was shown first: a frame that is held is sent again."""
    found: dict[int, float] = {}
    for at, slot in frames:
        found.setdefault(int(slot), at)
    return found


async def measure(seconds: float) -> Table:
    from gateway.sessions import session

    made = Marked.made = {}
    vars(session)["Timeline"] = Marked  # the measurement's own
    table = Table("what", "measured", "at most")
    async with within() as antlitz:
        page = await antlitz.page(MARKS)
        await antlitz.talk(page)
        await page.evaluate("marks.attach(document.querySelector('[data-testid=avatar]'))")
        await asyncio.sleep(seconds)
        marks = await page.evaluate("marks")
        await page.context.close()
    if len(first_shown(marks["flashes"])) < LEAST or len(marks["tones"]) < LEAST:
        raise RuntimeError(f"Too little was seen and heard: {len(marks['flashes'])}, {len(marks['tones'])} tones.")
    when, offset = np.array(offsets(marks["flashes"], marks["tones"], NEAR)).T
    offset, when = offset[5:], when[5:]  # the first seconds, in which Chromium finds its delay
    low, middle, high = np.quantile(offset, [0.05, 0.5, 0.95])
    drift = float(np.polyfit(when - when[0], offset, 1)[0] * (when[-1] - when[0]))
    shown = first_shown(marks["frames"])
    ages = np.array([at / 1000 - made[slot] for slot, at in shown.items() if slot in made])
    ages = ages[(ages > 0) & (ages < 5)]
    minutes = (when[-1] - when[0]) / 60_000
    table.add_row(
        f"sound after picture, {len(offset)} flashes in {minutes:.1f} minutes: median; 5 to 95 %",
        f"{middle:+.0f} ms; {low:+.0f} to {high:+.0f} ms",
        "±45 ms",
    )
    table.add_row("  its drift over that time", f"{drift:+.1f} ms", "±5 ms")
    table.add_row(
        f"a frame is made until it is shown, {len(ages)} frames, p50 / p95",
        f"{np.median(ages) * 1000:.0f} / {np.quantile(ages, 0.95) * 1000:.0f} ms",
        "p50 200 ms",
    )
    return table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench playout", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args(arguments)
    assert MOTION_SAMPLES == SLOT_SECONDS * SPEAKING_RATE
    Console(width=110).print(asyncio.run(measure(options.minutes * 60)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
