"""perf_analyzer's report, and what is worse than was committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.perf import figures

UNARY = (
    "Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,"
    "Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency,"
    "Avg latency,request/response,response wait\n2,30.9904,6,827,195,31,3779,167,1,1665,5271,16937,76409,5000,7,4989\n"
)
DECOUPLED = (
    "Concurrency,Inferences/Second,Response Throughput,Client Send,Network+Server Send/Recv,Server Queue,"
    "Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,"
    "p99 latency,Avg latency,request/response,response wait\n"
    "1,9.99314,9.99314,0,0,170,24,49800,6,0,33196,60525,64657,64657,37180,0,0\n"
)


def test_a_report_is_read_in_milliseconds() -> None:
    found = figures.read(UNARY, concurrency=2)
    assert (found.p50, found.p95, found.p99, found.queue) == (1.665, 16.937, 76.409, 0.195)
    assert found.rate == pytest.approx(2 / 0.005)


def test_a_decoupled_engine_is_busy_longer_than_to_its_first_answer() -> None:
    found = figures.read(DECOUPLED, concurrency=1)
    assert found.p50 == 33.196 and found.rate == pytest.approx(1 / 0.050)


def test_a_report_without_a_measurement_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        figures.read(UNARY.splitlines()[0] + "\n", concurrency=1)


def test_what_became_slower_against_the_yardstick_is_named() -> None:
    measured = {"a": 19.0, "b": 21.0, "new": 900.0}
    (told,) = figures.regressions(measured, {"a": 10.0, "b": 10.0, "gone": 1.0}, tolerated=2.0)
    assert told == "b takes 21 times as long as the yardstick; 10 is committed, 20 tolerated."


def test_a_busier_machine_makes_the_yardstick_longer_too() -> None:
    assert figures.against(30.0, (2.0, 3.0, 40.0)) == 10.0


def test_how_busy_others_keep_the_processor() -> None:
    before = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2\n"
    after = "cpu  120 0 60 850 70 0 0 0 0 0\ncpu0 1 2\n"
    assert figures.busy(before, after) == pytest.approx(0.3)


def test_figures_are_shown_with_three_digits() -> None:
    assert [figures.shown(each) for each in (0.03412, 2.014, 45.68, 1173.4)] == ["0.0341", "2.01", "45.7", "1173"]


def test_the_committed_ratios_are_of_engines_that_there_are() -> None:
    repository = Path(__file__).parents[3] / "model_repository"
    assert figures.tolerance() > 1
    assert figures.ratios()
    for engine, ratio in figures.ratios().items():
        assert (repository / engine).is_dir() and ratio > 0
