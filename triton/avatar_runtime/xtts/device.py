"""The same cache on a GPU: it stays there, and small graphs append to it, widen it and move its rows.

Tensors of the networks never come to this process; logits and hidden states do. A row that comes or goes must not cost
more than a step: its neighbours are speaking.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto

from avatar_runtime.appending import AT, CACHE, MORE, NEXT, appending, copying, widening
from avatar_runtime.xtts.cache import FEWEST, ROOM
from avatar_runtime.xtts.graphs import EMBEDS, HIDDEN, KEYS, LENGTHS, LOGITS, VALUES, past_names

Floats = NDArray[np.float32]
ROW_AXIS, ROOM_AXIS, AXES = 0, 2, 4  # of a cache's array


class DeviceCache:
    """Arrays [rows, heads, room, size] on the device, two for each layer; the first `count` rows are in use."""

    def __init__(self, layers: int, heads: int, size: int, dtype: type[Any], provider: str) -> None:
        self._device = "cuda" if provider.startswith("CUDA") else "cpu"
        self._dtype = dtype
        kind = TensorProto.FLOAT16 if dtype is np.float16 else TensorProto.FLOAT
        self._append = appending(layers, kind, provider)
        self._copy = copying(2 * layers, kind, provider)
        self._widen = widening(2 * layers, AXES, kind, provider)
        self._widen_new = widening(2, AXES + 1, kind, provider)
        self._names = past_names(layers)
        self._shape = (heads, size)
        self._nothing = ort.OrtValue.ortvalue_from_numpy(np.zeros((1, heads, 1, size), dtype), self._device, 0)
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
        return int(self._arrays[0].shape()[ROOM_AXIS])

    def bind(self, binding: Any) -> None:
        """Gives the rows in use to a run of the GPT, where they lie."""
        for name, array in zip(self._names, self._arrays, strict=True):
            self._bind(binding.bind_input, name, array, 0, self.count)

    def bind_nothing(self, binding: Any) -> None:
        """Gives a run of the GPT an empty past."""
        for name in self._names:
            binding.bind_ortvalue_input(name, self._nothing)

    def _bind(self, bind: Any, name: str, array: Any, first: int, rows: int) -> None:
        """Rows of an array, where they lie."""
        row = array.shape()[1:]
        skipped = first * int(np.prod(row)) * np.dtype(self._dtype).itemsize
        bind(name, self._device, 0, self._dtype, [rows, *row], array.data_ptr() + skipped)

    def append(self, keys: Any, values: Any) -> None:
        """One position for every row in use: OrtValues [layers, count, heads, 1, size] on the device."""
        self._grow(self.count, int(self.lengths[: self.count].max()) + 1)
        self._write(keys, values, self.lengths[: self.count].copy(), 0)
        self.lengths[: self.count] += 1

    def add(self, keys: Any, values: Any) -> None:
        """A new row from keys and values, OrtValues [layers, 1, heads, m, size] on the device."""
        length = int(keys.shape()[3])
        self._grow(self.count + 1, length + 1)
        # The whole row is written: a number that is not finite would be heard from behind every mask.
        rest = self.room - length
        if rest:
            pads = np.zeros(2 * (AXES + 1), np.int64)
            pads[-2] = rest
            keys, values = self._widened(self._widen_new, [keys, values], pads)
        self._write(keys, values, np.zeros(1, np.int64), self.count)
        self.lengths[self.count] = length
        self.count += 1

    def remove(self, row: int) -> None:
        """Takes a row out; the last one moves into its place."""
        last = self.count - 1
        if row != last:
            binding = self._copy.io_binding()
            for index, array in enumerate(self._arrays):
                self._bind(binding.bind_input, f"{CACHE}{index}", array, last, 1)
                self._bind(binding.bind_output, f"{NEXT}{index}", array, row, 1)
            self._copy.run_with_iobinding(binding)
            self.lengths[row] = self.lengths[last]
        self.count = last

    def _write(self, keys: Any, values: Any, at: NDArray[np.int64], first: int) -> None:
        """New positions at `at` of the rows from `first` on, in place."""
        binding = self._append.io_binding()
        binding.bind_ortvalue_input(KEYS, keys)
        binding.bind_ortvalue_input(VALUES, values)
        binding.bind_cpu_input(AT, at)
        for index, array in enumerate(self._arrays):
            self._bind(binding.bind_input, f"{CACHE}{index}", array, first, len(at))
            self._bind(binding.bind_output, f"{NEXT}{index}", array, first, len(at))
        self._append.run_with_iobinding(binding)

    def _widened(self, session: ort.InferenceSession, arrays: list[Any], pads: NDArray[np.int64]) -> list[Any]:
        """The arrays with zeros behind their axes, on the device."""
        binding = session.io_binding()
        binding.bind_cpu_input(MORE, pads)
        for index, array in enumerate(arrays):
            binding.bind_ortvalue_input(f"{CACHE}{index}", array)
            binding.bind_output(f"{NEXT}{index}", self._device, 0)
        session.run_with_iobinding(binding)
        return list(binding.get_outputs())

    def _grow(self, rows: int, room: int) -> None:
        have = len(self.lengths)
        rows = have if rows <= have else max(rows, 2 * have)
        room = self.room if room <= self.room else -(-room // ROOM) * ROOM
        if rows == have and room == self.room:
            return
        pads = np.zeros(2 * AXES, np.int64)
        pads[AXES + ROW_AXIS], pads[AXES + ROOM_AXIS] = rows - have, room - self.room
        self._arrays = self._widened(self._widen, self._arrays, pads)
        self.lengths = np.resize(self.lengths, rows)

    def clear(self) -> None:
        """Forgets every row, and gives memory back that only a crowd needed."""
        self.count = 0
        if len(self.lengths) > FEWEST or self.room > ROOM:
            self._make(FEWEST, ROOM)


def begin(session: ort.InferenceSession, cache: DeviceCache, prefix: NDArray[Any]) -> tuple[Floats, Floats]:
    """A new row of the cache from EMBEDS [1, m, w] -> logits [1, codes], the hidden state [1, w] behind them."""
    binding = session.io_binding()
    cache.bind_nothing(binding)
    logits, hidden, keys, values = _run(session, cache, binding, prefix, np.zeros(1, np.int64))
    cache.add(keys, values)
    return logits, hidden


def step(session: ort.InferenceSession, cache: DeviceCache, codes: NDArray[Any]) -> tuple[Floats, Floats]:
    """One code for every row: EMBEDS [n, 1, w] -> logits [n, codes], hidden states [n, w]; the cache grows by one."""
    binding = session.io_binding()
    cache.bind(binding)
    logits, hidden, keys, values = _run(session, cache, binding, codes, cache.lengths[: cache.count].copy())
    cache.append(keys, values)
    return logits, hidden


def _run(
    session: ort.InferenceSession, cache: DeviceCache, binding: Any, embeds: NDArray[Any], lengths: NDArray[np.int64]
) -> tuple[Floats, Floats, Any, Any]:
    binding.bind_cpu_input(EMBEDS, np.ascontiguousarray(embeds))
    binding.bind_cpu_input(LENGTHS, lengths)
    for name in (LOGITS, HIDDEN):
        binding.bind_output(name, "cpu")
    for name in (KEYS, VALUES):
        binding.bind_output(name, cache._device, 0)
    session.run_with_iobinding(binding)
    logits, hidden, keys, values = binding.get_outputs()
    return logits.numpy(), hidden.numpy(), keys, values
