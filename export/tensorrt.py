"""ONNX to a TensorRT engine, and the record beside it of what built it (read by `avatar_runtime.engines`).

Networks are strongly typed: the graph's own precision counts, so that TensorRT 10 and 11, which knows nothing else,
build the same. Written from the documentation of both; no machine with TensorRT was there to try it.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from avatar_runtime import engines
from export.onnx_graph import sha256

WORKSPACE = 8 << 30  # bytes of GPU memory that building may use
COMMON = 4  # frames: the batch that kernels are chosen for


class EngineError(Exception):
    """An engine that could not be built; one sentence."""


def require() -> ModuleType:
    """TensorRT's Python module; `EngineError` says what to do without it."""
    try:
        return importlib.import_module("tensorrt")
    except ImportError as error:
        raise EngineError(
            "TensorRT is not installed: pip install tensorrt (NVIDIA's index has it), or leave out --engine tensorrt "
            "and serve the ONNX graphs with ONNX Runtime (--precision fp16 on a GPU, fp32 on a processor)."
        ) from error


def build(
    graph: Path,
    plan: Path,
    most: int,
    checkpoint_sha256: str,
    rows: Mapping[str, tuple[int, ...]] | None = None,
) -> None:
    """Builds `graph` for batches of 1 to `most` into `plan`, with its record beside it. Raises `EngineError`.

    `checkpoint_sha256` tells which weights these are, whatever the precision of the graph; `rows` the shape of a row of
    those inputs whose other axes are free in the graph.
    """
    trt = require()
    gpus = engines.here().gpus
    if not gpus:
        raise EngineError("TensorRT builds an engine on the GPU it will run on, and nvidia-smi shows none.")
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        first = parser.get_error(0).desc() if parser.num_errors else "it says no more"
        raise EngineError(f"TensorRT {trt.__version__} cannot read {graph.name}: {first}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    config.add_optimization_profile(_profile(builder, network, most, rows or {}))
    serialised = builder.build_serialized_network(network, config)
    if serialised is None:
        raise EngineError(f"TensorRT {trt.__version__} could not build an engine from {graph.name}; its log says why.")
    name, capability = gpus[0]
    record = {
        "tensorrt": trt.__version__,
        "gpu": name,
        "compute_capability": capability,
        "onnx_sha256": sha256(graph),
        "checkpoint_sha256": checkpoint_sha256,
        "profile_max_batch": most,
    }
    place(plan, bytes(serialised), record)


def _profile(builder: Any, network: Any, most: int, rows: Mapping[str, tuple[int, ...]]) -> Any:
    """Batches of 1 to `most` on every input; the other axes are fixed, by `rows` or in the graph."""
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        row = rows.get(tensor.name) or tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, (1, *row), (min(COMMON, most), *row), (most, *row))
    return profile


def place(plan: Path, serialised: bytes, record: dict[str, Any]) -> None:
    """Writes engine and record: the old record goes first, the new one comes last, and none tells of a wrong engine."""
    told = plan.with_name(engines.RECORD)
    told.unlink(missing_ok=True)
    for path, data in ((plan, serialised), (told, (json.dumps(record, indent=1) + "\n").encode())):
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(data)
        os.replace(partial, path)
