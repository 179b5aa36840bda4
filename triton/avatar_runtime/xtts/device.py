"""The same cache on a GPU: it stays there, and small graphs append to it, widen it and move its rows.

Tensors of the networks never come to this process; logits and hidden states do. A row that comes or goes must not cost
more than a step: its neighbours are speaking.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto

from avatar_runtime.appending import AT, CACHE, MORE, NEXT, appending, copying, widening
from avatar_runtime.replay import Replay, plain
from avatar_runtime.xtts.cache import FEWEST, ROOM
from avatar_runtime.xtts.graphs import EMBEDS, HIDDEN, KEYS, LENGTHS, LOGITS, VALUES, past_names

Floats = NDArray[np.float32]
log = logging.getLogger("avatar_runtime")
ROW_AXIS, ROOM_AXIS, AXES = 0, 2, 4  # of a cache's array
RECORDED_ROWS = (1, 2, 4, 8)  # utterances in steps that are recorded; more, or longer ones, are stepped unrecorded
APART = 1e-2  # that a recorded step may be from a plain one, of the largest value: another kernel may be chosen
RECORDED_ROOM = 640  # positions: the prefix and some 20 s. In f16 that and eight rows are 0.6 GB


class DeviceCache:
    """Arrays [rows, heads, room, size] on the device, two for each layer; the first `count` rows are in use.

    There are `rows` and `room` from the beginning, always in the same place: steps on them can be recorded.
    """

    def __init__(
        self, layers: int, heads: int, size: int, dtype: type[Any], provider: str, rows: int = FEWEST, room: int = ROOM
    ) -> None:
        self.device = "cuda" if provider.startswith("CUDA") else "cpu"
        self.dtype = dtype
        kind = TensorProto.FLOAT16 if dtype is np.float16 else TensorProto.FLOAT
        self._append = appending(layers, kind, provider, recorded=True)
        self._copy = copying(2 * layers, kind, provider)
        self._widen = widening(2 * layers, AXES, kind, provider)
        self._widen_new = widening(2, AXES + 1, kind, provider)
        self._names = past_names(layers)
        self.layers, self.heads = layers, heads
        self._nothing = ort.OrtValue.ortvalue_from_numpy(np.zeros((1, heads, 1, size), dtype), self.device, 0)
        self.count = 0
        self.lengths = np.zeros(rows, np.int64)
        # Each from zeros of its own: on the processor an OrtValue lies where the array lies.
        shape = (rows, heads, room, size)
        self._arrays = self._first = [
            ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype), self.device, 0) for _ in self._names
        ]

    @property
    def moved(self) -> bool:
        """Whether more was needed than there was at first."""
        return self._arrays is not self._first

    @property
    def room(self) -> int:
        return int(self._arrays[0].shape()[ROOM_AXIS])

    def bind(self, binding: Any, rows: int) -> None:
        """Gives the first `rows` to a run of the GPT, where they lie."""
        for name, array in zip(self._names, self._arrays, strict=True):
            self._bind(binding.bind_input, name, array, 0, rows)

    def bind_nothing(self, binding: Any) -> None:
        """Gives a run of the GPT an empty past."""
        for name in self._names:
            binding.bind_ortvalue_input(name, self._nothing)

    def _bind(self, bind: Any, name: str, array: Any, first: int, rows: int) -> None:
        """Rows of an array, where they lie."""
        row = array.shape()[1:]
        skipped = first * int(np.prod(row)) * np.dtype(self.dtype).itemsize
        bind(name, self.device, 0, self.dtype, [rows, *row], array.data_ptr() + skipped)

    def recorded(self, keys: ort.OrtValue, values: ort.OrtValue, rows: int, number: int) -> Replay:
        """`append` for the first `rows`, from tensors [layers, rows, heads, 1, size] that stay; takes AT."""
        replay = Replay(self._append, self.device, number)
        replay.input(KEYS, keys)
        replay.input(VALUES, values)
        replay.input(AT, np.full(rows, self.room, np.int64))
        self._bind_all(replay.binding, 0, rows)
        return replay

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
        self._bind_all(binding, first, len(at))
        self._append.run_with_iobinding(binding, plain())

    def _bind_all(self, binding: Any, first: int, rows: int) -> None:
        for index, array in enumerate(self._arrays):
            self._bind(binding.bind_input, f"{CACHE}{index}", array, first, rows)
            self._bind(binding.bind_output, f"{NEXT}{index}", array, first, rows)

    def _widened(self, session: ort.InferenceSession, arrays: list[Any], pads: NDArray[np.int64]) -> list[Any]:
        """The arrays with zeros behind their axes, on the device."""
        binding = session.io_binding()
        binding.bind_cpu_input(MORE, pads)
        for index, array in enumerate(arrays):
            binding.bind_ortvalue_input(f"{CACHE}{index}", array)
            binding.bind_output(f"{NEXT}{index}", self.device, 0)
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
        self._arrays = self._first
        self.lengths = np.zeros(self._first[0].shape()[ROW_AXIS], np.int64)


class Steps:
    """Steps of the GPT for RECORDED_ROWS of a cache, recorded when this is made: nothing else may run meanwhile.

    A recording that does not say what a plain run says is not used, and the log tells.
    """

    def __init__(self, session: ort.InferenceSession, cache: DeviceCache, width: int, codes: int) -> None:
        self._cache = cache
        self._runs = {}
        for number, rows in enumerate((r for r in RECORDED_ROWS if r <= len(cache.lengths)), 1):
            run = Replay(session, cache.device, number)
            run.input(EMBEDS, np.zeros((rows, 1, width), cache.dtype))
            run.input(LENGTHS, np.zeros(rows, np.int64))
            cache.bind(run.binding, rows)
            run.output(LOGITS, np.zeros((rows, codes), np.float32))
            run.output(HIDDEN, np.zeros((rows, width), np.float32))
            new = np.zeros((cache.layers, rows, cache.heads, 1, width // cache.heads), cache.dtype)
            append = cache.recorded(run.output(KEYS, new), run.output(VALUES, new), rows, number)
            run({})
            append({})
            if _agrees(run, session, cache, rows, width):
                self._runs[rows] = run, append

    def fit(self) -> bool:
        """Whether the next step of the cache is one of these."""
        cache = self._cache
        most = max(self._runs, default=0)
        return not cache.moved and cache.count <= most and int(cache.lengths[: cache.count].max()) < cache.room

    def __call__(self, codes: NDArray[Any]) -> tuple[Floats, Floats]:
        """As `step`."""
        cache, count = self._cache, self._cache.count
        rows = next(size for size in self._runs if size >= count)
        run, append = self._runs[rows]
        embeds, lengths = np.zeros((rows, *codes.shape[1:]), codes.dtype), np.zeros(rows, np.int64)
        embeds[:count], lengths[:count] = codes, cache.lengths[:count]
        run({EMBEDS: embeds, LENGTHS: lengths})
        at = np.full(rows, cache.room, np.int64)  # rows that nobody speaks in are computed, and not kept
        at[:count] = lengths[:count]
        append({AT: at})
        cache.lengths[:count] += 1
        return run.read(LOGITS)[:count], run.read(HIDDEN)[:count]


def _agrees(run: Replay, session: ort.InferenceSession, cache: DeviceCache, rows: int, width: int) -> bool:
    """Whether the recorded `run` of a step says what a plain run says, twice with different inputs."""
    random = np.random.default_rng(0)
    for length in (1, cache.room):
        embeds = random.normal(size=(rows, 1, width)).astype(cache.dtype)
        lengths = random.integers(0, length, rows)
        run({EMBEDS: embeds, LENGTHS: lengths})
        binding = session.io_binding()
        cache.bind(binding, rows)
        wanted = _run(session, cache, binding, embeds, lengths)[:2]
        for name, values in zip((LOGITS, HIDDEN), wanted, strict=True):
            if not np.abs(run.read(name) - values).max() <= APART * np.abs(values).max():
                log.warning("XTTS: a recorded step says something else (%s, %d rows) and is not used", name, rows)
                return False
    return True


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
    cache.bind(binding, cache.count)
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
        binding.bind_output(name, cache.device, 0)
    session.run_with_iobinding(binding, plain())
    logits, hidden, keys, values = binding.get_outputs()
    return logits.numpy(), hidden.numpy(), keys, values
