"""The same cache on a GPU: it stays there, and small graphs append to it and move rows, in place.

Tensors of the networks never come to this process; logits and hidden states do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto

from avatar_runtime.appending import AT, CACHE, NEXT, appending
from avatar_runtime.xtts.cache import FEWEST, ROOM
from avatar_runtime.xtts.graphs import EMBEDS, HIDDEN, KEYS, LENGTHS, LOGITS, VALUES, past_names

Floats = NDArray[np.float32]

class DeviceCache:
    """Arrays [rows, heads, room, size] on the device, two for each layer; the first `count` rows are in use."""

    def __init__(self, layers: int, heads: int, size: int, dtype: type[Any], provider: str) -> None:
        self._device = "cuda" if provider.startswith("CUDA") else "cpu"
        self._dtype = dtype
        kind = TensorProto.FLOAT16 if dtype is np.float16 else TensorProto.FLOAT
        self._append = appending(layers, kind, provider)
        self._names = past_names(layers)
        self._shape = (heads, size)
        self.count = 0
        self._make(FEWEST, ROOM)

    def _make(self, rows: int, room: int) -> None:
        heads, size = self._shape
        # Each from zeros of its own: on the processor an OrtValue lies where the array lies.
        shape = (rows, heads, room, size)
        self._arrays = [
            ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, self._dtype), self._device, 0) for _ in self._names
        ]
        self.lengths = np.zeros(rows, np.int64)

    @property
    def room(self) -> int:
        return int(self._arrays[0].shape()[2])

    def bind(self, binding: Any) -> None:
        """Gives the rows in use to a run of the GPT, where they lie."""
        for name, array in zip(self._names, self._arrays, strict=True):
            self._bind(binding.bind_input, name, array)

    def _bind(self, bind: Any, name: str, array: Any) -> None:
        shape = [self.count, *array.shape()[1:]]
        bind(name, self._device, 0, self._dtype, shape, array.data_ptr())

    def append(self, keys: Any, values: Any) -> None:
        """One position for every row in use: OrtValues [layers, count, heads, 1, size] on the device."""
        self._grow(self.count, int(self.lengths[: self.count].max()) + 1)
        binding = self._append.io_binding()
        binding.bind_ortvalue_input(KEYS, keys)
        binding.bind_ortvalue_input(VALUES, values)
        binding.bind_cpu_input(AT, self.lengths[: self.count].copy())
        for index, array in enumerate(self._arrays):
            self._bind(binding.bind_input, f"{CACHE}{index}", array)
            self._bind(binding.bind_output, f"{NEXT}{index}", array)
        self._append.run_with_iobinding(binding)
        self.lengths[: self.count] += 1

    def add(self, keys: NDArray[Any], values: NDArray[Any]) -> None:
        """A new row from keys and values [layers, 1, heads, m, size] of this process; once an utterance."""
        length = keys.shape[3]
        self._grow(self.count + 1, length + 1)
        self.count += 1
        for index, new in enumerate(part[layer, 0] for layer in range(len(keys)) for part in (keys, values)):
            self._row(index, self.count - 1, np.pad(new, ((0, 0), (0, self.room - length), (0, 0))))
        self.lengths[self.count - 1] = length

    def remove(self, row: int) -> None:
        """Takes a row out; the last one moves into its place."""
        last = self.count - 1
        if row != last:
            for index, array in enumerate(self._arrays):
                self._row(index, row, array.numpy()[last])
            self.lengths[row] = self.lengths[last]
        self.count = last

    def _row(self, index: int, row: int, values: NDArray[Any]) -> None:
        """Replaces one row of one array. Rare (an utterance begins or ends), so it goes through this process."""
        whole = self._arrays[index].numpy().copy()
        whole[row] = values
        self._arrays[index].update_inplace(np.ascontiguousarray(whole))

    def _grow(self, rows: int, room: int) -> None:
        have = len(self.lengths)
        rows = have if rows <= have else max(rows, 2 * have)
        room = self.room if room <= self.room else -(-room // ROOM) * ROOM
        if rows == have and room == self.room:
            return
        for index, old in enumerate(self._arrays):
            before = old.numpy()
            wide = np.zeros((rows, before.shape[1], room, before.shape[3]), self._dtype)
            wide[: self.count, :, : before.shape[2]] = before[: self.count]
            self._arrays[index] = ort.OrtValue.ortvalue_from_numpy(wide, self._device, 0)
        self.lengths = np.resize(self.lengths, rows)

    def clear(self) -> None:
        """Forgets every row, and gives memory back that only a crowd needed."""
        self.count = 0
        if len(self.lengths) > FEWEST or self.room > ROOM:
            self._make(FEWEST, ROOM)


def step(session: ort.InferenceSession, cache: DeviceCache, codes: NDArray[Any]) -> tuple[Floats, Floats]:
    """One code for every row: EMBEDS [n, 1, w] -> logits [n, codes], hidden states [n, w]; the cache grows by one."""
    binding = session.io_binding()
    binding.bind_cpu_input(EMBEDS, np.ascontiguousarray(codes))
    binding.bind_cpu_input(LENGTHS, cache.lengths[: cache.count].copy())
    cache.bind(binding)
    for name in (LOGITS, HIDDEN):
        binding.bind_output(name, "cpu")
    for name in (KEYS, VALUES):
        binding.bind_output(name, cache._device, 0)
    session.run_with_iobinding(binding)
    logits, hidden, keys, values = binding.get_outputs()
    cache.append(keys, values)
    return logits.numpy(), hidden.numpy()
