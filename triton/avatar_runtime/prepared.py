"""Networks that are rewritten and optimised before use, kept as they are used: the next start reads them back.

For Kokoro that is a third of a second of one core instead of a whole one; after a crash a conversation waits for it.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import inspect
import logging
import os
import platform
import secrets
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import onnxruntime as ort
from onnx import ModelProto

log = logging.getLogger("avatar_runtime")

FOLDER = "prepared"  # beside the network's own file
ABANDONED = 600.0  # s; whoever wrote this long at a part was killed
KEPT = 2  # of one network: this one, and that of an older version or of another machine that shares the folder


def cpu_session(
    graph: bytes | Path, threads: int, optimised: bool = False, keep: Path | None = None, arena: bool = True
) -> ort.InferenceSession:
    """A CPU session that does not spin while it waits: the cores belong to the video.

    An `optimised` graph is taken as it is; `keep` is where the optimised one is written. Without an `arena` memory goes
    back after each run, instead of being kept, and doubled, for the longest input so far.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = False  # one would be kept for every length of text or sound
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if keep is not None:
        options.optimized_model_filepath = str(keep)
    return ort.InferenceSession(
        graph if isinstance(graph, bytes) else str(graph), options, providers=["CPUExecutionProvider"]
    )


def prepared_session(
    source: Path, name: str, make: Callable[[], ModelProto], threads: int, *code: ModuleType, arena: bool = True
) -> ort.InferenceSession:
    """A session of the network called `name` that `make` makes of the file `source`, by `code`.

    Kept in `prepared/` beside the file while file, code, ONNX Runtime and processor stay the same. Where nothing can be
    kept, it is made each time. `arena` as in `cpu_session`.
    """
    kept = source.parent / FOLDER / f"{name}-{_key(source, code)}.onnx"
    if kept.is_file() and (session := _read(kept, threads, arena)) is not None:
        return session
    graph = make().SerializeToString()
    if _keep(graph, kept, threads):
        _forget_old(kept.parent, name)
        _hand_back()
        if (session := _read(kept, threads, arena)) is not None:  # half the memory of the one that wrote it
            return session
    return cpu_session(graph, threads, arena=arena)


def _read(kept: Path, threads: int, arena: bool) -> ort.InferenceSession | None:
    try:
        return cpu_session(kept, threads, optimised=True, arena=arena)
    except Exception as error:  # ONNX Runtime has no class of its own for this
        log.warning("%s cannot be read and is made again (%s)", kept, type(error).__name__)
        return None


def _keep(graph: bytes, kept: Path, threads: int) -> bool:
    """Write the optimised `graph`: whole or not at all. Whether it is there."""
    part = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.part")
    try:
        kept.parent.mkdir(exist_ok=True)
        cpu_session(graph, threads, keep=part)
        part.replace(kept)
        return True
    except Exception as error:  # a folder that cannot be written, a full disk: ONNX Runtime's own classes, or OSError
        log.info("%s is not kept (%s)", kept, type(error).__name__)
        return False
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _hand_back() -> None:
    """What was freed of making a network, some 100 MB, goes back to the system (glibc; elsewhere nothing happens)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _key(source: Path, code: tuple[ModuleType, ...]) -> str:
    """What the prepared network hangs on. ONNX Runtime lays tensors out for the processor that it runs on."""
    state = source.stat()
    facts = [str(state.st_size), str(state.st_mtime_ns), ort.__version__, *_processor()]
    facts += [inspect.getsource(module) for module in (inspect.getmodule(_key), *code) if module is not None]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


@cache
def _processor() -> tuple[str, ...]:
    """Architecture and instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return platform.machine(), flags


def _forget_old(folder: Path, name: str) -> None:
    found = sorted(folder.glob(f"{name}-*.onnx"), key=os.path.getmtime, reverse=True)
    broken = [path for path in folder.glob("*.part") if time.time() - path.stat().st_mtime > ABANDONED]
    for path in (*found[KEPT:], *broken):
        path.unlink(missing_ok=True)
