"""What a rough wire does to packets: the same every time, and what netem would do."""

from __future__ import annotations

import pytest

from gateway.bench.rough import MAX_UNDERWAY, Conditions, Wire


def through(conditions: Conditions, count: int = 10_000, seed: int = 7) -> list[tuple[float, int]]:
    """(s underway, number) of the packets that come out, in their order; one enters each 10 ms."""
    wire, found = Wire(seed), []
    wire.conditions = conditions
    for tick in range(10 * (count + 100)):
        now = tick / 1000
        number, rest = divmod(tick, 10)
        if rest == 0 and number < count:
            wire.send(number.to_bytes(4), now)
        arrived = [int.from_bytes(packet) for packet in wire.arrived(now)]
        found += [(now - each / 100, each) for each in arrived]
    assert wire.next_arrival is None
    return found


def test_a_smooth_wire_is_one() -> None:
    assert through(Conditions(), 100) == [(pytest.approx(0), number) for number in range(100)]


def test_delay_and_jitter_are_even_and_let_packets_overtake() -> None:
    times = [seconds for seconds, _ in through(Conditions(delay=0.1, jitter=0.1))]
    assert len(times) == 10_000
    assert 0 <= min(times) < 0.002 and 0.198 < max(times) < 0.202
    assert sum(times) / len(times) == pytest.approx(0.1, abs=0.003)
    numbers = [number for _, number in through(Conditions(delay=0.1, jitter=0.1), 1000)]
    assert numbers != sorted(numbers) and sorted(numbers) == list(range(1000))
    assert [number for _, number in through(Conditions(delay=0.1), 1000)] == list(range(1000))


def test_each_packet_has_its_own_chance() -> None:
    lost = 10_000 - len(through(Conditions(loss=0.05)))
    assert lost == pytest.approx(500, abs=70)
    twice = len(through(Conditions(duplicates=0.1))) - 10_000
    assert twice == pytest.approx(1000, abs=100)


def test_the_same_seed_is_the_same_network() -> None:
    rough = Conditions(loss=0.05, delay=0.1, jitter=0.1, duplicates=0.01)
    assert through(rough, 500) == through(rough, 500)
    assert through(rough, 500) != through(rough, 500, seed=8)


def test_a_packet_s_fate_does_not_hang_on_the_conditions_before() -> None:
    """So that one run with a cut is comparable with one without."""
    lossy = {number for _, number in through(Conditions(loss=0.05), 500)}
    delayed = {number for _, number in through(Conditions(loss=0.05, delay=0.1, jitter=0.1, duplicates=0.2), 500)}
    assert lossy == delayed


def test_a_cut_lets_nothing_in_and_what_is_underway_out() -> None:
    wire = Wire(1)
    wire.conditions = Conditions(delay=1.0)
    wire.send(b"before", 0.0)
    wire.conditions = Conditions(cut=True)
    wire.send(b"during", 0.5)
    assert wire.next_arrival == 1.0
    assert wire.arrived(0.9) == [] and wire.arrived(10.0) == [b"before"] and wire.next_arrival is None


def test_a_wire_is_bounded() -> None:
    wire = Wire(1)
    wire.conditions = Conditions(delay=1.0)
    for _ in range(MAX_UNDERWAY + 50):
        wire.send(b"", 0.0)
    assert len(wire.arrived(1.0)) == MAX_UNDERWAY


def test_as_netem_is_told() -> None:
    rough = Conditions(loss=0.05, delay=0.1, jitter=0.02, duplicates=0.01)
    assert " ".join(rough.netem()) == "limit 1000 delay 100ms 20ms loss 5% duplicate 1%"
    assert "loss 100%" in " ".join(Conditions(loss=0.05, cut=True).netem())
