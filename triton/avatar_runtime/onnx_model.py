"""Triton adapter of a network alone, for a server without an ONNX Runtime backend: the one in nvidia-pytriton.

The launcher links it beside the network's model.onnx, as 1/model.py; Triton's own backend needs nothing of this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avatar_runtime import adapter
from avatar_runtime.together import Together

CUDA = "CUDAExecutionProvider"
SIZES = "batches"  # a parameter of the network's config: sizes with a session of their own
NHWC = "prefer_nhwc"  # another: convolutions with the channels last


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        provider = CUDA if args["model_instance_kind"] == "GPU" else "CPUExecutionProvider"
        layout = adapter.parameter(args, NHWC)
        sizes = [int(size) for size in adapter.parameter(args, SIZES).split()]
        self._network = Together(path, provider, {NHWC: layout} if layout else {}, sizes)

    def execute(self, requests: list[Any]) -> list[Any]:
        return adapter.answer_together(requests, self._network.inputs, self._network)
