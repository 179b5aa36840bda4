"""The served half of `antlitz bench liveportrait`: render_liveportrait through tritonserver and gRPC."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from avatar_runtime.contracts import CHANNEL, MOTION_RATE, MOTION_SIZE
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.liveportrait.graphs import FOLDER
from avatar_runtime.liveportrait.networks import FRAME_MODEL, SOURCE_MODEL
from gateway.bench.faces import portraits
from gateway.bench.serving import serving
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.command import REPOSITORY

ENGINE = "render_liveportrait"
LATER = 10  # frames that the median is of
SECONDS = 4.0  # that the sessions of one step run side by side
SESSIONS = (1, 2, 4, 8, 12, 16, 20, 24, 32)
PUNCTUAL = 0.95  # share of frames that must come within their 40 ms
TARGET_SESSIONS, TARGET_FIRST, TARGET_OVERHEAD_MS = 12, 1.5, 2.0
PATIENCE = 120.0  # s for one frame: the full networks take seconds on a processor


def talking(frames: int) -> NDArray[np.float32]:
    """Motion f32 [frames, 58] of a mouth that opens and a head that turns: no two frames are alike."""
    motion = np.repeat(rest()[None], frames, 0)
    at = np.arange(frames) / MOTION_RATE
    motion[:, CHANNEL["jawOpen"]] = 0.3 + 0.3 * np.sin(12 * at)
    motion[:, CHANNEL["headYaw"]] = 5 * np.sin(2 * at)
    assert motion.shape == (frames, MOTION_SIZE)
    return motion.astype(np.float32)


async def _first(inference: Inference, portrait: bytes, motion: NDArray[np.float32]) -> list[float]:
    """Milliseconds of each frame of a new session, the first with its portrait."""
    found = []
    async with inference.render(portrait, ENGINE, push_seconds=PATIENCE) as stream:
        for row in motion:
            start = time.perf_counter()
            await stream.push(row[None])
            found.append((time.perf_counter() - start) * 1e3)
    return found


async def _session(inference: Inference, portrait: bytes) -> list[float]:
    """Lateness in ms of every frame of a session that asks for one every 40 ms; 0 is in time for the next."""
    frames = int(SECONDS * MOTION_RATE)
    late = []
    async with inference.render(portrait, ENGINE, push_seconds=PATIENCE) as stream:
        await stream.push(talking(1))
        start = time.perf_counter()
        for index, row in enumerate(talking(frames)):
            await asyncio.sleep(max(0.0, start + index / MOTION_RATE - time.perf_counter()))
            await stream.push(row[None])
            late.append((time.perf_counter() - start - (index + 1) / MOTION_RATE) * 1e3)
            if late[-1] > 1000:  # it will never catch up
                break
    return late


async def _most_sessions(inference: Inference, pictures: list[bytes]) -> int:
    """How many sessions at 25 frames a second get PUNCTUAL of their frames in time."""
    most = 0
    for count in SESSIONS:
        found = await asyncio.gather(*(_session(inference, pictures[index % len(pictures)]) for index in range(count)))
        late = np.concatenate([np.array(each) for each in found])
        if (late <= 0).mean() < PUNCTUAL:
            break
        most = count
    return most


async def _measure(address: str, settings: Settings, where: str, say: Callable[..., None]) -> None:
    pictures = [path.read_bytes() for path in portraits()]
    inference = Inference(address, settings)
    try:
        first = await _first(inference, pictures[0], talking(LATER))
        again = await _first(inference, pictures[1], talking(LATER))
        frame = statistics.median([*first[1:], *again[1:]])
        most = await _most_sessions(inference, pictures) if frame < 1e3 / MOTION_RATE else 0
    finally:
        await inference.close()
    ratio = first[0] / again[0]
    say("served", "one frame, gRPC, one session", f"{frame:.1f} ms", "", "")
    say("served", "first frame of a portrait", f"{first[0]:.0f} ms, of another one later {again[0]:.0f} ms", "", "")
    good = "yes" if ratio <= TARGET_FIRST else "MISSED"
    say("served", "first frame after READY, times a later portrait's first", f"{ratio:.2f}x", f"{TARGET_FIRST}x", good)
    good = ("yes" if most >= TARGET_SESSIONS else "MISSED") if where == "cuda" else ""
    target = f"{TARGET_SESSIONS}" if where == "cuda" else f"{TARGET_SESSIONS} on a GPU"
    say("served", "sessions at 25 frames a second", f"{most}", target, good)


def measure(bundle: Path, where: str, say: Callable[..., None]) -> None:
    """One session's frames, the first frame, and how many sessions fit."""
    if where == "cuda":
        from export.liveportrait.command import install

        install(bundle, REPOSITORY, "onnx", Console(quiet=True))
    arguments = ["--model-config-name=gpu"] if where == "cuda" else []
    only = [*((SOURCE_MODEL, FRAME_MODEL) if where == "cuda" else ()), ENGINE]
    with serving({FOLDER: bundle}, arguments, only) as (server, settings):
        asyncio.run(_measure(server.address, settings, where, say))
