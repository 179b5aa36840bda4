"""`antlitz bench playout`: sound against picture, and how old a frame is when it is shown, measured in Chromium.

The gateway's timeline is made to draw its slot's number into every frame, and every two seconds a flash with a tone.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from gateway.bench.within import within
from gateway.playout.timeline import PACKET_SAMPLES, PACKETS_PER_SLOT, SLOT_SECONDS, Timeline

EVERY = 50  # slots between two flashes
TONE = 1000.0  # Hz
LEAST = 10  # flashes
NEAR = 500.0  # ms: a tone this near a flash is its own
BLOCK = 16  # pixels
MARKS = Path(__file__).with_name("marks.js")


class Marked(Timeline):
    """A timeline whose frames tell their slot. `made` is when each was ready (Unix time)."""

    made: dict[int, float] = {}  # noqa: RUF012 - one session is measured

    def put(self, slot: int, frame: Any) -> None:
        frame = frame.copy()
        bits = [slot >> bit & 1 for bit in range(16)] + [slot % EVERY == 0]
        for index, bit in enumerate(bits):
            frame[:BLOCK, index * BLOCK : (index + 1) * BLOCK] = 235 if bit else 16
        Marked.made[slot & 0xFFFF] = time.time()
        super().put(slot, frame)

    def take_audio(self, packet: int) -> Any:
        pcm = super().take_audio(packet)
        slot, part = divmod(packet, PACKETS_PER_SLOT)
        if slot % EVERY:
            return pcm
        at = (part * PACKET_SAMPLES + np.arange(PACKET_SAMPLES)) / SPEAKING_RATE
        return (0.4 * 32767 * np.cos(2 * np.pi * TONE * at)).astype(np.int16)


def first_shown(frames: list[list[float]]) -> dict[int, float]:
    """When (ms since 1970) each slot was shown first: a frame that is held is sent again."""
    found: dict[int, float] = {}
    for at, slot in frames:
        found.setdefault(int(slot), at)
    return found


async def measure(seconds: float) -> Table:
    from gateway.sessions import session

    session.Timeline = Marked  # type: ignore[misc]  # the measurement's own
    table = Table("what", "measured", "at most")
    async with within() as antlitz:
        page = await antlitz.page(MARKS)
        await antlitz.talk(page)
        await page.evaluate("marks.attach(document.querySelector('[data-testid=avatar]'))")
        await asyncio.sleep(seconds)
        marks = await page.evaluate("marks")
        await page.context.close()
    flashes, tones = np.array(list(first_shown(marks["flashes"]).values())), np.array(marks["tones"])
    if len(flashes) < LEAST or len(tones) < LEAST:
        raise RuntimeError(f"Too little was seen and heard: {len(flashes)} flashes, {len(tones)} tones.")
    pairs = []
    for flash in flashes:
        nearest = tones[np.argmin(np.abs(tones - flash))]
        if abs(nearest - flash) < NEAR:
            pairs.append((flash, nearest - flash))
    when, offsets = np.array(pairs).T
    offsets, when = offsets[5:], when[5:]  # the first seconds, in which Chromium finds its delay
    low, middle, high = np.quantile(offsets, [0.05, 0.5, 0.95])
    drift = float(np.polyfit(when - when[0], offsets, 1)[0] * (when[-1] - when[0]))
    shown = first_shown(marks["frames"])
    ages = np.array([at / 1000 - Marked.made[slot] for slot, at in shown.items() if slot in Marked.made])
    ages = ages[(ages > 0) & (ages < 5)]
    minutes = (when[-1] - when[0]) / 60_000
    table.add_row(
        f"sound after picture, {len(offsets)} flashes in {minutes:.1f} minutes: median; 5 to 95 %",
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
