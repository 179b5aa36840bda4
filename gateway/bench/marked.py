"""A gateway whose pictures tell their slot, with a flash and a tone every two seconds, for `antlitz bench playout` and
`soak`. `python -m gateway.bench.marked up …` is `antlitz up` so; at SIGUSR1 it prints what its sessions are made of.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import Any
from weakref import WeakSet

import numpy as np

from avatar_runtime.contracts import SPEAKING_RATE
from gateway.playout.timeline import PACKET_SAMPLES, PACKETS_PER_SLOT, Timeline

EVERY = 50  # slots between two flashes
HUSH = 7  # slots of silence before a tone: in the midst of speech nobody could tell it
TONE = 1000.0  # Hz
BLOCK = 16  # pixels
COUNTS = "soak counts: "


class Marked(Timeline):
    """A timeline whose frames tell their slot. `made` is when each was ready (Unix time), where it is a dictionary."""

    made: dict[int, float] | None = None  # one session is measured

    def put(self, slot: int, frame: Any) -> None:
        frame = frame.copy()
        bits = [slot >> bit & 1 for bit in range(16)] + [slot % EVERY == 0]
        for index, bit in enumerate(bits):
            frame[:BLOCK, index * BLOCK : (index + 1) * BLOCK] = 235 if bit else 16
        if Marked.made is not None:
            Marked.made[slot & 0xFFFF] = time.time()
        super().put(slot, frame)

    def take_audio(self, packet: int) -> Any:
        pcm = super().take_audio(packet)
        slot, part = divmod(packet, PACKETS_PER_SLOT)
        if slot % EVERY == 0:
            at = (part * PACKET_SAMPLES + np.arange(PACKET_SAMPLES)) / SPEAKING_RATE
            return (0.4 * 32767 * np.cos(2 * np.pi * TONE * at)).astype(np.int16)
        return np.zeros_like(pcm) if slot % EVERY >= EVERY - HUSH else pcm


def offsets(flashes: list[list[float]], tones: list[float], near: float) -> list[tuple[float, float]]:
    """(when, how much later the tone than its flash) of every flash with a tone within `near`, all in ms.

    `flashes` are [when, slot]: a frame that is held is shown again, and counts at its first time.
    """
    first: dict[int, float] = {}
    for at, slot in flashes:
        first.setdefault(int(slot), at)
    heard = np.array(sorted(tones))
    if not len(heard):
        return []
    found = []
    for at in first.values():
        nearest = float(heard[np.argmin(np.abs(heard - at))])
        if abs(nearest - at) < near:
            found.append((at, nearest - at))
    return found


def main(arguments: list[str]) -> int:
    from aiortc import RTCPeerConnection

    from gateway import cli
    from gateway.inference.streams import Stream
    from gateway.sessions import session

    vars(session)["Timeline"] = Marked  # the measurement's own
    alive: dict[type, WeakSet[Any]] = {each: WeakSet() for each in (session.Session, RTCPeerConnection, Stream)}
    for kind, those in alive.items():
        _watch(kind, those)

    def tell(*_: object) -> None:
        counts = {
            "sessions": len(alive[session.Session]),
            "peers": len(alive[RTCPeerConnection]),
            "sequences": sum(bool(stream._sequence) for stream in alive[Stream]),
            "tasks": len(asyncio.all_tasks(asyncio.get_running_loop())),
        }
        sys.stdout.write(COUNTS + json.dumps(counts) + "\n")

    signal.signal(signal.SIGUSR1, tell)  # in the thread of the event loop, between two steps of it
    return int(cli.main(arguments))


def _watch(kind: Any, those: WeakSet[Any]) -> None:
    make = kind.__init__

    def init(self: Any, *parts: Any, **named: Any) -> None:
        make(self, *parts, **named)
        those.add(self)

    kind.__init__ = init


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
