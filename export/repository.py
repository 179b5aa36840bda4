"""Putting a graph where Triton finds it: into the version folder of a network that runs on a GPU."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from avatar_runtime import engines
from export import tensorrt
from export.onnx_graph import data_file

GRAPH = "model.onnx"


def install(
    graph: Path,
    model: Path,
    engine: str,
    most: int,
    checkpoint_sha256: str,
    said: Console,
    rows: Mapping[str, tuple[int, ...]] | None = None,
) -> None:
    """`graph` as the network in the folder `model`, as ONNX or built by TensorRT for batches of 1 to `most`.

    `rows`: the shape of one row of each input that has free axes in the graph. Raises `EngineError`, OSError.
    """
    version = model / "1"
    version.mkdir(parents=True, exist_ok=True)
    if engine == "tensorrt":
        with said.status(f"{graph.stem}: TensorRT builds an engine; this takes minutes"):
            tensorrt.build(graph, version / engines.PLAN, most, checkpoint_sha256, rows)
        (version / GRAPH).unlink(missing_ok=True)
    else:
        # Weights beside the graph keep the name that the graph calls them by.
        for source, name in ((data_file(graph), data_file(graph).name), (graph, GRAPH)):
            if source.is_file():
                partial = version / f"{name}.partial"
                shutil.copyfile(source, partial)
                partial.replace(version / name)
        for stale in (engines.PLAN, engines.RECORD):
            (version / stale).unlink(missing_ok=True)
    said.print(f"{version}: ready for tritonserver --model-config-name=gpu", highlight=False)
