"""LivePortrait's exported networks, wherever they run: in this process, or as Triton models of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS
from avatar_runtime.liveportrait import bundle
from avatar_runtime.liveportrait.graphs import (
    CANONICAL,
    COMPRESSED,
    DRIVEN,
    EXPRESSION,
    EYES,
    EYES_DELTA,
    FEATURE,
    FRAME,
    IMAGE,
    LIPS,
    LIPS_DELTA,
    POSE,
    SCALE,
    SOURCE,
    TRANSLATION,
)
from avatar_runtime.liveportrait.keypoints import Floats

Bytes = NDArray[np.uint8]
Tensors = Mapping[str, Any]

NUMBERS = (CANONICAL, POSE, EXPRESSION, TRANSLATION, SCALE, SOURCE)  # of a portrait, read by this process
VOLUMES = (FEATURE, COMPRESSED)  # of a portrait, megabytes, which stay where the networks run

SOURCE_MODEL, FRAME_MODEL = "liveportrait_source", "liveportrait_frame"


class Networks(Protocol):
    """The two large networks."""

    def source(self, crop: Bytes) -> Tensors:
        """RGB u8 [256, 256, 3] -> the outputs of the graph `source`: NUMBERS as arrays, VOLUMES wherever they are."""

    def frames(self, held: Tensors, driven: Floats) -> Bytes:
        """What `source` returned, DRIVEN f32 [k, 21, 3] -> I420 crops u8 [k, 768, 512]."""


class InProcess:
    """Both networks in ONNX Runtime on this machine's processor.

    Frames run one after the other: each uses every core already, and a batch would copy the volumes for every frame.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """`folder` holds an exported bundle; `threads` 0: every core. Raises `engine_unavailable`, see `bundle`."""
        self._source = bundle.session(folder, "source", threads)
        self._frame = bundle.session(folder, "frame", threads)
        bundle.agree(self._source, self._frame, folder)

    def source(self, crop: Bytes) -> Tensors:
        return _run(self._source, {IMAGE: crop[None]})

    def frames(self, held: Tensors, driven: Floats) -> Bytes:
        given = {name: held[name] for name in (*VOLUMES, SOURCE)}
        frames = np.empty((len(driven), I420_ROWS, FRAME_SIZE), np.uint8)
        for index in range(len(driven)):
            frames[index] = _run(self._frame, {**given, DRIVEN: driven[index : index + 1]})[FRAME][0]
        return frames


class Retargeting:
    """The graph `retarget`: lids and lips to where they shall be. So small that it always runs here."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds an exported bundle. Raises `engine_unavailable`, see `bundle.session`."""
        self._session = bundle.session(folder, "retarget", 1)

    def __call__(self, keypoints: Floats, eyes: Floats, lips: Floats) -> tuple[Floats, Floats]:
        """SOURCE [21, 3], EYES [k, 3], LIPS [k, 2] -> what lids and lips add to DRIVEN, f32 [k, 21, 3] each."""
        source = np.repeat(keypoints[None], len(eyes), 0)
        found = _run(self._session, {SOURCE: source, EYES: eyes, LIPS: lips})
        return found[EYES_DELTA], found[LIPS_DELTA]


#: One request to another model: its name, inputs (arrays, or tensors it returned before), the outputs wanted, and
#: whether they stay on the device.
Call = tuple[str, Mapping[str, Any], Sequence[str], bool]


class Served:
    """Both networks as Triton models, which batch the frames of all sessions."""

    def __init__(self, infer: Callable[[Sequence[Call]], list[Tensors]]) -> None:
        """infer: sends requests together and waits for all (`adapter.Models`); device tensors come back unread."""
        self._infer = infer

    def source(self, crop: Bytes) -> Tensors:
        # A request has one place for all its outputs, so the portrait's few numbers are asked for once more.
        given = {IMAGE: crop[None]}
        volumes, numbers = self._infer([(SOURCE_MODEL, given, VOLUMES, True), (SOURCE_MODEL, given, NUMBERS, False)])
        return {**volumes, **numbers}

    def frames(self, held: Tensors, driven: Floats) -> Bytes:
        given = {name: held[name] for name in (*VOLUMES, SOURCE)}
        calls = [(FRAME_MODEL, {**given, DRIVEN: driven[i : i + 1]}, (FRAME,), False) for i in range(len(driven))]
        return np.concatenate([answer[FRAME] for answer in self._infer(calls)])


def _run(session: ort.InferenceSession, inputs: Tensors) -> dict[str, Any]:
    """Outputs by name, whatever their order in the graph."""
    names = [output.name for output in session.get_outputs()]
    given = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
    return dict(zip(names, session.run(names, given), strict=True))
