"""Runs whose tensors never move: on a GPU they are recorded once, as a CUDA graph, and replayed.

A step of a decoder is a thousand small kernels. Launching them one by one takes longer than running them; replaying
them all is one call. What was recorded holds for these shapes and these places in memory alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

#: ONNX Runtime's CUDA provider then records what runs with a number of its own
RECORDING: Final = {"enable_cuda_graph": "1"}
GRAPH_ID: Final = "gpu_graph_id"
UNRECORDED: Final = "-1"


def plain() -> ort.RunOptions:
    """The options of a run that is not to be recorded, of a session that records others."""
    options = ort.RunOptions()
    options.add_run_config_entry(GRAPH_ID, UNRECORDED)
    return options


class Replay:
    """One run of `session` with tensors that stay where they are on `device`."""

    def __init__(self, session: ort.InferenceSession, device: str, number: int) -> None:
        """`number`: of this run among those that `session` records, from 1."""
        self._session, self._device = session, device
        self.binding = session.io_binding()
        self._options = ort.RunOptions()
        self._options.add_run_config_entry(GRAPH_ID, str(number))
        self._values: dict[str, ort.OrtValue] = {}

    def input(self, name: str, value: NDArray[Any] | ort.OrtValue) -> None:
        """An input of this shape and kind, or the tensor that it is."""
        self.binding.bind_ortvalue_input(name, self._kept(name, value))

    def output(self, name: str, value: NDArray[Any] | ort.OrtValue) -> ort.OrtValue:
        """An output of this shape and kind -> the tensor that every run writes."""
        kept = self._kept(name, value)
        self.binding.bind_ortvalue_output(name, kept)
        return kept

    def _kept(self, name: str, value: NDArray[Any] | ort.OrtValue) -> ort.OrtValue:
        if isinstance(value, np.ndarray):  # copied: on the processor a tensor lies where its array lies
            value = ort.OrtValue.ortvalue_from_numpy(value.copy(), self._device, 0)
        self._values[name] = value
        return value

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> None:
        """Writes the inputs of `given` to their places and runs."""
        for name, value in given.items():
            self._values[name].update_inplace(np.ascontiguousarray(value))
        self._session.run_with_iobinding(self.binding, self._options)

    def read(self, name: str) -> NDArray[Any]:
        """An output of the last run, as an array of its own."""
        return np.array(self._values[name].numpy())
