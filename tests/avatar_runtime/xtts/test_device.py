"""The cache that stays on a device, run on the processor's: the same operations, the same codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_runtime.replay import Replay
from avatar_runtime.xtts.bundle import XttsBundle
from avatar_runtime.xtts.cache import ROOM, Cache
from avatar_runtime.xtts.device import RECORDED_ROWS, DeviceCache
from avatar_runtime.xtts.gpt import Gpt, Tables
from avatar_runtime.xtts.graphs import TABLES

HERE = "CPUExecutionProvider"
LAYERS, HEADS, SIZE = 2, 3, 4


def value(array: np.ndarray) -> ort.OrtValue:
    return ort.OrtValue.ortvalue_from_numpy(array)


def contents(cache: DeviceCache) -> list[np.ndarray]:
    return [array.numpy()[: cache.count] for array in cache._arrays]


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "step", "remove"]), st.integers(1, 200)), max_size=14))
def test_it_does_what_the_other_does(kind: type, steps: list[tuple[str, int]]) -> None:
    there, plain = DeviceCache(LAYERS, HEADS, SIZE, kind, HERE), Cache(LAYERS, HEADS, SIZE, kind)
    random = np.random.default_rng(0)
    for what, number in steps:
        if what == "add":
            keys = random.normal(size=(LAYERS, 1, HEADS, number, SIZE)).astype(kind)
            plain.add(keys, -keys)
            there.add(value(keys), value(-keys))
        elif what == "step" and plain.count:
            keys = random.normal(size=(LAYERS, plain.count, HEADS, 1, SIZE)).astype(kind)
            plain.append(keys, -keys)
            there.append(value(keys), value(-keys))
        elif what == "remove" and plain.count:
            row = number % plain.count
            for cache in (there, plain):
                cache.remove(row)
        assert (there.count, there.room) == (plain.count, plain.room)
        assert (there.lengths[: there.count] == plain.lengths[: plain.count]).all()
        for mine, wanted in zip(contents(there), plain.feed().values(), strict=True):
            for row, length in enumerate(plain.lengths[: plain.count]):
                assert (mine[row, :, :length] == wanted[row, :, :length]).all()


def test_appending_happens_where_the_cache_lies() -> None:
    cache = DeviceCache(LAYERS, HEADS, SIZE, np.float32, HERE)
    keys = np.ones((LAYERS, 1, HEADS, 5, SIZE), np.float32)
    cache.add(value(keys), value(keys))
    before = [array.data_ptr() for array in cache._arrays]
    one = value(keys[:, :, :, :1] * 7)
    cache.append(one, one)
    assert [array.data_ptr() for array in cache._arrays] == before
    assert all((array[0, :, 5] == 7).all() and (array[0, :, :5] == 1).all() for array in contents(cache))
    cache.clear()
    assert cache.count == 0 and cache.room == ROOM


def test_a_new_row_holds_nothing_of_the_one_before() -> None:
    """A number that is not finite would be heard from behind every mask."""
    cache = DeviceCache(LAYERS, HEADS, SIZE, np.float32, HERE)
    bad = np.full((LAYERS, 1, HEADS, 9, SIZE), np.nan, np.float32)
    cache.add(value(bad), value(bad))
    cache.remove(0)
    good = np.ones((LAYERS, 1, HEADS, 3, SIZE), np.float32)
    cache.add(value(good), value(good))
    assert all(np.isfinite(array).all() for array in contents(cache))


def grown(twin: Path, prefixes: int) -> tuple[Tables, tuple[Gpt, Gpt]]:
    """The GPT with its cache here and on the processor's device, with so many utterances in it."""
    bundle = XttsBundle(twin, threads=1)
    tables = Tables(bundle.arrays(TABLES), bundle.sizes)
    session, random = bundle.session("gpt"), np.random.default_rng(0)
    gpts = Gpt(session, bundle.sizes), Gpt(session, bundle.sizes, resident=HERE)
    for length in range(2, 2 + prefixes):
        latents = random.normal(size=(32, bundle.sizes.width)).astype(np.float32)
        first, second = (gpt.add(tables.prefix(latents, list(range(5, 5 + length)))) for gpt in gpts)
        assert np.array_equal(first[0], second[0])
    return tables, gpts


def test_the_gpt_says_the_same_with_either(twin: Path) -> None:
    """In 8 bits a row's rounding depends on the rows beside it: only where none is added is it the very same."""
    tables, gpts = grown(twin, 4)
    random = np.random.default_rng(1)

    def apart(position: int) -> float:
        count = gpts[0].cache.count
        codes = np.stack([tables.code(int(random.integers(0, 1000)), position) for _ in range(count)])
        pairs = zip(*(gpt.step(codes) for gpt in gpts), strict=True)
        return max(float(np.abs(one - other).max() / np.abs(one).max()) for one, other in pairs)

    for position in range(1, 140):  # past the first ROOM, so that the one here grows
        assert apart(position) < 1e-5
        if position == 60:
            for gpt in gpts:
                gpt.cache.remove(0)
                gpt.cache.remove(1)
    for gpt in gpts:
        gpt.add(tables.prefix(np.zeros((32, tables.code(0, 0).size), np.float32), [5, 6]))
    assert gpts[0].cache.count == 3 and apart(140) < 0.15  # stepped as four
    assert gpts[1]._steps.fit()


def test_more_than_are_recorded_are_stepped_too(twin: Path) -> None:
    tables, gpts = grown(twin, RECORDED_ROWS[-1] + 1)
    assert not gpts[1]._steps.fit()
    codes = np.stack([tables.code(7 * row, 1) for row in range(gpts[0].cache.count)])
    first, second = (gpt.step(codes) for gpt in gpts)
    assert np.allclose(first[0], second[0], atol=1e-5) and np.allclose(first[1], second[1], atol=1e-5)
    gpts[1].cache.clear()
    gpts[1].add(tables.prefix(np.zeros((32, codes.shape[1]), np.float32), [5, 6]))
    assert gpts[1]._steps.fit()


def test_a_recording_that_says_something_else_is_not_used(twin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Replay.read
    monkeypatch.setattr(Replay, "read", lambda self, name: read(self, name) + 1)
    _, (_, there) = grown(twin, 1)
    assert not there._steps.fit()
