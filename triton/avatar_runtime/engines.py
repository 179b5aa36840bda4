"""TensorRT engines fit one TensorRT and one GPU: what built them lies beside them, and is compared before use."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.liveportrait.graphs import MAX_BATCH

PLAN: Final = "model.plan"
#: tensorrt, gpu, compute_capability, onnx_sha256, checkpoint_sha256, profile_max_batch
RECORD: Final = "model.plan.json"
REBUILD: Final = "antlitz export liveportrait --checkpoint DIR --precision fp16 --engine tensorrt"
LIBRARIES: Final = ("/usr/lib/*-linux-gnu", "/usr/local/lib", "/usr/local/tensorrt/lib", "/opt/tritonserver/lib")


@dataclass(frozen=True, slots=True)
class Here:
    """This machine; None is not known, and then not compared. gpus: (name, compute capability)."""

    tensorrt: str | None = None
    gpus: tuple[tuple[str, str], ...] = ()


def check(
    record: Mapping[str, Any],
    here: Here,
    batch: int = MAX_BATCH,
    checkpoint: str | None = None,
    rebuild: str = REBUILD,
) -> None:
    """Raises `engine_unavailable` when an engine with this record cannot serve `batch` rows of `checkpoint` here.

    `checkpoint` is the SHA-256 of the weights that the bundle beside it was exported from, None when not known;
    `rebuild` is the command that builds it anew.
    """
    built, mine = record.get("tensorrt"), here.tensorrt
    if built and mine and not _same_version(str(built), mine):
        raise _refused(f"was built by TensorRT {built} and this is {mine}", rebuild)
    for name, capability in here.gpus:
        wanted = record.get("compute_capability")
        if wanted and capability and str(wanted) != capability:
            raise _refused(f"was built for compute capability {wanted} and {name} has {capability}", rebuild)
        if record.get("gpu") and record["gpu"] != name:
            raise _refused(f"was built on {record['gpu']} and this is {name}", rebuild)
    weights = record.get("checkpoint_sha256")
    if weights and checkpoint and weights != checkpoint:
        raise _refused("holds other weights than the graphs that were exported last", rebuild)
    profile = record.get("profile_max_batch")
    if isinstance(profile, int) and profile < batch:
        raise _refused(f"takes {profile} frames at once and {batch} are needed", rebuild)


def check_plan(
    folder: Path, here: Here, batch: int = MAX_BATCH, checkpoint: str | None = None, rebuild: str = REBUILD
) -> None:
    """Checks `folder`/model.plan by the record beside it; a folder without an engine, or without a record, passes."""
    path = folder / RECORD
    if not (folder / PLAN).is_file() or not path.is_file():
        return
    try:
        record = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _refused(f"has an unreadable record, {path}", rebuild) from error
    if not isinstance(record, dict):
        raise _refused(f"has an unreadable record, {path}", rebuild)
    check(record, here, batch, checkpoint, rebuild)


def here() -> Here:
    """What this machine tells of itself."""
    return Here(_tensorrt(), _gpus())


def _refused(what: str, rebuild: str) -> AvatarError:
    return AvatarError(Code.ENGINE_UNAVAILABLE, f"The TensorRT engine {what}; build it anew: {rebuild}")


def _same_version(one: str, other: str) -> bool:
    """Whether two versions agree as far as both are known: a library's name may end before its build number."""
    return all(a == b for a, b in zip(one.split("."), other.split("."), strict=False))


def _tensorrt() -> str | None:
    """TensorRT's version from its Python module, else from the name of the server's library."""
    try:
        return str(importlib.import_module("tensorrt").__version__)
    except (ImportError, AttributeError):
        pass
    found = [path.name for place in LIBRARIES for path in Path("/").glob(f"{place[1:]}/libnvinfer.so.*")]
    versions = [match[1] for name in found if (match := re.fullmatch(r"libnvinfer\.so\.([\d.]+)", name))]
    return max(versions, key=len, default=None)


def _gpus() -> tuple[tuple[str, str], ...]:
    """(name, compute capability) of every GPU, as nvidia-smi says; nothing without it."""
    command = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in said.splitlines()]
    return tuple((row[0], row[1]) for row in rows if len(row) == 2)
