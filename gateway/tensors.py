"""Values as Triton's input tensors, and its output tensors as values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import InferInput
from tritonclient.utils import np_to_triton_dtype

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


def _tensor(name: str, value: Any) -> InferInput:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        value = np.array([item.encode("utf-8") for item in value], dtype=np.object_)
    tensor = InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    tensor.set_data_from_numpy(np.ascontiguousarray(value))
    return tensor


def inputs_of(values: dict[str, Any]) -> list[InferInput]:
    """Arrays, and text or lists of text as BYTES; what is None is left out."""
    return [_tensor(name, value) for name, value in values.items() if value is not None]


def texts(found: Any) -> list[str]:
    """A BYTES output; none is empty."""
    return [] if found is None else [item.decode("utf-8") for item in found.reshape(-1)]


def floats(found: Any, *shape: int) -> Floats:
    """An output in `shape`; an empty one is missing in Triton's answer."""
    return np.zeros([max(side, 0) for side in shape], np.float32) if found is None else found.reshape(shape)
