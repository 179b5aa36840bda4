"""`antlitz export whisper`: a published Whisper of any size to graphs that run without PyTorch and transformers."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

import onnxruntime as ort
import torch
from rich.console import Console

from avatar_runtime.whisper import exported
from avatar_runtime.whisper.folder import exported_folder
from avatar_runtime.whisper.network import Networks, Sizes
from export.folders import replacing
from export.onnx_graph import ExportError, operators, sha256, write
from export.weights import digest
from export.whisper import checkpoint, hub, parity, twin
from export.whisper.config import Config
from export.whisper.graphs import prepared
from export.whisper.model import Whisper
from gateway.settings import Settings

PRECISIONS = tuple(parity.TOLERANCE)
TWIN = "twin"  # a made checkpoint
MOST_BYTES = 1_900_000_000  # of one ONNX file: protobuf ends at 2 GiB


def sizes(config: Config) -> Sizes:
    """What the runtime has to know of the networks."""
    return Sizes(**{item.name: getattr(config, item.name) for item in dataclasses.fields(Sizes)})


def export(found: checkpoint.Checkpoint, out: Path, precision: str = "fp32", said: Console | None = None) -> None:
    """Writes the bundle `out`: three graphs, compared with PyTorch, and what belongs to them. Raises `ExportError`.

    A bundle that was there stays whole until the new one is complete.
    """
    said, model = said or Console(quiet=True), found.model
    _fits(model, precision)
    with replacing(out) as fresh:
        for name in exported.GRAPHS:
            path = fresh / f"{name}.onnx"
            with said.status(f"{name}: exporting"):
                kinds = operators(write(prepared(model, found.heads, name, precision), path))
                if precision == "int8":
                    _quantise(path)
            listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
            said.print(f"{name}.onnx: {path.stat().st_size / 1e6:.0f} MB; {listed}", highlight=False)
        with said.status("comparing with PyTorch"):
            rows = parity.compare(found, opened(fresh, model.config), precision)
        for row in rows:
            said.print(f"  {row}", highlight=False)
        for name in exported.VOCABULARY:
            shutil.copyfile(found.vocabulary / name, fresh / name)
        manifest = {
            "sizes": dataclasses.asdict(model.config),
            "alignment_heads": found.heads,
            "tokens": found.ids,
            "precision": precision,
            "checkpoint_sha256": digest(model),
            "torch": torch.__version__,
            "difference": {row.what: row.apart for row in rows},
            "graphs": {name: {"sha256": sha256(fresh / f"{name}.onnx")} for name in exported.GRAPHS},
        }
        (fresh / exported.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _fits(model: Whisper, precision: str) -> None:
    """Raises `ExportError` when a graph would be larger than one file can be: medium fits, large only in halves."""
    bytes_each = 2 if precision == "fp16" else 4  # 8 bits are made of a whole graph
    largest = max(sum(each.numel() for each in part.parameters()) for part in (model.encoder, model.decoder))
    if largest * bytes_each > MOST_BYTES:
        raise ExportError(f"In {precision} a graph of this size is larger than an ONNX file can be: --precision fp16.")


def _quantise(path: Path) -> None:
    """The matrices in 8 bits, each column with a scale of its own; activations are measured as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".fp32")
    path.rename(whole)
    quantize_dynamic(
        str(whole), str(path), op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
    )
    whole.unlink()


def opened(bundle: Path, config: Config) -> Networks:
    """The graphs in `bundle`, on the processor."""
    return Networks(lambda name: _session(bundle / f"{name}.onnx"), sizes(config))


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def made(folder: Path, bins: int = 80) -> checkpoint.Checkpoint:
    """A small checkpoint of random weights, written to `folder` as it is published and read again."""
    twin.write(folder, twin.narrow(bins))
    return checkpoint.load(folder)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz export whisper", description=__doc__)
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="PATH",
        help="openai/whisper-large-v3 or another name on the model hub; a folder as transformers writes it; one of "
        "OpenAI's .pt files; CTranslate2's model.bin; `twin`: small and random, for tests",
    )
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help="folder with tokenizer.json, for a single file")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8", help="int8: processors; fp16: GPUs")
    parser.add_argument("--out", type=Path, help="the bundle's folder; below ANTLITZ_MODELS when left out")
    options = parser.parse_args(arguments)
    said = Console(soft_wrap=True)
    try:
        with tempfile.TemporaryDirectory(prefix="antlitz-whisper-") as work:
            if options.checkpoint == TWIN:
                found = made(Path(work))
            else:
                path = hub.fetched(options.checkpoint) if hub.is_name(options.checkpoint) else Path(options.checkpoint)
                found = checkpoint.load(path, options.vocabulary)
            out = options.out or exported_folder(Settings.from_environment().models, found.model.config.size)
            export(found, out, options.precision, said)
    except (hub.HubError, checkpoint.CheckpointError, ExportError, OSError) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    said.print(f"All there, in {out}.", highlight=False)
    return 0
