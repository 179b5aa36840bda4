"""LivePortrait's exported networks in their folder: what each graph has to look like."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnxruntime as ort

from avatar_runtime.bundle import Bundle
from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS
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


def bundle(folder: Path) -> Bundle:
    """LivePortrait's bundle in `folder`."""
    return Bundle(folder, MANIFEST, EXPORT)


def session(folder: Path, graph: str, threads: int) -> ort.InferenceSession:
    """The graph of a bundle, ready to run on the processor with so many threads.

    Raises `engine_unavailable`, naming file and command, when it is missing, broken, another graph, or not the one
    that the manifest beside it tells of.
    """
    found = bundle(folder).session(graph, threads, flush=True)  # a keypoint's heat fades away
    _check(found, graph, folder / f"{graph}.onnx")
    return found


def _check(found: ort.InferenceSession, graph: str, path: Path) -> None:
    """Names, types and shapes of a graph's ends against the contract in `graphs`."""
    for ends, wanted in zip((found.get_inputs(), found.get_outputs()), SIGNATURES[graph], strict=True):
        if {end.name for end in ends} != set(wanted):
            raise bundle(path.parent).refused(path, f"is another graph: it has {', '.join(end.name for end in ends)}")
        for end in ends:
            types = {"tensor(uint8)"} if end.name in BYTES else {"tensor(float)"}
            if end.name in HALF_ALLOWED:
                types.add("tensor(float16)")
            row, shape = SHAPES[end.name], end.shape[1:]
            fits = len(row) == len(shape) and all(w is None or w == s for w, s in zip(row, shape, strict=True))
            if end.type not in types or not fits:
                raise bundle(path.parent).refused(path, f"has {end.name} as {end.type} {end.shape}")


def agree(source: ort.InferenceSession, frame: ort.InferenceSession, folder: Path) -> None:
    """Raises `engine_unavailable` unless the frame graph takes the volumes that the source graph gives."""
    given = {end.name: end for end in source.get_outputs()}
    for end in frame.get_inputs():
        if end.name not in given:
            continue
        sizes = zip(given[end.name].shape[1:], end.shape[1:], strict=True)
        differ = any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in sizes)
        if differ or given[end.name].type != end.type:
            raise bundle(folder).refused(folder / "frame.onnx", f"does not fit source.onnx: {end.name} differs")
