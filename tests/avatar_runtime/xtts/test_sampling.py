"""Choosing codes, beside the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.xtts.sampling import Sampling, choose

CODES = 40


def logits(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=CODES).astype(np.float32) * 3


def counted(values: np.ndarray, seen: np.ndarray, how: Sampling, times: int = 4000) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.bincount([choose(values, seen, how, random) for _ in range(times)], minlength=CODES) / times


def test_greedy_takes_the_likeliest_that_was_not_there() -> None:
    values, seen = logits(0), np.zeros(CODES, bool)
    best = int(values.argmax())
    assert choose(values, seen, Sampling(temperature=0), np.random.default_rng(0)) == best
    seen[best] = True
    assert choose(values, seen, Sampling(temperature=0), np.random.default_rng(0)) != best


def test_the_penalty_makes_good_worse_and_bad_worse() -> None:
    values, seen = np.array([2.0, 1.0, -1.0], np.float32), np.array([True, False, True])
    how = Sampling(temperature=1, repetition_penalty=4, top_k=3, top_p=1)
    wanted = np.exp([0.5, 1.0, -4.0])
    found = np.bincount([choose(values, seen, how, np.random.default_rng(i)) for i in range(4000)], minlength=3) / 4000
    assert np.abs(found - wanted / wanted.sum()).max() < 0.03


def test_temperature_and_top_k() -> None:
    values, seen = logits(1), np.zeros(CODES, bool)
    how = Sampling(temperature=0.5, top_k=5, top_p=1.0)
    best = np.argsort(-values)[:5]
    wanted = np.exp(values[best] / 0.5 - values[best].max() / 0.5)
    found = counted(values, seen, how)
    assert found[np.setdiff1d(np.arange(CODES), best)].sum() == 0
    assert np.abs(found[best] - wanted / wanted.sum()).max() < 0.03


@given(st.integers(0, 1000), st.floats(0.05, 0.99))
def test_top_p_keeps_the_fewest_that_suffice(seed: int, top_p: float) -> None:
    values = logits(seed)
    share = np.exp(values - values.max())
    share = np.sort(share / share.sum())[::-1]
    fewest = int(np.searchsorted(np.cumsum(share), top_p) + 1)
    allowed = set(np.argsort(-values)[:fewest].tolist())
    how = Sampling(temperature=1, top_k=CODES, top_p=top_p)
    random = np.random.default_rng(seed)
    assert {choose(values, np.zeros(CODES, bool), how, random) for _ in range(60)} <= allowed


@pytest.mark.parametrize("how", [Sampling(), Sampling(temperature=0), Sampling(top_k=1), Sampling(top_p=0.0)])
def test_the_same_seed_chooses_the_same(how: Sampling) -> None:
    first, second = (np.random.default_rng(7) for _ in range(2))
    for seed in range(20):
        a, b = (choose(logits(seed), np.zeros(CODES, bool), how, each) for each in (first, second))
        assert a == b
