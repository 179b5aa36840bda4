"""The served part of `antlitz bench whisper`: stt_whisper through tritonserver, one utterance and eight at once."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
from rich.console import Console

from avatar_runtime.whisper.exported import MANIFEST
from avatar_runtime.whisper.folder import exported_folder
from gateway.bench.serving import serving
from gateway.bench.stt import load_recordings
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.command import REPOSITORY

SECONDS = 5.0  # of the utterance: the recorded sentence whose length is nearest
ROUNDS, TOGETHER = 10, 8
ALONE_MS, TOGETHER_MS = 150, 400  # large-v3 in fp16 on an H200-class GPU
TIMES_FASTER = 2.0  # than transformers there
ENGINE = "stt_whisper"


def measure(models: Path, size: str, random: bool, python: str, say: Callable[..., None]) -> None:
    """Milliseconds to the text, with the export (or the hub's files) of `size` below `models`.

    `random`: with a made checkpoint that recites a sentence of 20 tokens; beside transformers of `python`, "" without.
    """
    on_gpu = "CUDAExecutionProvider" in ort.get_available_providers()
    items = load_recordings(models / "bench")
    audio = min(items, key=lambda item: abs(item.seconds - SECONDS)).audio
    bundles: dict[str, Path] = {}
    only, said = [ENGINE], ""
    if random:
        checkpoint, bundle, said = recited(models, size, "fp16" if on_gpu else "fp32")
        bundles = {exported_folder(models, size).name: bundle}
    if on_gpu:
        from export.whisper.command import ENCODER, place

        place(bundles.get(exported_folder(models, size).name, exported_folder(models, size)), REPOSITORY, "onnx",
              Console(quiet=True))  # fmt: skip
        only = [ENCODER, *only]
    before = os.environ.get("ANTLITZ_WHISPER")
    os.environ["ANTLITZ_WHISPER"] = size
    try:
        with serving(bundles, ["--model-config-name=gpu"] if on_gpu else [], only) as (server, settings):
            alone, together, text = asyncio.run(_timed(server.address, settings, audio))
    finally:
        if before is None:
            del os.environ["ANTLITZ_WHISPER"]
        else:
            os.environ["ANTLITZ_WHISPER"] = before
    seconds = len(audio) / 16_000
    where = f"served, {size}, {'GPU' if on_gpu else 'processor'}: {seconds:.1f} s of speech"
    rows = ((f"{where}", alone, ALONE_MS), (f"  {TOGETHER} at once, each", together, TOGETHER_MS))
    for what, found, most in rows:
        say(what, f"{found:.0f} ms", f"{most} ms on a GPU", found <= most if on_gpu else "")
    if said:
        good = text == said
        say("  the sentence that these weights recite", "heard" if good else f"not heard: {text!r}", "", good)
    if random and python:
        theirs = _transformers(python, checkpoint, audio, "cuda" if on_gpu else "cpu")
        ratio = theirs / alone
        say("  transformers, the same weights and sound", f"{theirs:.0f} ms", "", "")
        good = ratio >= TIMES_FASTER if on_gpu else ""
        say("  times faster", f"{ratio:.1f}x", f"{TIMES_FASTER:.0f}x on a GPU", good)


def recited(models: Path, size: str, precision: str) -> tuple[Path, Path, str]:
    """(checkpoint, export, sentence) of random weights that recite it, made once and kept below `models`/bench."""
    from export.whisper import checkpoint, command, twin
    from export.whisper.config import named

    weights, bundle = (models / "bench" / f"whisper-{size}-{kind}" for kind in ("recites", f"recites-{precision}"))
    if not (weights / checkpoint.TENSORS).is_file():
        twin.write(weights, named(size), says=twin.SENTENCE)
    if not (bundle / MANIFEST).is_file():
        sys.stdout.write(f"exporting random weights to {bundle}\n")
        command.export(checkpoint.load(weights), bundle, precision)
    return weights, bundle, twin.SENTENCE.strip()


def _transformers(python: str, checkpoint: Path, audio: np.ndarray, device: str) -> float:
    """Milliseconds of one utterance by transformers, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        sounds, out = Path(folder) / "sounds.npz", Path(folder) / "out.json"
        np.savez(sounds, audio)
        script = Path(__file__).with_name("whisper_transformers_speed.py")
        command = [python, str(script), str(checkpoint), str(sounds), str(out), str(ROUNDS), device]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"transformers failed: {(done.stderr.strip().splitlines() or ['no word'])[-1][:300]}")
        found = json.loads(out.read_text("utf-8"))
    return 1000 * float(found["seconds"])


async def _timed(address: str, settings: Settings, audio: np.ndarray) -> tuple[float, float, str]:
    """Milliseconds: the median of one utterance after the other, and the slowest of eight together; and the text."""
    inference = Inference(address, settings)

    async def once() -> float:
        start = time.perf_counter()
        await inference.transcribe(audio, "en")
        return 1000 * (time.perf_counter() - start)

    try:
        text = (await inference.transcribe(audio, "en")).text  # memory is mapped
        alone = statistics.median([await once() for _ in range(ROUNDS)])
        await asyncio.gather(*(once() for _ in range(TOGETHER)))  # a GPU chooses kernels for so many
        return alone, max(await asyncio.gather(*(once() for _ in range(TOGETHER)))), text
    finally:
        await inference.close()
