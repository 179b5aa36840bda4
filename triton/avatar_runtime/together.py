"""A graph that answers the requests of many in one run, on a device: what is there already is joined there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from avatar_runtime.bundle import CUDA_OPTIONS
from avatar_runtime.contracts import AvatarError, Code

KINDS = {"tensor(float)": TensorProto.FLOAT, "tensor(float16)": TensorProto.FLOAT16, "tensor(uint8)": TensorProto.UINT8}
ANY = 0  # the session that takes batches of any size
Values = Mapping[str, Any]  # arrays, or tensors on the device that speak DLPack; the first axis is the batch


class Together:
    """An ONNX graph whose every input and output begins with the batch."""

    def __init__(
        self, path: Path, provider: str, more: Mapping[str, str] = MappingProxyType({}), sizes: Sequence[int] = ()
    ) -> None:
        """`more`: further options of a GPU's provider.

        `sizes`: batches that have a session of their own, in order; others are filled up to the next. For graphs of
        many convolutions: whenever the size changes, cuDNN plans each anew, 0.2 s and more in all (H100). Without,
        one session takes any size.

        Raises `engine_unavailable` when the graph is missing or broken, or the provider is not there.
        """
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._provider, self._device = provider, "cuda" if provider.startswith("CUDA") else "cpu"
        given = {**CUDA_OPTIONS, **more} if self._device == "cuda" else {}
        try:
            self._sessions = {
                size: ort.InferenceSession(str(path), options, providers=[(provider, given)])
                for size in sizes or (ANY,)
            }
        except Exception as error:  # ONNX Runtime raises a dozen types of its own without a common base
            raise AvatarError(Code.ENGINE_UNAVAILABLE, f"{path} is missing or no whole ONNX graph.") from error
        session = next(iter(self._sessions.values()))
        if session.get_providers()[0] != provider:
            raise AvatarError(Code.ENGINE_UNAVAILABLE, f"ONNX Runtime has no {provider} here: install onnxruntime-gpu.")
        self._inputs = {end.name: end.type for end in session.get_inputs()}
        self.outputs = [end.name for end in session.get_outputs()]

    @property
    def inputs(self) -> list[str]:
        return list(self._inputs)

    def __call__(self, requests: Sequence[Values]) -> list[dict[str, NDArray[Any]]]:
        """The outputs of each request, as arrays. All requests go into one run."""
        asked, batch = len(requests), [self._rows(request) for request in requests]
        size = next((size for size in self._sessions if size >= sum(batch)), ANY)
        if size == ANY and ANY not in self._sessions:
            raise AvatarError(Code.INVALID_REQUEST, f"At most {max(self._sessions)} rows go into one run.")
        session = self._sessions[size]
        if batch[-1] == 1:  # filled up by saying the last again
            requests = [*requests, *[requests[-1]] * (size - sum(batch))]
        binding, rows, kept = session.io_binding(), [], []
        for name, kind in self._inputs.items():
            values = [request[name] for request in requests]
            if all(isinstance(value, np.ndarray) for value in values):
                whole = np.concatenate(values) if len(values) > 1 else np.ascontiguousarray(values[0])
                binding.bind_cpu_input(name, whole)
                rows = [len(value) for value in values]
            else:
                placed = [self._placed(value) for value in values]
                whole = self._joined(kind, placed)
                binding.bind_ortvalue_input(name, whole)
                rows = [value.shape()[0] for value in placed]
                kept += placed
            kept.append(whole)  # until the run is over
        for name in self.outputs:
            binding.bind_output(name, "cpu")
        session.run_with_iobinding(binding)
        ends = np.cumsum(rows)[:-1]
        found = [np.split(value.numpy(), ends)[:asked] for value in binding.get_outputs()]
        return [dict(zip(self.outputs, each, strict=True)) for each in zip(*found, strict=True)]

    def _rows(self, request: Values) -> int:
        """How many rows a request has, told by an array if it brings one."""
        values = [request[name] for name in self._inputs]
        array = next((value for value in values if isinstance(value, np.ndarray)), None)
        return len(array) if array is not None else int(ort.OrtValue.from_dlpack(values[0]).shape()[0])

    def _placed(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value), self._device, 0)
        return ort.OrtValue.from_dlpack(value)

    def _joined(self, kind: str, values: list[Any]) -> Any:
        """Tensors on the device as one, there."""
        if len(values) == 1:
            return values[0]
        session = _joining(KINDS[kind], len(values), len(values[0].shape()), self._provider)
        binding = session.io_binding()
        for index, value in enumerate(values):
            binding.bind_ortvalue_input(f"PART_{index}", value)
        binding.bind_output("WHOLE", self._device, 0)
        session.run_with_iobinding(binding)
        return binding.get_outputs()[0]


@cache
def _joining(kind: int, count: int, axes: int, provider: str) -> ort.InferenceSession:
    parts = [f"PART_{index}" for index in range(count)]
    node = helper.make_node("Concat", parts, ["WHOLE"], axis=0)
    ends = [helper.make_tensor_value_info(name, kind, [None] * axes) for name in (*parts, "WHOLE")]
    graph = helper.make_graph([node], "join", ends[:-1], ends[-1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return ort.InferenceSession(model.SerializeToString(), providers=[provider])
