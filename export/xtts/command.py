"""`antlitz export xtts`: the published checkpoint to the graphs that `tts_xtts` and `voice_xtts` run, without coqui.

The weights are Coqui's, under the Coqui Public Model License: not for commercial use.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from rich.console import Console

from avatar_runtime.xtts import graphs
from avatar_runtime.xtts.gpt import Sizes, Tables
from export.folders import replacing
from export.onnx_graph import ExportError, operators, sha256, write
from export.weights import digest
from export.xtts import checkpoint, parity, twin, vocabulary
from export.xtts.config import Config, narrow
from export.xtts.graphs import prepared
from export.xtts.model import Xtts
from gateway.settings import Settings

PRECISIONS = tuple(parity.TOLERANCE)
MADE = {"random": lambda tokens: Config(text_tokens=tokens), "twin": narrow}  # made checkpoints, full size and small


def tables(model: Xtts) -> dict[str, np.ndarray]:
    """The embeddings that stay outside the graph."""
    gpt = model.gpt
    return {
        "text": gpt.text_embedding.weight.numpy(),
        "text_positions": gpt.text_pos_embedding.emb.weight.numpy(),
        "codes": gpt.mel_embedding.weight.numpy(),
        "code_positions": gpt.mel_pos_embedding.emb.weight.numpy(),
    }


def sizes(config: Config) -> Sizes:
    """What the runtime has to know of the networks."""
    return Sizes(**{item.name: getattr(config, item.name) for item in dataclasses.fields(Sizes)})


def export(found: checkpoint.Checkpoint, out: Path, precision: str = "fp32", said: Console | None = None) -> None:
    """Writes the bundle `out`: four graphs, each compared with PyTorch, and what belongs to them. Raises `ExportError`.

    A bundle that was there stays whole until the new one is complete.
    """
    said, model = said or Console(quiet=True), found.model
    arrays = tables(model)
    with replacing(out) as fresh:
        recorded = {}
        for name in graphs.GRAPHS:
            path = fresh / f"{name}.onnx"
            with said.status(f"{name}: exporting"):
                kinds = operators(write(prepared(model, name, precision), path))
                if name == "gpt" and precision == "int8":
                    _quantise(path)
            with said.status(f"{name}: comparing with PyTorch"):
                session = _session(path)
                if name == "gpt":
                    rows = parity.spoken(
                        model, session, sizes(model.config), Tables(arrays, sizes(model.config)), precision
                    )
                else:
                    rows = [parity.plain(model, name, session, precision)]
            listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
            said.print(f"{name}.onnx: {path.stat().st_size / 1e6:.0f} MB; {listed}", highlight=False)
            for row in rows:
                said.print(f"  {row}", highlight=False)
            recorded[name] = {"sha256": sha256(path), "difference": {row.what: row.largest for row in rows}}
        np.savez(fresh / graphs.TABLES, **arrays)
        np.savez(
            fresh / graphs.VOICES,
            names=np.array(list(found.voices)),
            latents=np.stack([latents.numpy() for latents, _ in found.voices.values()]),
            speakers=np.stack([speaker.numpy() for _, speaker in found.voices.values()]),
        )
        shutil.copyfile(found.vocabulary, fresh / graphs.VOCABULARY)
        manifest = {
            "sizes": dataclasses.asdict(sizes(model.config)),
            "precision": precision,
            "checkpoint_sha256": digest(model),
            "torch": torch.__version__,
            "graphs": recorded,
        }
        (fresh / graphs.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _quantise(path: Path) -> None:
    """The GPT's matrices in 8 bits, each column with a scale of its own; activations are measured as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".fp32")
    path.rename(whole)
    quantize_dynamic(
        str(whole), str(path), op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
    )
    whole.unlink()


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def made(name: str, folder: Path) -> checkpoint.Checkpoint:
    """A checkpoint of random weights, written to `folder` as it is published and read again."""
    words = folder / "words.json"
    tokenizer = vocabulary.write(words, [f"{each}. " for each in twin.NAMES])
    config = MADE[name](max(tokenizer.get_vocab().values()) + 1)
    start, stop = tokenizer.token_to_id(vocabulary.START), tokenizer.token_to_id(vocabulary.STOP)
    twin.write(folder / "made", dataclasses.replace(config, start_text=start, stop_text=stop), words)
    return checkpoint.load(folder / "made")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz export xtts", description=__doc__)
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="DIR",
        help="folder of the published files; `random`: full size, for speed; `twin`: small, for tests",
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="int8", help="int8: processors; fp16: GPUs")
    parser.add_argument("--out", type=Path, help="the bundle's folder; ANTLITZ_MODELS/xtts when left out")
    options = parser.parse_args(arguments)
    said = Console(soft_wrap=True)
    out = options.out or Settings.from_environment().models / graphs.FOLDER
    try:
        with tempfile.TemporaryDirectory(prefix="antlitz-xtts-") as work:
            if options.checkpoint in MADE:
                found = made(options.checkpoint, Path(work))
            else:
                found = checkpoint.load(Path(options.checkpoint))
            export(found, out, options.precision, said)
    except (checkpoint.CheckpointError, ExportError, OSError) as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    said.print(f"All there, in {out}.", highlight=False)
    return 0
