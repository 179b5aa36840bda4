"""`antlitz bench liveportrait`: the exported LivePortrait beside the official modules, same weights, same device.

Random weights cost what trained ones cost. The official modules come from a checkout of KwaiVGI/LivePortrait that you
name with --reference; without it the peer is our own plain PyTorch, which is equal to them. On a machine with a GPU
(PyTorch and onnxruntime-gpu installed) everything runs there in fp16, else on the processor in fp32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from avatar_runtime.bundle import CUDA_OPTIONS
from gateway.bench import liveportrait_served as served
from gateway.bench.faces import portraits
from gateway.settings import Settings

if TYPE_CHECKING:
    from export.liveportrait.model import LivePortrait
    from gateway.bench.liveportrait_peers import Timed

TARGETS = {
    "cuda": {"frame": 4.0, "ratio": 1.5, "batch": 400.0},
    "cpu": {"ratio": 1.5},
}
AROUND_MS = 3.0
#: ways to run the frame graph in ONNX Runtime CUDA; Triton's own backend does the first unless its config tells more
PROVIDERS = {
    "every algorithm tried": {},
    "algorithms guessed": dict(CUDA_OPTIONS),
    "channels last": {"prefer_nhwc": "1"},
    "channels last, guessed": {"prefer_nhwc": "1", **CUDA_OPTIONS},
    "channels last, one CUDA graph": {"prefer_nhwc": "1", "enable_cuda_graph": "1"},
}


def bundle_for(options: argparse.Namespace, precision: str) -> Path:
    """The bundle to measure: the one named, or random weights exported once and kept below the models' folder."""
    from export.liveportrait.command import export, network

    if options.bundle:
        return Path(options.bundle)
    folder = Settings.from_environment().models / "bench" / f"liveportrait-{options.width}-{precision}"
    if not (folder / "liveportrait.json").is_file():
        sys.stdout.write(f"exporting random weights to {folder}\n")
        export(network("random", options.width), folder, precision)
    return folder


