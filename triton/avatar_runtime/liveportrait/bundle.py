"""The exported networks in their folder: read, and refused in one sentence when they are not what they should be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import onnxruntime as ort

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS, AvatarError, Code
from avatar_runtime.liveportrait.graphs import (
    CANONICAL,
    COMPRESSED,
    CROP_SIZE,
    DRIVEN,
    EXPRESSION,
    EYES,
    EYES_DELTA,
    FEATURE,
    FRAME,
    IMAGE,
    KEYPOINTS,
    LIPS,
    LIPS_DELTA,
    MANIFEST,
    POSE,
    SCALE,
    SIGNATURES,
    SOURCE,
    TRANSLATION,
)

EXPORT: Final = "antlitz export liveportrait --checkpoint DIR"

#: What one row of each tensor looks like; None: as wide as the export was.
SHAPES: Final[dict[str, tuple[int | None, ...]]] = {
    IMAGE: (CROP_SIZE, CROP_SIZE, 3),
    FEATURE: (None, None, 64, 64),
    COMPRESSED: (None, None, 64, 64),
    CANONICAL: (KEYPOINTS, 3),
    POSE: (3,),
    EXPRESSION: (KEYPOINTS, 3),
    TRANSLATION: (3,),
    SCALE: (1,),
    SOURCE: (KEYPOINTS, 3),
    DRIVEN: (KEYPOINTS, 3),
    FRAME: (I420_ROWS, FRAME_SIZE),
    EYES: (3,),
    LIPS: (2,),
    EYES_DELTA: (KEYPOINTS, 3),
    LIPS_DELTA: (KEYPOINTS, 3),
}
BYTES: Final = (IMAGE, FRAME)
HALF_ALLOWED: Final = (FEATURE, COMPRESSED)


def _refused(path: Path, what: str) -> AvatarError:
    return AvatarError(Code.ENGINE_UNAVAILABLE, f"{path} {what}; make it anew: {EXPORT}")


def session(folder: Path, graph: str, threads: int) -> ort.InferenceSession:
    """The graph of a bundle, ready to run on the processor with so many threads.

    Raises `engine_unavailable`, naming file and command, when it is missing, broken, another graph, or not the one
    that the manifest beside it tells of.
    """
    path = folder / f"{graph}.onnx"
    if not path.is_file():
        raise _refused(path, "is missing")
    _recorded(folder, graph)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A keypoint's heat fades into denormal numbers, which make the convolutions after it four times slower.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.enable_mem_pattern = False  # with it every second frame's memory is mapped anew: half a second
    try:
        found = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen types of its own without a common base
        raise _refused(path, "is not a whole ONNX graph (or its .data file is missing)") from error
    _check(found, graph, path)
    return found


def checkpoint(folder: Path) -> str | None:
    """The SHA-256 of the weights that a bundle was exported from, None when its manifest does not tell."""
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    found = told.get("checkpoint_sha256") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _recorded(folder: Path, graph: str) -> None:
    """Compares the graph's file with the hash in the manifest."""
    path, manifest = folder / f"{graph}.onnx", folder / MANIFEST
    try:
        recorded = json.loads(manifest.read_text("utf-8"))["graphs"][graph]["sha256"]
    except FileNotFoundError as error:
        raise _refused(manifest, "is missing") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(manifest, f"does not tell of {graph}.onnx") from error
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != recorded:
            raise _refused(path, f"is not the file that {MANIFEST} tells of")


def _check(found: ort.InferenceSession, graph: str, path: Path) -> None:
    """Names, types and shapes of a graph's ends against the contract in `graphs`."""
    for ends, wanted in zip((found.get_inputs(), found.get_outputs()), SIGNATURES[graph], strict=True):
        if {end.name for end in ends} != set(wanted):
            raise _refused(path, f"is another graph: it has {', '.join(end.name for end in ends)}")
        for end in ends:
            types = {"tensor(uint8)"} if end.name in BYTES else {"tensor(float)"}
            if end.name in HALF_ALLOWED:
                types.add("tensor(float16)")
            row, shape = SHAPES[end.name], end.shape[1:]
            fits = len(row) == len(shape) and all(w is None or w == s for w, s in zip(row, shape, strict=True))
            if end.type not in types or not fits:
                raise _refused(path, f"has {end.name} as {end.type} {end.shape}")


def agree(source: ort.InferenceSession, frame: ort.InferenceSession, folder: Path) -> None:
    """Raises `engine_unavailable` unless the frame graph takes the volumes that the source graph gives."""
    given = {end.name: end for end in source.get_outputs()}
    for end in frame.get_inputs():
        if end.name not in given:
            continue
        sizes = zip(given[end.name].shape[1:], end.shape[1:], strict=True)
        differ = any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in sizes)
        if differ or given[end.name].type != end.type:
            raise _refused(folder / "frame.onnx", f"does not fit source.onnx: {end.name} differs")
