"""Exported graphs in their folder: opened, or refused in one sentence when they are not what they should be."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.replay import RECORDING

log = logging.getLogger("avatar_runtime")

#: Of ONNX Runtime's CUDA provider. By default it tries every algorithm of a convolution for each new length of sound,
#: which takes longer than the sound, and doubles its memory whenever it needs more.
CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
CPU = "CPUExecutionProvider"
DATA = ".data"  # behind a graph's name: its weights, where they are too large for the graph's own file


def opened(
    graph: str | bytes, options: ort.SessionOptions, provider: str, recorded: bool = False
) -> ort.InferenceSession:
    """A graph on `provider` (and the processor for what that has not); raises what ONNX Runtime raises.

    `recorded`: a GPU's may record runs (`replay`). Where that is impossible the log says so, and all runs are plain.
    """
    given = CUDA_OPTIONS if provider.startswith("CUDA") else {}
    if recorded and given:
        try:
            return ort.InferenceSession(graph, options, providers=[(provider, {**given, **RECORDING}), CPU])
        except Exception as error:  # ONNX Runtime raises a dozen types of its own without a common base
            log.warning("a graph's runs cannot be recorded, and will be slower: %s", error)
    return ort.InferenceSession(graph, options, providers=[(provider, given), *([CPU] if provider != CPU else [])])


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder that an export wrote: graphs, and a manifest that tells their hashes and what they were made of."""

    folder: Path
    manifest: str  # the manifest's file name
    remedy: str  # the command that makes a new one

    def refused(self, path: Path, what: str) -> AvatarError:
        """`engine_unavailable`, naming file and command."""
        return AvatarError(Code.ENGINE_UNAVAILABLE, f"{path} {what}; make it anew: {self.remedy}")

    def told(self) -> dict[str, Any]:
        """The manifest. Raises `engine_unavailable` when it is missing or no manifest."""
        path = self.folder / self.manifest
        try:
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise self.refused(path, "is missing") from error
        except (OSError, ValueError) as error:
            raise self.refused(path, "cannot be read") from error
        if not isinstance(found, dict) or not isinstance(found.get("graphs"), dict):
            raise self.refused(path, "does not tell of its graphs")
        return found

    def checkpoint(self) -> str | None:
        """The SHA-256 of the weights that the bundle was exported from, None when its manifest does not tell."""
        try:
            found = self.told().get("checkpoint_sha256")
        except AvatarError:
            return None
        return found if isinstance(found, str) else None

    def session(
        self, graph: str, threads: int, flush: bool = False, providers: tuple[str, ...] = (), recorded: bool = False
    ) -> ort.InferenceSession:
        """The graph, ready to run on the processor with `threads` (0: every core), or by ONNX Runtime's `providers`.

        `flush`: numbers that fade away become zero, not denormal, which makes convolutions four times slower. It
        holds for the thread that opens the session, too. `recorded`: see `opened`. Raises `engine_unavailable` as well
        when the first provider is not there: it would be the processor that runs, a hundred times slower.

        Raises `engine_unavailable` when it is missing, broken, or not the one that the manifest tells of.
        """
        path = self.folder / f"{graph}.onnx"
        if not path.is_file():
            raise self.refused(path, "is missing")
        self._compare(graph, path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1" if flush else "0")
        options.enable_mem_pattern = False  # with it every second run's memory is mapped anew
        try:
            found = opened(str(path), options, next(iter(providers), CPU), recorded)
        except Exception as error:  # ONNX Runtime raises a dozen types of its own without a common base
            raise self.refused(path, "is not a whole ONNX graph (or its .data file is missing)") from error
        if providers and found.get_providers()[0] != providers[0]:
            why = f"ONNX Runtime has no {providers[0]} here: install onnxruntime-gpu and CUDA, or leave the GPU config."
            raise AvatarError(Code.ENGINE_UNAVAILABLE, why)
        return found

    def _compare(self, graph: str, path: Path) -> None:
        """The graph's file against the hash in the manifest."""
        try:
            recorded = self.told()["graphs"][graph]
            wanted = {path: recorded["sha256"]}
        except (KeyError, TypeError) as error:
            raise self.refused(self.folder / self.manifest, f"does not tell of {graph}.onnx") from error
        if "data_sha256" in recorded:
            wanted[path.with_name(path.name + DATA)] = recorded["data_sha256"]
        for each, digest in wanted.items():
            if not each.is_file():
                raise self.refused(each, "is missing")
            with each.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise self.refused(each, f"is not the file that {self.manifest} tells of")
