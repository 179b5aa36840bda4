"""`antlitz bench xtts`: the exported XTTS beside coqui's, same weights, same text, same number of codes, same threads.

Random weights of full size cost what trained ones cost. coqui-tts lives in an environment of its own: --coqui names
that environment's Python. Without it the peer's rows are left out. Where ONNX Runtime has CUDA everything runs there,
in fp16.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.xtts.bundle import XttsBundle
from avatar_runtime.xtts.engine import PREFIX_CODE
from avatar_runtime.xtts.gpt import Gpt, Tables
from avatar_runtime.xtts.graphs import CUDA, HIDDEN, RESAMPLE, SOUND, SPEAKER, TABLES, VOICES
from avatar_runtime.xtts.resample import whole, window
from avatar_runtime.xtts.sampling import Sampling, choose
from avatar_runtime.xtts.voices import BuiltIn
from avatar_runtime.xtts.windows import FIRST, GROWTH, MOST, Window
from gateway.bench import xtts_served as served
from gateway.settings import Settings

TEXT = 60  # tokens
TARGET_STEPS = TARGET_VOCODER = 1.5
TARGET_GROWTH = 1.2
PARITY_CODES = 200
DEVICE_CODES = 40


def prepared(precision: str) -> tuple[Path, Path]:
    """(checkpoint, bundle) of random weights of full size, made once and kept below the models' folder."""
    from export.xtts import checkpoint
    from export.xtts.command import export, made

    folder = Settings.from_environment().models / "bench"
    weights, bundle = folder / "xtts-random", folder / f"xtts-{precision}"
    if not (weights / "made" / "model.pth").is_file():
        weights.mkdir(parents=True, exist_ok=True)
        made("random", weights)
    if not (bundle / "xtts.json").is_file():
        sys.stdout.write(f"exporting random weights to {bundle}\n")
        export(checkpoint.load(weights / "made"), bundle, precision)
    return weights / "made", bundle


class Ours:
    """The exported graphs, driven as the engine drives them, with a given number of codes."""

    def __init__(self, folder: Path, threads: int, device: str = "cpu") -> None:
        providers = (CUDA,) if device == "cuda" else ()
        bundle = XttsBundle(folder, threads, providers)
        self.sizes = bundle.sizes
        self._tables = Tables(bundle.arrays(TABLES), bundle.sizes)
        self.voice = BuiltIn(bundle.arrays(VOICES)).get("")
        self._gpt = Gpt(bundle.session("gpt"), bundle.sizes, resident=next(iter(providers), ""))
        self._vocoder = bundle.session("vocoder")
        self.text = [int(each) for each in np.random.default_rng(0).integers(10, 40, TEXT)]

    def sound(self, hidden: Any, mix: Any) -> Any:
        given = {HIDDEN: hidden, RESAMPLE: mix, SPEAKER: self.voice.speaker[None]}
        return self._vocoder.run([SOUND], given)[0]

    def likeliest(self, count: int) -> tuple[list[int], Any]:
        """The likeliest codes but the stop, one after the other, and their hidden states [count, w]."""
        seen, codes, states = np.zeros(self.sizes.codes, np.bool_), [], []
        seen[[PREFIX_CODE, self.sizes.start_code]] = True
        logits, hidden = self._gpt.add(self._tables.prefix(self.voice.latents, self.text))
        for index in range(count):
            logits[self.sizes.stop_code] = -1e9
            codes.append(choose(logits, seen, Sampling(temperature=0), np.random.default_rng(0)))
            seen[codes[-1]] = True
            states.append(hidden)
            more, after = self._gpt.step(self._tables.code(codes[-1], index + 1)[None])
            logits, hidden = more[0], after[0]
        self._gpt.cache.clear()
        return codes, np.stack(states)

    def stream(self, codes: int) -> dict[str, Any]:
        """One utterance of `codes` codes, as it would be streamed."""
        random, steps, chunks = np.random.default_rng(0), [], []
        view, states = Window(self.sound), []
        start = time.perf_counter()
        _, hidden = self._gpt.add(self._tables.prefix(self.voice.latents, self.text))
        state = hidden
        for index in range(codes):
            states.append(state)
            if (audio := view.push(state)) is not None:
                chunks.append((time.perf_counter() - start, len(audio) / SPEAKING_RATE))
            begun = time.perf_counter()
            _, hidden = self._gpt.step(self._tables.code(int(random.integers(0, 1000)), index + 1)[None])
            steps.append(time.perf_counter() - begun)
            state = hidden[0]
        rest = view.finish()
        chunks.append((time.perf_counter() - start, len(rest) / SPEAKING_RATE))
        self._gpt.cache.clear()
        hidden, frames = np.stack(states)[None], whole(codes, 1.0)
        begun = time.perf_counter()
        self.sound(hidden, window(0, frames, 1.0, codes)[0][None])
        return {"step": statistics.mean(steps), "vocoder": time.perf_counter() - begun, "chunks": chunks}


