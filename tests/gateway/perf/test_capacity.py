"""How many talks a machine holds; and that the page is what the figures say."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.perf import capacity
from gateway.perf.capacity import Cores, Rhythm

RHYTHM = Rhythm(turn=10.0, answer=4.0)


def test_a_talk_is_the_mean_over_its_turn() -> None:
    cores = Cores(listens=0.5, speaks=0.75, sentence=1.0)
    assert capacity.mean(cores, RHYTHM) == pytest.approx(0.5 * 0.6 + 0.75 * 0.4 + 0.1)


def test_talks_and_cores_are_two_sides_of_one_plan() -> None:
    assert capacity.talks(2, each=0.5, share=0.75) == 3
    assert capacity.talks(1, each=0.8, share=0.75) == 0
    for count in (1, 3, 10_000):
        cores = capacity.needed(count, each=0.37, share=0.7)
        assert capacity.talks(cores, each=0.37, share=0.7) >= count > capacity.talks(cores - 1, each=0.37, share=0.7)


def test_a_gpu_is_shared_by_its_time() -> None:
    assert capacity.gpu_share(frame_ms=4.0, rate=25) == pytest.approx(0.1)


def test_the_committed_page_is_what_the_committed_figures_say() -> None:
    """When this fails: python -m gateway.perf.capacity > triton/CAPACITY.md."""
    committed = (Path(__file__).parents[3] / "triton" / "CAPACITY.md").read_text("utf-8")
    assert committed == capacity.page(capacity.read())


def test_every_figure_tells_where_it_is_from() -> None:
    figures = capacity.read()
    for each in (figures["processor"], figures["gateway"], *figures["gpu"]):
        assert len(each["source"]) > 20
