from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from avatar_runtime.appending import AT, CACHE, KEYS, NEXT, VALUES, appending

HERE = "CPUExecutionProvider"
LAYERS, HEADS, SIZE, ROOM = 2, 3, 4, 9


@pytest.mark.parametrize(
    ("rows", "count", "at"),
    [(1, 1, [0]), (3, 1, [0, 5, 8]), (3, 1, [2, ROOM, 4]), (1, 4, [0]), (1, 4, [5]), (1, 9, [0]), (1, 4, [7])],
)
def test_new_positions_stand_where_they_belong(rows: int, count: int, at: list[int]) -> None:
    """Beyond the room nothing is written; elsewhere the old stays."""
    random = np.random.default_rng(0)
    caches = {
        f"{CACHE}{index}": random.normal(size=(rows, HEADS, ROOM, SIZE)).astype(np.float32)
        for index in range(2 * LAYERS)
    }
    new = {name: random.normal(size=(LAYERS, rows, HEADS, count, SIZE)).astype(np.float32) for name in (KEYS, VALUES)}
    session = appending(LAYERS, TensorProto.FLOAT, HERE)
    names = [f"{NEXT}{index}" for index in range(2 * LAYERS)]
    found = session.run(names, {**caches, **new, AT: np.array(at, np.int64)})
    for index, result in enumerate(found):
        wanted = caches[f"{CACHE}{index}"].copy()
        fresh = new[(KEYS, VALUES)[index % 2]][index // 2]
        for row, start in enumerate(at):
            for offset in range(count):
                if start + offset < ROOM:
                    wanted[row, :, start + offset] = fresh[row, :, offset]
        np.testing.assert_array_equal(result, wanted)
