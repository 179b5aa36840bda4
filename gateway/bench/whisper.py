"""`antlitz bench whisper`: the exported Whisper beside transformers' own, same weights, same sound, same tokens.

transformers lives in an environment of its own: --transformers names that environment's Python. Without --checkpoint
the weights are random and the networks small.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

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


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench whisper", description=__doc__)
    parser.add_argument("--transformers", metavar="PYTHON", required=True, help="the Python that has transformers")
    parser.add_argument("--checkpoint", type=Path, metavar="DIR", help="folder as transformers writes it")
    parser.add_argument("--recordings", action="store_true", help="LibriVox sentences instead of made sounds")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    options = parser.parse_args(arguments)
    table = Table("compared with transformers", "here", "wanted", "")
    failed = 0

    def say(what: str, here: str, wanted: str, good: bool) -> None:
        nonlocal failed
        failed += not good
        table.add_row(what, here, wanted, "" if good else "missed")

    with tempfile.TemporaryDirectory(prefix="antlitz-whisper-") as made:
        compare(options, Path(made), say)
    Console(soft_wrap=True).print(table)
    return min(failed, 1)


def compare(options: argparse.Namespace, work: Path, say: Any) -> None:
    from export.whisper import checkpoint, command, parity
    from export.whisper.twin import narrow, write

    folder = options.checkpoint or work / "twin"
    if options.checkpoint is None:
        write(folder, narrow())
    found = checkpoint.load(folder)
    command.export(found, work / "bundle", options.precision)
    networks = command.opened(work / "bundle", found.model.config)
    strict = options.precision == "fp32"
    for name, mel in sounds(options.recordings, found.model.config.bins):
        wanted = theirs(options.transformers, folder, mel, parity.steer(found), work)
        states = networks.states(mel)
        heard = parity.follow(found, networks, states, [int(each) for each in wanted["tokens"]])
        same = sum(a == b for a, b in zip(heard.tokens, wanted["tokens"], strict=True))
        allowed = (TARGET,) * 3 if strict else parity.TOLERANCE[options.precision]
        rows = (("states", states), ("logits", heard.logits), ("attention", heard.attention))
        for (what, ours), most in zip(rows, allowed, strict=True):
            apart = parity.relative(ours, wanted[what], options.precision)
            say(f"{name}: {what}", f"{apart:.1e}", f"{most:.0e}", apart <= most)
        least = TOKENS if strict else TOKENS * 9 // 10
        say(f"{name}: likeliest tokens", f"{same} of {TOKENS}", f"{least}", same >= least)
