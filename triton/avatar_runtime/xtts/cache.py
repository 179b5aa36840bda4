"""The keys and values of everything said so far: a row an utterance, appended to in place and never copied whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.xtts.graphs import past_names

ROOM = 128  # positions that a row grows by
FEWEST = 2  # rows that are made at once


class Cache:
    """Arrays [rows, heads, room, size], two for each layer; the first `count` rows are in use, without holes."""

    def __init__(self, layers: int, heads: int, size: int, dtype: type[Any]) -> None:
        self._names = past_names(layers)
        self._arrays = [np.zeros((FEWEST, heads, ROOM, size), dtype) for _ in self._names]
        self.lengths = np.zeros(FEWEST, np.int64)
        self.count = 0

    @property
    def room(self) -> int:
        return int(self._arrays[0].shape[2])

    def feed(self) -> dict[str, NDArray[Any]]:
        """The graph's inputs for all rows in use; views, not copies."""
        return {name: array[: self.count] for name, array in zip(self._names, self._arrays, strict=True)}

    def add(self, keys: NDArray[Any], values: NDArray[Any]) -> None:
        """A new row from keys and values [layers, 1, heads, m, size]; it becomes the last."""
        length = keys.shape[3]
        self._grow(self.count + 1, length + 1)
        row, self.count = self.count, self.count + 1
        # What the row held before is masked, but a number that is not finite would be heard through every mask.
        before = slice(length, int(self.lengths[row]))
        for array in self._arrays:
            array[row, :, before] = 0
        for layer in range(len(keys)):
            self._arrays[2 * layer][row, :, :length] = keys[layer, 0]
            self._arrays[2 * layer + 1][row, :, :length] = values[layer, 0]
        self.lengths[row] = length

    def append(self, keys: NDArray[Any], values: NDArray[Any]) -> None:
        """One position for every row in use: keys and values [layers, count, heads, 1, size]."""
        self._grow(self.count, int(self.lengths[: self.count].max()) + 1)
        for row in range(self.count):
            at = self.lengths[row]
            for layer in range(len(keys)):
                self._arrays[2 * layer][row, :, at] = keys[layer, row, :, 0]
                self._arrays[2 * layer + 1][row, :, at] = values[layer, row, :, 0]
        self.lengths[: self.count] += 1

    def remove(self, row: int) -> None:
        """Takes a row out; the last one moves into its place."""
        last = self.count - 1
        if row != last:
            for array in self._arrays:
                array[row] = array[last]
            self.lengths[row] = self.lengths[last]
        self.count = last

    def _grow(self, rows: int, room: int) -> None:
        """Makes place for `rows` rows of `room` positions; what is there is kept."""
        have = len(self._arrays[0])
        rows = have if rows <= have else max(rows, 2 * have)
        room = self.room if room <= self.room else -(-room // ROOM) * ROOM
        if rows == have and room == self.room:
            return
        for index, old in enumerate(self._arrays):
            wide = np.zeros((rows, old.shape[1], room, old.shape[3]), old.dtype)
            wide[: self.count, :, : old.shape[2]] = old[: self.count]
            self._arrays[index] = wide
        self.lengths = np.resize(self.lengths, rows)

    def clear(self) -> None:
        """Forgets every row, and gives memory back that only a crowd needed."""
        self.count = 0
        if len(self._arrays[0]) > FEWEST or self.room > ROOM:
            self._arrays = [np.zeros((FEWEST, a.shape[1], ROOM, a.shape[3]), a.dtype) for a in self._arrays]
            self.lengths = np.zeros(FEWEST, np.int64)
