"""The served part of `antlitz bench whisper`: stt_whisper through tritonserver, one utterance and eight at once."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from gateway.bench.serving import serving
from gateway.bench.stt import load_recordings
from gateway.inference import Inference
from gateway.settings import Settings

SECONDS = 5.0  # of the utterance: the recorded sentence whose length is nearest
ROUNDS, TOGETHER = 10, 8
ALONE_MS, TOGETHER_MS = 150, 400  # large-v3 in fp16 on an H200-class GPU


def measure(models: Path, size: str, say: Callable[..., None]) -> None:
    """Milliseconds to the text, with the export (or the hub's files) of `size` below `models`."""
    on_gpu = "CUDAExecutionProvider" in ort.get_available_providers()
    items = load_recordings(models / "bench")
    sentence = min(items, key=lambda item: abs(item.seconds - SECONDS))
    before = os.environ.get("ANTLITZ_WHISPER")
    os.environ["ANTLITZ_WHISPER"] = size
    try:
        with serving({}, ["--model-config-name=gpu"] if on_gpu else []) as (server, settings):
            alone, together = asyncio.run(_timed(server.address, settings, sentence.audio))
    finally:
        if before is None:
            del os.environ["ANTLITZ_WHISPER"]
        else:
            os.environ["ANTLITZ_WHISPER"] = before
    where = f"served, {size}, {'GPU' if on_gpu else 'processor'}: {sentence.seconds:.1f} s of speech"
    rows = ((f"{where}", alone, ALONE_MS), (f"  {TOGETHER} at once, each", together, TOGETHER_MS))
    for what, found, most in rows:
        say(what, f"{found:.0f} ms", f"{most} ms on a GPU", found <= most if on_gpu else "")


async def _timed(address: str, settings: Settings, audio: np.ndarray) -> tuple[float, float]:
    """Milliseconds: the median of one utterance after the other, and the slowest of eight together."""
    inference = Inference(address, settings)

    async def once() -> float:
        start = time.perf_counter()
        await inference.transcribe(audio, "en")
        return 1000 * (time.perf_counter() - start)

    try:
        await once()  # memory is mapped
        alone = statistics.median([await once() for _ in range(ROUNDS)])
        return alone, max(await asyncio.gather(*(once() for _ in range(TOGETHER))))
    finally:
        await inference.close()
