from __future__ import annotations

from gateway.security.buckets import MAX_VISITORS, Buckets, Places


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets(rate=2, burst=4)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0]
    assert buckets.take("a", 0.0) == 0.5
    assert buckets.take("b", 0.0) == 0, "others are not concerned"
    assert buckets.take("a", 0.5) == 0 and buckets.take("a", 0.5) == 0.5
    assert [buckets.take("a", 100.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]


def test_what_is_refused_costs_nothing() -> None:
    buckets = Buckets(rate=1, burst=10)
    assert buckets.take("a", 0.0, cost=8) == 0
    assert buckets.take("a", 0.0, cost=5) == 3
    assert buckets.take("a", 0.0, cost=2) == 0


def test_a_clock_that_jumps() -> None:
    buckets = Buckets(rate=1, burst=2)
    assert buckets.take("a", 1e9) == 0
    assert buckets.take("a", 0.0) == 0, "back: nothing is taken away"
    assert buckets.take("a", 0.0) == 1
    assert buckets.take("a", 1.0) == 0, "and time counts from there"


def test_memory_is_bounded() -> None:
    buckets = Buckets(rate=1, burst=1)
    for number in range(MAX_VISITORS + 5):
        buckets.take(str(number), 0.0)
    assert len(buckets._buckets) == MAX_VISITORS
    assert buckets.take(str(MAX_VISITORS), 0.0) == 1, "the newest are known"


def test_places_are_given_back() -> None:
    places = Places(2)
    assert places.take("a") and places.take("a") and not places.take("a")
    assert places.take("b")
    places.leave("a")
    assert places.take("a")
    for _ in range(2):
        places.leave("a")
    assert not places._taken["a"] and "b" in places._taken
    assert all(Places(0).take("a") for _ in range(100))