def coqui(
    options: argparse.Namespace, checkpoint: Path, ours: Ours, codes: int, said: Path | None = None
) -> dict[str, Any]:
    """The same by coqui, in a process of its own; into `said` what it says when it takes the likeliest codes."""
    request = {"text": ours.text, "latents": ours.voice.latents.tolist(), "speaker": ours.voice.speaker.tolist()}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(request, file)
        file.flush()
        script = Path(__file__).with_name("xtts_coqui.py")
        command = [options.coqui, str(script), str(checkpoint), str(codes), str(options.threads)]
        command += ["cpu" if said else options.device, file.name]
        command += [str(said)] if said else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"coqui's side failed: {(done.stderr.strip().splitlines() or ['no word'])[-1][:300]}")
    return {} if said else dict(json.loads(done.stdout[done.stdout.index("{") :]))


def parity(options: argparse.Namespace, say: Callable[..., None]) -> None:
    """The fp32 export beside coqui itself: the likeliest codes one after the other, hidden states, sound."""
    checkpoint, bundle = prepared("fp32")
    ours = Ours(bundle, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.npz"
        coqui(options, checkpoint, ours, PARITY_CODES, path)
        with np.load(path) as found:
            codes, hidden, sound = found["codes"], found["hidden"], found["sound"]
    mine, states = ours.likeliest(PARITY_CODES)
    same = int((np.array(mine) == codes).sum())
    say("parity: likeliest codes as coqui's", f"{same} of {len(codes)}", f"{len(codes)}", same == len(codes))
    apart = float(np.abs(states - hidden).max() / np.abs(hidden).max())
    say("parity: hidden states", f"{apart:.1e}", "1e-3", apart <= 1e-3)
    mix = window(0, whole(len(hidden), 1.0), 1.0, len(hidden))[0]
    apart = float(np.abs(ours.sound(hidden[None], mix[None])[0] - sound).max() / np.abs(sound).max())
    say("parity: sound of coqui's hidden states", f"{apart:.1e}", "1e-3", apart <= 1e-3)


def on_device(bundle: Path, options: argparse.Namespace, say: Callable[..., None]) -> None:
    """The GPU's numbers beside the processor's, of the same graphs."""
    mine, plain = (Ours(bundle, options.threads, device) for device in (options.device, "cpu"))
    codes, states = mine.likeliest(DEVICE_CODES)
    wanted, hidden = plain.likeliest(DEVICE_CODES)
    same = int((np.array(codes) == np.array(wanted)).sum())
    say("likeliest codes on the GPU as on the processor", f"{same} of {DEVICE_CODES}", "", "")
    apart = float(np.abs(states[0] - hidden[0]).max() / np.abs(hidden[0]).max())
    say("the first hidden state on both", f"{apart:.1e}", "2e-2", apart <= 2e-2)
    mix = window(0, whole(len(hidden), 1.0), 1.0, len(hidden))[0][None]
    sound, other = (each.sound(hidden[None].astype(np.float32), mix)[0] for each in (mine, plain))
    apart = float(np.abs(sound - other).max() / np.abs(other).max())
    say("sound of the same hidden states on both", f"{apart:.1e}", "2e-2", apart <= 2e-2)


def growth(gaps: list[float]) -> float:
    """The last full-size chunk's time over the first one's."""
    return gaps[-1] / gaps[0]


def compare(ours: Ours, options: argparse.Namespace, checkpoint: Path, say: Callable[..., None]) -> None:
    """The networks alone, ours before and after coqui's so that a drifting machine drifts for both."""
    ours.stream(options.codes if options.device == "cuda" else FIRST)  # memory is mapped; a GPU chooses its kernels
    first = ours.stream(options.codes)
    theirs = coqui(options, checkpoint, ours, options.codes) if options.coqui else None
    second = ours.stream(options.codes)
    step = statistics.mean([first["step"], second["step"]])
    vocoder = statistics.mean([first["vocoder"], second["vocoder"]])
    say(f"GPT steps a second, {options.codes} codes", f"{1 / step:.1f}", "", "")
    say(f"vocoder, {options.codes} codes at once", f"{vocoder:.2f} s", "", "")
    if theirs:
        ratio = theirs["step"] / step
        say("coqui: GPT steps a second", f"{1 / theirs['step']:.1f}", "", "")
        say("GPT, times coqui", f"{ratio:.2f}x", f"{TARGET_STEPS}x", ratio >= TARGET_STEPS)
        ratio = theirs["vocoder"] / theirs["codes"] * options.codes / vocoder
        say("coqui: vocoder", f"{theirs['vocoder']:.2f} s for {theirs['codes']} codes", "", "")
        say("vocoder, times coqui", f"{ratio:.2f}x", f"{TARGET_VOCODER}x", ratio >= TARGET_VOCODER)
        mine, other = second["chunks"][0][0], theirs["chunks"][0]
        say("first audio: ours / coqui", f"{mine:.2f} / {other:.2f} s", "2x sooner", other >= 2 * mine)
        gaps = list(np.diff(theirs["chunks"]))
        say("coqui: last chunk over first full-size one", f"{growth(gaps):.2f}", "", "")
    stamps = second["chunks"]
    # The last one is short: it is what the margin had kept back.
    full = [after[0] - before[0] for before, after in pairwise(stamps[:-1])][_growing() :]
    ratio = growth(full) if len(full) > 1 else float("nan")
    seconds = sum(length for _, length in stamps)
    say(f"last over first full-size chunk, {seconds:.0f} s", f"{ratio:.2f}", f"{TARGET_GROWTH}", ratio <= TARGET_GROWTH)
    say("real-time factor, one stream", f"{stamps[-1][0] / seconds:.2f}", "", "")


def _growing() -> int:
    """How many gaps between chunks there are before they are of MOST codes."""
    wait, gaps = float(FIRST), -1
    while wait < MOST:
        wait, gaps = wait * GROWTH, gaps + 1
    return gaps


def main(arguments: list[str]) -> int:
    """Prints one table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="antlitz bench xtts", description=__doc__)
    parser.add_argument("--coqui", metavar="PYTHON", help="the Python of an environment with coqui-tts")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), help="int8; on a GPU fp16")
    parser.add_argument("--codes", type=int, default=430, help="430 are 20 s")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=("parity", "networks", "served"), action="append", default=[])
    options = parser.parse_args(arguments)
    options.device = "cuda" if CUDA in ort.get_available_providers() else "cpu"
    options.precision = options.precision or ("fp16" if options.device == "cuda" else "int8")
    if "parity" in options.only and not options.coqui:
        parser.error("parity is measured beside coqui: name its Python with --coqui")
    checkpoint, bundle = prepared(options.precision)
    title = f"XTTS, full size, {options.precision}, {options.device}, onnxruntime {ort.__version__}"
    table = Table("what", "measured", "at least", "reached", title=title)
    missed = False

    def say(what: str, measured: str, target: str, reached: object) -> None:
        nonlocal missed
        missed |= reached is False
        table.add_row(what, measured, target, {True: "yes", False: "MISSED"}.get(reached, ""))  # type: ignore[call-overload]

    wanted = options.only or ["networks", "served", *(["parity"] if options.coqui else [])]
    if "parity" in wanted:
        parity(options, say)
    if "networks" in wanted and options.device == "cuda":
        on_device(bundle, options, say)
    if "networks" in wanted:
        compare(Ours(bundle, options.threads, options.device), options, checkpoint, say)
    if "served" in wanted:
        served.measure(bundle, options.device, say)
    Console(width=110).print(table)
    return int(missed)
