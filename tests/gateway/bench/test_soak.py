from __future__ import annotations

import io
import subprocess
import sys
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS
from gateway.bench.marked import EVERY, HUSH, Marked, offsets
from gateway.bench.soak import Person, Sample, Talk, Turn, drift, growth, kinds, private, verdict
from gateway.bench.visitors import Seen
from gateway.playout.timeline import PACKETS_PER_SLOT

MINUTES = 30


def talk(grows: float = 0.0, late: float = 10.0, moves: float = 0.0, freezes: float = 0, silent: int = 0) -> Talk:
    """Half an hour: `grows` a sample, sound `late` ms after the picture, which `moves` over all."""
    counts = {"sessions": 1, "peers": 1, "sequences": 3, "tasks": 20}
    times = np.arange(0, MINUTES * 60, 10.0)
    found = Talk([Sample(at, 2e8 * (1 + grows * at), 1e9, counts, 25, 24, freezes) for at in times])
    noise = np.random.default_rng(0).normal(0, 4, MINUTES * 30)
    found.offsets = [
        (2000.0 * index, late + moves * index / len(noise) + float(each)) for index, each in enumerate(noise)
    ]
    found.turns = [Turn("says", index >= silent) for index in range(100)]
    return found


def test_a_talk_that_stays_as_it_was_passes() -> None:
    assert verdict(talk(), MINUTES * 60)[1]


@pytest.mark.parametrize(
    "fault",
    [
        {"grows": 3e-5},
        {"late": 60.0},
        {"late": -60.0},
        {"moves": 25.0},
        {"moves": -25.0},
        {"freezes": 1},
        {"silent": 1},
    ],
)
def test_each_fault_is_seen(fault: dict[str, float]) -> None:
    assert not verdict(talk(**fault), MINUTES * 60)[1]  # type: ignore[arg-type]  # whichever it is


def test_sessions_that_stay_are_seen() -> None:
    found = talk()
    last = found.samples[-1]
    found.samples[-1] = Sample(last.at, last.gateway, last.triton, {**last.counts, "peers": 2}, 25, 24, 0)
    assert not verdict(found, MINUTES * 60)[1]


def test_memory_is_compared_after_it_has_warmed_up() -> None:
    samples = [(float(at), 50.0 if at < 300 else 100.0 + at / 100) for at in range(0, 1800, 10)]
    early, late, grown = growth(samples, 300)
    assert 100 < early < late and grown == pytest.approx(late / early - 1)
    assert growth([(0.0, 1.0), (10.0, 1.0)], 5)[2] == 0


def test_single_outliers_are_no_drift() -> None:
    steady = [(1000.0 * index, 10.0) for index in range(200)]
    assert drift([*steady[:-3], *((at, 150.0) for at, _ in steady[-3:])]) == pytest.approx(0, abs=0.5)
    assert drift([(at, at / 10_000) for at, _ in steady]) == pytest.approx(19.9, abs=0.2)


def test_only_memory_that_lies_in_no_file_counts() -> None:
    rollup = "Rss: 900 kB\nPss: 800 kB\nPss_Anon: 100 kB\nPss_File: 650 kB\nPss_Shmem: 50 kB\nSwapPss: 1 kB\n"
    assert private(rollup) == 151 * 1024


def test_the_person_does_everything_now_and_then() -> None:
    done = list(islice(kinds(), 100))
    assert {kind: done.count(kind) > 5 for kind in ("says", "writes", "interrupts", "moves on")} == {
        "says": True, "writes": True, "interrupts": True, "moves on": True,
    }  # fmt: skip
    assert done.count("says") > 50


def test_a_tone_belongs_to_the_nearest_flash() -> None:
    flashes = [[1000.0, 50.0], [1040.0, 50.0], [3000.0, 100.0], [5000.0, 150.0]]  # the first was shown twice
    assert offsets(flashes, [1012.0, 2990.0, 4000.0], 200) == [(1000.0, 12.0), (3000.0, -10.0)]
    assert offsets(flashes, [], 200) == []


def test_a_marked_timeline_tells_its_slot_and_is_silent_before_its_tone() -> None:
    timeline = Marked()
    timeline.append(np.full(EVERY * 2 * 960, 1000, np.int16))
    loud = [int(np.abs(timeline.take_audio(packet)).max()) for packet in range(EVERY * 2 * PACKETS_PER_SLOT)]
    by_slot = np.array(loud).reshape(-1, PACKETS_PER_SLOT).max(1)
    assert by_slot[EVERY] > 10_000 and not by_slot[EVERY - HUSH : EVERY].any()
    assert (by_slot[1 : EVERY - HUSH] == 1000).all()
    again = Marked()
    again.put(5, np.zeros((I420_ROWS, FRAME_SIZE), np.uint8))
    frame = again.take_frame(5)
    assert frame is not None
    assert [int(frame[8, bit * 16 + 8] > 128) for bit in range(17)] == [1, 0, 1] + [0] * 14


class Looked:
    """A visitor who has seen ten seconds at 25 frames a second, with one gap, and one flash with its tone."""

    def __init__(self) -> None:
        self.page = self
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def look(self) -> Seen:
        frames = [at for at in np.arange(0, 10_000, 40.0) if not 5000 < at < 5400]
        return Seen(frames=frames, seconds=[{"freezeCount": 0.0}, {"freezeCount": 1.0}])

    def evaluate(self, _: str) -> dict[str, list[object]]:
        return {"flashes": [[2000.0, 50.0]], "tones": [2012.0]}

    def wait_for_timeout(self, _: float) -> None:
        self.at = 10_000.0


def test_a_sample_holds_what_the_visitor_saw_and_what_the_processes_take(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"sessions": 1, "peers": 1}
    monkeypatch.setattr(Person, "_counts", lambda self: counts)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        running = SimpleNamespace(process=SimpleNamespace(pid=child.pid), output=[])
        written = io.StringIO()
        person = Person(Looked(), running, 1, 60, Console(file=written, width=200))  # type: ignore[arg-type]
        person.talk.turns.append(Turn("says", True))
        person._wait(10)
    finally:
        child.communicate(b"\n")
    (sample,) = person.talk.samples
    assert (sample.fps, sample.slowest, sample.freezes, sample.counts) == (25, 16, 1, counts)
    assert sample.longest == 400 and sample.gateway > 1e6 and sample.triton == 0
    assert person.talk.offsets == [(2000.0, 12.0)]
    assert "25 fps (least 16, longest frame 400 ms)" in written.getvalue()
    assert "answered 1 of 1 (says)" in written.getvalue()
