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
from export import tensorrt
from export.folders import replacing
from export.onnx_graph import LARGEST, ExportError, data_file, hashes, operators, write
from export.repository import install
from export.weights import digest
from export.whisper import checkpoint, hub, parity, twin
from export.whisper.config import Config, ConfigError, named
from export.whisper.graphs import prepared
from export.whisper.model import Whisper
from gateway.settings import Settings
from triton_launch.command import REPOSITORY

PRECISIONS = tuple(parity.TOLERANCE)
TWIN, RANDOM = "twin", "random-"  # made checkpoints: a small one, and one of a published size
ENCODER, ENCODER_BATCH = "whisper_encoder", 8  # the Triton model of a GPU, and its max_batch_size


def sizes(config: Config) -> Sizes:
    """What the runtime has to know of the networks."""
    return Sizes(**{item.name: getattr(config, item.name) for item in dataclasses.fields(Sizes)})


def export(found: checkpoint.Checkpoint, out: Path, precision: str = "fp32", said: Console | None = None) -> None:
    """Writes the bundle `out`: three graphs, compared with PyTorch, and what belongs to them. Raises `ExportError`.

    A bundle that was there stays whole until the new one is complete.
    """
    said, model = said or Console(quiet=True), found.model
    if precision == "int8":
        _fits(model)
    with replacing(out) as fresh:
        for name in exported.GRAPHS:
            path = fresh / f"{name}.onnx"
            with said.status(f"{name}: exporting"):
                kinds = operators(write(prepared(model, found.heads, name, precision), path))
                if precision == "int8":
                    _quantise(path)
            listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
            said.print(f"{name}.onnx: {_megabytes(path):.0f} MB; {listed}", highlight=False)
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
            "graphs": {name: hashes(fresh / f"{name}.onnx") for name in exported.GRAPHS},
        }
        (fresh / exported.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _megabytes(path: Path) -> float:
    return sum(each.stat().st_size for each in (path, data_file(path)) if each.is_file()) / 1e6


def _fits(model: Whisper) -> None:
    """Raises `ExportError` when a graph is too large to be made 8 bits of: medium fits, large does not."""
    largest = max(sum(each.numel() for each in part.parameters()) for part in (model.encoder, model.decoder))
    if largest * 4 > LARGEST:
        raise ExportError("A Whisper of this size is for GPUs: --precision fp16 (or fp32).")


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


def place(bundle: Path, repository: Path, engine: str, said: Console) -> None:
    """The encoder as the Triton model that a GPU's `stt_whisper` asks: always 30 s, so that utterances make batches."""
    told = json.loads((bundle / exported.MANIFEST).read_text("utf-8"))
    rows = {exported.MEL: (told["sizes"]["bins"], 2 * told["sizes"]["positions"])}
    graph, model = bundle / "encoder.onnx", repository / ENCODER
    install(graph, model, engine, ENCODER_BATCH, told["checkpoint_sha256"], said, rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz export whisper", description=__doc__)
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="PATH",
        help="openai/whisper-large-v3 or another name on the model hub; a folder as transformers writes it; one of "
        "OpenAI's .pt files; CTranslate2's model.bin; `twin`: small and random, for tests; "
        "`random-large-v3` or another size: for speed, says 20 tokens whatever it hears",
    )
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help="folder with tokenizer.json, for a single file")
    parser.add_argument("--precision", choices=PRECISIONS, default="int8", help="int8: processors; fp16: GPUs")
    parser.add_argument("--engine", choices=("onnx", "tensorrt"), default="onnx", help="of the encoder, on a GPU")
    parser.add_argument("--repository", type=Path, help="Triton's model repository, for GPU models; this checkout's")
    parser.add_argument("--out", type=Path, help="the bundle's folder; below ANTLITZ_MODELS when left out")
    options = parser.parse_args(arguments)
    if options.precision != "fp16" and (options.engine == "tensorrt" or options.repository):
        parser.error("models for a GPU are fp16: add --precision fp16")
    said = Console(soft_wrap=True)
    try:
        if options.engine == "tensorrt":
            tensorrt.require()
        with tempfile.TemporaryDirectory(prefix="antlitz-whisper-") as work:
            if options.checkpoint == TWIN:
                found = made(Path(work))
            elif options.checkpoint.startswith(RANDOM):
                twin.write(Path(work), named(options.checkpoint.removeprefix(RANDOM)), says=twin.SENTENCE)
                found = checkpoint.load(Path(work))
            else:
                path = hub.fetched(options.checkpoint) if hub.is_name(options.checkpoint) else Path(options.checkpoint)
                found = checkpoint.load(path, options.vocabulary)
            out = options.out or exported_folder(Settings.from_environment().models, found.model.config.size)
            export(found, out, options.precision, said)
            if options.precision == "fp16":
                place(out, options.repository or REPOSITORY, options.engine, said)
    except (ConfigError, hub.HubError, checkpoint.CheckpointError, ExportError, tensorrt.EngineError, OSError) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    said.print(f"All there, in {out}.", highlight=False)
    return 0
