"""How many talks a machine holds; and that the page is what the figures say."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.perf import capacity
from gateway.perf.capacity import Cores, Gpu, Rhythm

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
    drawing = Gpu("a", frame_ms=4.0, source="")
    assert drawing.share(25, RHYTHM) == pytest.approx(0.1)
    talking = Gpu("b", frame_ms=4.0, source="", sentence_ms=200.0, speech=0.1)
    assert talking.share(25, RHYTHM) == pytest.approx(0.1 + 0.02 + 0.04)


def test_no_more_is_planned_with_than_was_tried() -> None:
    figures = capacity.read()
    rhythm = Rhythm(figures["plan"]["turn"], figures["plan"]["answer"])
    tried = [one for one in (Gpu(**each) for each in figures["gpu"]) if one.held]
    assert tried
    for one in tried:
        planned = capacity.talks(1, one.share(figures["talk"]["rate"], rhythm), figures["plan"]["share"])
        assert 1 <= planned <= one.held, one.name


def test_the_page_goes_to_ten_thousand_and_says_what_it_rests_on() -> None:
    text = capacity.page(capacity.read())
    assert "| 10,000 |" in text and "What is measured here, and what is arithmetic" in text


def test_the_committed_page_is_what_the_committed_figures_say() -> None:
    """When this fails: python -m gateway.perf.capacity > triton/CAPACITY.md."""
    committed = (Path(__file__).parents[3] / "triton" / "CAPACITY.md").read_text("utf-8")
    assert committed == capacity.page(capacity.read())


def test_every_figure_tells_where_it_is_from() -> None:
    figures = capacity.read()
    for each in (figures["processor"], figures["gateway"], *figures["gpu"]):
        assert len(each["source"]) > 20
