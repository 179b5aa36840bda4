"""What the encoder's context does to time and word errors: how the margins of `transcribe` were chosen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from avatar_runtime.whisper import transcribe
from gateway.bench import sounds
from gateway.bench.stt import Recording, edit_distance, load_recordings, normalised
from gateway.bench.whisper_weights import exported_base, transcriber

#: s of silence after the speech, and s that the encoder hears at least.
MARGINS = ((1, 0), (2, 0), (4, 0), (4, 10), (4, 15), (4, 20), (4, 30))
NOISES = (20.0, 15.0, 10.0)  # dB below the speech


def measure(models: Path, say: Callable[..., None]) -> None:
    """Every margin over the sentences, clean and with three levels of noise."""
    clean = load_recordings(models / "bench")
    noisy = [
        Recording(item.name, sounds.noisy(item.audio, level, seed), item.text)
        for item in clean
        for level in NOISES
        for seed in (1, 2)
    ]
    ears = transcriber(exported_base(models, "int8"))
    chosen = transcribe.PADDING, transcribe.LEAST_CONTEXT
    try:
        for padding, least in MARGINS:
            transcribe.PADDING, transcribe.LEAST_CONTEXT = float(padding), float(least)
            start = time.perf_counter()
            rates = [_rate(ears, part) for part in (clean, noisy)]
            share = (time.perf_counter() - start) / sum(item.seconds for item in clean + noisy)
            mark = "chosen" if (padding, least) == chosen else ""
            say(
                f"context: {padding} s after speech, {least} s at least",
                f"{rates[0]:.1f} % clean, {rates[1]:.1f} % noisy; real-time factor {share:.3f}", "", mark,
            )  # fmt: skip
    finally:
        transcribe.PADDING, transcribe.LEAST_CONTEXT = chosen


def _rate(ears: transcribe.Transcriber, items: list[Recording]) -> float:
    errors = words = 0
    for item in items:
        wanted = normalised(item.text)
        errors += edit_distance(wanted, normalised(ears.transcribe(item.audio).text))
        words += len(wanted)
    return 100 * errors / words
