"""`avatar_runtime.pool`: so many run, so many wait, and one more is refused until there is a place."""

from __future__ import annotations

import threading

import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.pool import Pool


def test_a_full_pool_refuses_and_takes_the_next_when_there_is_a_place() -> None:
    pool, gate, done = Pool(2, 3, "test"), threading.Event(), threading.Semaphore(0)

    def work(fails: bool) -> None:
        gate.wait(10)
        done.release()
        if fails:
            raise ValueError

    for fails in (True, False, True, False, True):
        pool.submit(work, fails)
    with pytest.raises(AvatarError, match="try again") as caught:
        pool.submit(work, False)
    assert caught.value.code is Code.ENGINE_UNAVAILABLE and caught.value.retryable
    gate.set()
    assert all(done.acquire(timeout=10) for _ in range(5))
    pool._threads.shutdown()  # places are given back after the work
    assert all(pool._places.acquire(blocking=False) for _ in range(5))
    assert not pool._places.acquire(blocking=False)


def test_what_waits_is_dropped_when_it_closes() -> None:
    pool, gate, ran = Pool(1, 5, "test"), threading.Event(), []
    begun = threading.Event()
    pool.submit(lambda: (begun.set(), gate.wait(10)))
    assert begun.wait(10)
    pool.submit(ran.append, 1)
    pool.close()
    gate.set()
    pool._threads.shutdown()
    assert not ran
