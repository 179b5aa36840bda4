"""`antlitz export liveportrait`: the published checkpoint to the graphs that `render_liveportrait` runs.

Without TensorRT the graphs are ONNX, which ONNX Runtime runs on processors (fp32) and GPUs (fp16). fp16 graphs and
engines are also put where Triton finds them, into the model repository's `liveportrait_source` and `_frame`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from rich.console import Console

from avatar_runtime.liveportrait import graphs
from export import tensorrt
from export.folders import replacing
from export.liveportrait import checkpoint, parity
from export.liveportrait.graphs import Frame, Retarget, Source
from export.liveportrait.model import LivePortrait, seeded
from export.liveportrait.puppet import puppet
from export.liveportrait.widths import narrow
from export.onnx_graph import ExportError, Graph, operators, sha256, write
from export.repository import install as place
from export.weights import digest
from gateway.settings import Settings
from triton_launch.command import REPOSITORY

PRECISIONS = tuple(parity.TOLERANCE)
MADE = {"puppet": puppet, "random": seeded}  # checkpoints that need no files


def network(name: str, divisor: int) -> LivePortrait:
    """The networks of a checkpoint folder, or made ones. Raises `CheckpointError`, ValueError."""
    widths = narrow(divisor)
    return MADE[name](widths) if name in MADE else checkpoint.load(Path(name), widths)


def prepared(model: LivePortrait, name: str, precision: str) -> Graph:
    """The graph `name` of the networks, with an example to trace it by."""
    half = precision == "fp16"
    inputs, outputs = graphs.SIGNATURES[name]
    given = parity.example(model, 2)
    if half:
        given |= {volume: given[volume].half() for volume in (graphs.FEATURE, graphs.COMPRESSED)}
    if name == "frame":
        outputs = (*outputs, parity.PICTURE)
        module: torch.nn.Module = Frame(model, half)
    else:
        module = Source(model, half) if name == "source" else Retarget(model)
    return Graph(name, module, inputs, outputs, [given[each] for each in inputs], graphs.MAX_BATCH)


def export(model: LivePortrait, out: Path, precision: str = "fp32", said: Console | None = None) -> None:
    """Writes the bundle `out`: three graphs, each compared with PyTorch, and the manifest. Raises `ExportError`.

    A bundle that was there stays whole until the new one is complete.
    """
    said = said or Console(quiet=True)
    with replacing(out) as fresh:
        recorded = {}
        for name in graphs.SIGNATURES:
            path = fresh / f"{name}.onnx"
            with said.status(f"{name}: exporting"):
                found = write(prepared(model, name, precision), path)
            if name == "frame":
                _hide_picture(path)
            with said.status(f"{name}: comparing with PyTorch"):
                # The motion extractor and the small networks are f32 in every precision.
                rows = parity.compare(model, name, path, precision)
            kinds = ", ".join(f"{kind} {count}" for kind, count in operators(found).most_common())
            said.print(f"{name}.onnx: {path.stat().st_size / 1e6:.0f} MB; {kinds}", highlight=False)
            for row in rows:
                said.print(f"  {row}", highlight=False)
            recorded[name] = {"sha256": sha256(path), "difference": {row.tensor: row.largest for row in rows}}
        manifest = {
            "precision": precision,
            "checkpoint_sha256": digest(model),
            "torch": torch.__version__,
            "graphs": recorded,
        }
        (fresh / graphs.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _hide_picture(path: Path) -> None:
    """Takes the RGB picture, which only the comparison wants, from the graph's outputs; it keeps its name inside."""
    model = onnx.load(str(path))
    kept = [item for item in model.graph.output if item.name != parity.PICTURE]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, str(path))


def install(bundle: Path, repository: Path, engine: str, said: Console) -> None:
    """Puts the two large graphs into the models of `repository` that run on a GPU, as ONNX or built by TensorRT."""
    checkpoint_sha256 = json.loads((bundle / graphs.MANIFEST).read_text("utf-8"))["checkpoint_sha256"]
    for name in ("source", "frame"):
        network = repository / f"liveportrait_{name}"
        place(bundle / f"{name}.onnx", network, engine, graphs.MAX_BATCH, checkpoint_sha256, said)


@contextmanager
def _told() -> Iterator[None]:
    """What can go wrong, as one sentence and the exit status 1."""
    try:
        yield
    except (checkpoint.CheckpointError, ExportError, tensorrt.EngineError, OSError) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        raise SystemExit(1) from error


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz export liveportrait", description=__doc__)
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="DIR",
        help="folder of the published files; `puppet`: made by hand, moves the picture itself; `random`: for speed",
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="fp16 is for GPUs")
    parser.add_argument("--engine", choices=("onnx", "tensorrt"), default="onnx")
    parser.add_argument("--out", type=Path, help="the bundle's folder; ANTLITZ_MODELS/liveportrait when left out")
    parser.add_argument("--repository", type=Path, help="Triton's model repository, for GPU models; this checkout's")
    parser.add_argument("--width", type=int, default=1, metavar="N", help="1/N of the channels, for tests")
    options = parser.parse_args(arguments)
    if options.precision != "fp16" and (options.engine == "tensorrt" or options.repository):
        parser.error("models for a GPU are fp16: add --precision fp16")
    said = Console(soft_wrap=True)
    with _told():
        if options.engine == "tensorrt":
            tensorrt.require()
        out = options.out or Settings.from_environment().models / graphs.FOLDER
        export(network(options.checkpoint, options.width), out, options.precision, said)
        said.print(f"All there, in {out}.", highlight=False)
        if options.precision == "fp16":
            install(out, options.repository or REPOSITORY, options.engine, said)
    return 0
