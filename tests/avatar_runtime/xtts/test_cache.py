"""The cache against one that simply keeps a list a row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_runtime.xtts.cache import FEWEST, ROOM, Cache

LAYERS, HEADS, SIZE = 2, 3, 4
SHAPE = (LAYERS, 1, HEADS, 1, SIZE)


class Plain:
    """Rows of keys [layers, heads, n, size], each as long as it is."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []


def check(cache: Cache, plain: Plain) -> None:
    assert cache.count == len(plain.rows)
    fed = cache.feed()
    for row, wanted in enumerate(plain.rows):
        length = int(cache.lengths[row])
        assert length == wanted.shape[2]
        for layer in range(LAYERS):
            assert (fed[f"KEY_{layer}"][row, :, :length] == wanted[layer]).all()
            assert (fed[f"VALUE_{layer}"][row, :, :length] == -wanted[layer]).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "step", "remove"]), st.integers(1, 300)), max_size=25))
def test_whatever_happens_rows_keep_what_they_heard(steps: list[tuple[str, int]]) -> None:
    cache, plain, random = Cache(LAYERS, HEADS, SIZE, np.float32), Plain(), np.random.default_rng(0)
    for what, number in steps:
        if what == "add":
            keys = random.normal(size=(LAYERS, 1, HEADS, number, SIZE)).astype(np.float32)
            cache.add(keys, -keys)
            plain.rows.append(keys[:, 0])
        elif what == "step" and plain.rows:
            keys = random.normal(size=(LAYERS, len(plain.rows), HEADS, 1, SIZE)).astype(np.float32)
            cache.append(keys, -keys)
            plain.rows = [np.concatenate([row, keys[:, i]], 2) for i, row in enumerate(plain.rows)]
        elif what == "remove" and plain.rows:
            row = number % len(plain.rows)
            cache.remove(row)
            plain.rows[row] = plain.rows[-1]
            plain.rows.pop()
        check(cache, plain)


def test_what_is_fed_is_read_where_it_lies() -> None:
    cache = Cache(LAYERS, HEADS, SIZE, np.float32)
    cache.add(np.ones((LAYERS, 1, HEADS, 5, SIZE), np.float32), np.ones((LAYERS, 1, HEADS, 5, SIZE), np.float32))
    for array in cache.feed().values():
        assert array.flags.c_contiguous and array.base is not None
        assert array.shape == (1, HEADS, ROOM, SIZE)


def test_nothing_of_who_was_there_before_is_left_in_a_row() -> None:
    """A mask multiplies by nothing, and nothing times infinity is no number."""
    cache = Cache(LAYERS, HEADS, SIZE, np.float32)
    bad = np.full((LAYERS, 1, HEADS, 9, SIZE), np.inf, np.float32)
    good = np.ones((LAYERS, 1, HEADS, 3, SIZE), np.float32)
    for _ in range(2):
        cache.add(good, good)
    cache.add(bad, bad)
    cache.remove(0)  # the last one moves into its place
    cache.remove(0)
    cache.remove(0)
    for _ in range(3):
        cache.add(good, good)
    assert all(np.isfinite(array).all() for array in cache.feed().values())


def test_memory_that_a_crowd_needed_is_given_back() -> None:
    cache = Cache(LAYERS, HEADS, SIZE, np.float16)
    keys = np.ones((LAYERS, 1, HEADS, 500, SIZE), np.float16)
    for _ in range(9):
        cache.add(keys, keys)
    assert cache.room >= 501
    cache.clear()
    assert cache.count == 0 and cache.room == ROOM and len(cache.lengths) == FEWEST
