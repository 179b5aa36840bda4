"""From a PyTorch module to an ONNX file that any runtime reads, checked for what is in it."""

from __future__ import annotations

import hashlib
import logging
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from avatar_runtime.bundle import DATA

LARGEST = 1_900_000_000  # bytes in one ONNX file: protobuf ends at 2 GiB. What is larger has its weights beside it
OPSET = 18  # TensorRT 10 and ONNX Runtime since 1.14 read it; GridSample needs 16


class ExportError(Exception):
    """An export that failed or is not what it should be; one sentence."""


@dataclass(frozen=True)
class Graph:
    """A module to export: its tensors' names in order, and an example; `axes` are the free ones of each input.

    Without `axes` the first axis of every input is the batch, up to `most`.
    """

    name: str
    module: nn.Module
    inputs: Sequence[str]
    outputs: Sequence[str]
    example: Sequence[Tensor]
    most: int  # the largest batch
    axes: Any = None  # as torch.export's dynamic_shapes


def write(graph: Graph, path: Path) -> onnx.ModelProto:
    """Exports `graph` to `path`; half a file is never left."""
    axes = graph.axes or [{0: torch.export.Dim("batch", min=1, max=graph.most)}] * len(graph.inputs)
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # it tells of optional packages that are not installed
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter's own, about its inside
            program = torch.onnx.export(
                graph.module.eval(),
                tuple(graph.example),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_shapes=axes,
                external_data=False,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    if program is None:
        raise ExportError(f"PyTorch could not export {graph.name}.")
    model = program.model_proto
    strip(model)
    check(model, graph)
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = data_file(path)
    beside.unlink(missing_ok=True)
    large = sum(len(tensor.raw_data) for tensor in model.graph.initializer) > LARGEST
    try:
        onnx.save(model, str(partial), save_as_external_data=large, location=beside.name)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return model


def data_file(path: Path) -> Path:
    """Where the weights of a graph lie that are too large for its own file."""
    return path.with_name(path.name + DATA)


def hashes(path: Path) -> dict[str, str]:
    """What a manifest tells of a graph: its hash, and that of the weights beside it."""
    beside = data_file(path)
    return {"sha256": sha256(path)} | ({"data_sha256": sha256(beside)} if beside.is_file() else {})


def strip(model: onnx.ModelProto) -> None:
    """Takes out what the exporter notes beside the graph: stack traces with this machine's paths among it."""
    del model.metadata_props[:]
    model.producer_version = torch.__version__
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del item.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
    del graph.value_info[:]


def operators(model: onnx.ModelProto) -> Counter[str]:
    """How often each operator stands in the graph; one outside ONNX's own set carries its domain."""
    return Counter(f"{node.domain}::{node.op_type}" if node.domain else node.op_type for node in model.graph.node)


def check(model: onnx.ModelProto, graph: Graph) -> None:
    """Raises `ExportError` unless the graph is standard ONNX, with 4-D GridSample only, and named as it should be."""
    foreign = [name for name in operators(model) if "::" in name] or [f.name for f in model.functions]
    if foreign:
        raise ExportError(f"{graph.name} needs operators outside ONNX: {', '.join(foreign)}.")
    names = ([item.name for item in side] for side in (model.graph.input, model.graph.output))
    if [*names] != [[*graph.inputs], [*graph.outputs]]:
        raise ExportError(f"{graph.name}: the exporter changed the names of inputs or outputs.")
    if "GridSample" not in operators(model):
        return
    inferred = onnx.shape_inference.infer_shapes(model).graph
    ends = (*inferred.value_info, *inferred.input, *inferred.output)
    axes = {value.name: len(value.type.tensor_type.shape.dim) for value in ends}
    for node in model.graph.node:
        if node.op_type == "GridSample" and axes.get(node.output[0]) != 4:
            raise ExportError(f"{graph.name} samples a volume; that needs a plug-in in TensorRT.")


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