def around(bundle: Path) -> dict[str, float]:
    """Milliseconds a frame of everything around the networks on each default portrait, on one thread."""
    models = Settings.from_environment().models
    command = [sys.executable, "-m", "avatar_runtime.liveportrait.framing_time", "--models", str(models)]
    command += ["--bundle", str(bundle), "--portraits", *map(str, portraits())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return {name: figures["mean_ms"] for name, figures in found.items()}


def networks(options: argparse.Namespace, bundle: Path, where: str, say: Callable[..., None]) -> None:
    """Parity and speed of the networks alone."""
    import torch

    from export.liveportrait.command import network
    from export.weights import digest
    from gateway.bench import liveportrait_peers as peers
    from gateway.bench import liveportrait_reference as reference

    torch.set_num_threads(options.threads)
    model = network("random", options.width)
    recorded = json.loads((bundle / "liveportrait.json").read_text("utf-8"))
    # Weights are normalised by sums whose last bits depend on the threads: another number of them, another hash.
    if recorded["checkpoint_sha256"] != digest(model):
        say("parity", "the export's weights", "another hash: made by other threads, or not `random`", "", "")
    say("parity", f"export beside PyTorch, {recorded['precision']}", _worst(recorded), "", "")
    official = reference.Reference(Path(options.reference), model) if options.reference else None
    if official is not None:
        for name, value in reference.parity(official, model).items():
            say("parity", f"{name} beside the official module", f"{value:.1e}", "< 1e-4", _verdict(value < 1e-4))
    if where == "cuda":
        on_device(options, bundle, model, say)
    modes = [mode for mode in ("", *options.compile) if not mode or where == "cuda"]
    for batch in (1, 8) if where == "cuda" else (1,):
        for mode in modes if batch == 1 else modes[:1]:
            name = ("official PyTorch" if official else "plain PyTorch") + (f", compiled: {mode}" if mode else "")
            theirs = peers.pytorch(official or model, model, where, batch, compiled=mode)
            found = peers.together(
                {"exported": peers.exported(bundle, model, where, options.threads, batch), name: theirs}, options.rounds
            )
            _say_speed(found, batch, where, say)


def on_device(options: argparse.Namespace, bundle: Path, model: LivePortrait, say: Callable[..., None]) -> None:
    """The graphs on the GPU: beside PyTorch in f32, and what ONNX Runtime's options make of a frame's time."""
    from export.liveportrait import parity
    from gateway.bench import liveportrait_peers as peers

    for graph in ("source", "frame"):
        rows = parity.compare(model, graph, bundle / f"{graph}.onnx", "fp16", provider="CUDAExecutionProvider")
        worst = max(row.largest for row in rows if row.tensor != "FRAME")
        seen = "".join(f", {row.psnr:.0f} dB" for row in rows if row.psnr is not None and row.tensor != "FRAME")
        say("parity", f"{graph} on the GPU beside PyTorch f32", f"{worst:.1e}{seen}", "2e-2, 40 dB", "yes")
    ways = {}
    for name, provider in PROVIDERS.items():
        try:
            ways[name] = peers.on_gpu(bundle, model, 1, provider)
            ways[name]()
        except Exception as error:  # a way that this ONNX Runtime does not go says so in its own types
            ways.pop(name, None)
            say("speed", f"batch 1: {name}", f"does not run: {str(error)[-120:]}", "", "")
    for peer in peers.together(ways, options.rounds):
        say("speed", f"batch 1: {peer.name}", f"{peer.median:.2f} ms a frame", "", "")


def _worst(recorded: dict[str, dict[str, dict[str, dict[str, float]]]]) -> str:
    """The largest difference of each graph as the export found it."""
    parts = []
    for name, graph in recorded["graphs"].items():
        values = {tensor: value for tensor, value in graph["difference"].items() if tensor != "FRAME"}
        parts.append(f"{name} {max(values.values()):.1e}")
    return ", ".join(parts)


def _say_speed(found: list[Timed], batch: int, where: str, say: Callable[..., None]) -> None:
    ours, theirs = (peer.median for peer in found)
    for peer in found:
        say("speed", f"batch {batch}: {peer.name}", f"{peer.median / batch:.2f} ms a frame", "", "")
    least = TARGETS[where]["ratio"]
    ratio = theirs / ours
    say("speed", f"batch {batch}: times faster", f"{ratio:.2f}x", f"{least}x", _verdict(ratio >= least))
    if where == "cuda":
        rate = batch * 1e3 / ours
        frame, eight = TARGETS[where]["frame"], TARGETS[where]["batch"]
        good, target = (ours <= frame, f"{frame:.0f} ms") if batch == 1 else (rate >= eight, f"{eight:.0f} frames/s")
        say("speed", f"batch {batch}: frames a second", f"{rate:.0f}", target, _verdict(good))


def _verdict(good: bool) -> str:
    return "yes" if good else "MISSED"


def main(arguments: list[str]) -> int:
    """Prints one table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="antlitz bench liveportrait", description=__doc__)
    parser.add_argument("--reference", metavar="DIR", help="a checkout of KwaiVGI/LivePortrait")
    parser.add_argument("--bundle", metavar="DIR", help="an export of `--checkpoint random`")
    parser.add_argument("--width", type=int, default=1, help="1/N of the channels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--compile", action="append", default=[], metavar="MODE", help="on a GPU: the peer under torch.compile, too"
    )
    parser.add_argument("--only", choices=("networks", "around", "served"), action="append", default=[])
    options = parser.parse_args(arguments)
    from gateway.bench import liveportrait_peers as peers

    where = peers.device()
    precision = "fp16" if where == "cuda" else "fp32"
    bundle = bundle_for(options, precision)
    console, missed = Console(width=130), False
    title = f"LivePortrait, {precision}, 1/{options.width} of the width"
    table = Table("", "what", "measured", "at least", "reached", title=title)

    def say(part: str, what: str, measured: str, target: str, reached: str) -> None:
        nonlocal missed
        missed |= reached == "MISSED"
        table.add_row(part, what, measured, target, reached)

    wanted = options.only or ["networks", "around", "served"]
    if "networks" in wanted:
        networks(options, bundle, where, say)
    if "around" in wanted:
        costs = around(bundle)
        for name, cost in costs.items():
            say("around", f"motion to keypoints, paste-back: {name}", f"{cost:.2f} ms", "", "")
        mean = float(np.mean(list(costs.values())))
        say("around", "the mean of them", f"{mean:.2f} ms a frame", f"{AROUND_MS} ms", _verdict(mean <= AROUND_MS))
    if "served" in wanted:
        served.measure(bundle, where, say)
    console.print(peers.described(where, options.threads))
    console.print(table)
    return int(missed)
