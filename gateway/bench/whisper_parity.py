"""The first part of `antlitz bench whisper`: the export beside transformers, same weights, sound and tokens.

transformers lives in an environment of its own: --transformers names that environment's Python. Without --checkpoint
the weights are random and the networks small.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.whisper.features import FRAMES_PER_POSITION, FRAMES_PER_SECOND, HOP, WINDOW_FRAMES, log_mel
from gateway.bench.stt import load_recordings
from gateway.settings import Settings

TOKENS = 100
FRAMES = (WINDOW_FRAMES, 412)  # 30 s, and a short utterance
RECORDINGS = 5  # of the sentences
TARGET = 1e-3  # of the largest value


def theirs(python: str, folder: Path, mel: NDArray[np.float32], steer: list[int], work: Path) -> Any:
    """What transformers says about `mel`. Raises `ValueError`."""
    np.save(work / "mel.npy", mel)
    (work / "steer.json").write_text(json.dumps({"tokens": steer}), "utf-8")
    script = Path(__file__).with_name("whisper_transformers.py")
    names = [str(work / name) for name in ("mel.npy", "steer.json", "out.npz")]
    command = [python, str(script), str(folder), str(TOKENS), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word"])[-1][:300]
        raise ValueError(f"transformers' side failed: {said}")
    return np.load(work / "out.npz")


def sounds(recordings: bool, bins: int) -> list[tuple[str, NDArray[np.float32]]]:
    """(name, log-mel [1, bins, n]): the LibriVox sentences, their length as it is, or two made sounds."""
    from export.whisper import parity

    if not recordings:
        return [(f"{frames / FRAMES_PER_SECOND:g} s", parity.sound(bins, frames)) for frames in FRAMES]
    found = []
    for each in load_recordings(Settings.from_environment().models / "bench")[:RECORDINGS]:
        frames = min(len(each.audio) // (HOP * FRAMES_PER_POSITION) * FRAMES_PER_POSITION, WINDOW_FRAMES)
        found.append((f"{each.name[-4:]}, {each.seconds:.1f} s", log_mel(each.audio, frames, bins)[None]))
    return found


def compare(python: str, folder: Path | None, recordings: bool, precision: str, say: Callable[..., None]) -> None:
    """Encoder, logits, attention and likeliest tokens of the checkpoint in `folder`, or of a small random one."""
    with tempfile.TemporaryDirectory(prefix="antlitz-whisper-") as made:
        _compare(python, folder, recordings, precision, say, Path(made))


def _compare(
    python: str, folder: Path | None, recordings: bool, precision: str, say: Callable[..., None], work: Path
) -> None:
    from export.whisper import checkpoint, command, parity
    from export.whisper.twin import narrow, write

    if folder is None:
        folder = work / "twin"
        write(folder, narrow())
    found = checkpoint.load(folder)
    command.export(found, work / "bundle", precision)
    networks = command.opened(work / "bundle", found.model.config)
    strict = precision == "fp32"
    for name, mel in sounds(recordings, found.model.config.bins):
        wanted = theirs(python, folder, mel, parity.steer(found), work)
        states = networks.states(mel)
        heard = parity.follow(found, networks, states, [int(each) for each in wanted["tokens"]])
        same = sum(a == b for a, b in zip(heard.tokens, wanted["tokens"], strict=True))
        allowed = (TARGET,) * 3 if strict else parity.TOLERANCE[precision]
        rows = (("states", states), ("logits", heard.logits), ("attention", heard.attention))
        for (what, ours), most in zip(rows, allowed, strict=True):
            apart = parity.relative(ours, wanted[what], precision)
            say(f"{name}: {what}", f"{apart:.1e}", f"{most:.0e}", apart <= most)
        least = TOKENS if strict else TOKENS * 9 // 10
        say(f"{name}: likeliest tokens", f"{same} of {TOKENS}", f"{least}", same >= least)
