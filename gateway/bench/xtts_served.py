"""The served half of `antlitz bench xtts`: tts_xtts through tritonserver and gRPC, one stream and eight together."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.xtts.graphs import FOLDER
from gateway.bench.serving import serving
from gateway.inference import Inference
from gateway.settings import Settings

ENGINE = "tts_xtts"
TEXT = "The harbour lay quiet in the morning, and one boat after the other came home with the tide."
TOGETHER = 8


async def _stream(inference: Inference, seed: int) -> tuple[float, float, float]:
    """(seconds to the first sound, to the last, seconds of sound)."""
    start, first, sound = time.perf_counter(), 0.0, 0.0
    async for chunk in inference.synthesize(TEXT, "en", engine=ENGINE, seed=seed):
        first = first or time.perf_counter() - start
        sound += len(chunk.audio) / SPEAKING_RATE
    return first, time.perf_counter() - start, sound


def _judged(found: bool, device: str) -> object:
    """Whether a target was reached; the targets are a GPU's."""
    return found if device == "cuda" else ""


def _memory() -> float:
    """GB in use on the first GPU, as nvidia-smi says."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0]) / 1024


async def _measure(
    address: str, settings: Settings, device: str, before: float | None, say: Callable[..., None]
) -> None:
    inference = Inference(address, settings)
    try:
        await _stream(inference, 0)  # the first is slower: memory is mapped
        first, last, sound = await _stream(inference, 1)
        if before is not None:
            more = _memory() - before
            say("served: memory of the GPU, one stream", f"{more:.1f} GB", "2 GB", more <= 2)
        say("served: first audio, one stream", f"{first:.2f} s", "0.15 s on a GPU", _judged(first <= 0.15, device))
        factor = last / sound
        say("served: real-time factor, one stream", f"{factor:.2f}", "0.15 on a GPU", _judged(factor <= 0.15, device))
        alone = sound / last
        start = time.perf_counter()
        found = await asyncio.gather(*(_stream(inference, seed) for seed in range(2, 2 + TOGETHER)))
        together = sum(each[2] for each in found) / (time.perf_counter() - start)
        worst = max(each[1] / each[2] for each in found)
        more, what = together / alone, f"served: {TOGETHER} streams"
        say(f"{what}, throughput of one", f"{more:.1f}x", "4x on a GPU", _judged(more >= 4, device))
        say(f"{what}, worst real-time factor", f"{worst:.2f}", "1.0 on a GPU", _judged(worst < 1, device))
        if before is not None:
            more = _memory() - before
            say(f"served: memory of the GPU, {TOGETHER} streams", f"{more:.1f} GB", "2 GB", more <= 2)
    finally:
        await inference.close()


def measure(bundle: Path, device: str, say: Callable[..., None]) -> None:
    """First sound, real-time factor, and what eight streams gain from sharing their steps."""
    arguments = ["--model-config-name=gpu"] if device == "cuda" else []
    before = _memory() if device == "cuda" else None
    with serving({FOLDER: bundle}, arguments, [ENGINE]) as (server, settings):
        asyncio.run(_measure(server.address, settings, device, before, say))
