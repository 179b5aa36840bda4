"""The trace of one recording while it is spoken is kept beside this; `antlitz bench whisper --trace FILE` makes it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from gateway.bench.stt import edit_distance, normalised
from gateway.bench.whisper_streaming import trace

KEPT = Path(__file__).with_name("trace.json")

pytestmark = pytest.mark.models


def certain_at(rows: list, count: int) -> float:
    """When the first `count` words were certain."""
    return next(at for at, text, _ in rows if len(text.split()) >= count)


def test_the_trace_is_what_it_was(models: Path) -> None:
    """8-bit arithmetic differs a little between processors: a word may differ, and half a second."""
    if not (models / "bench" / "librivox" / "transcription").exists():
        pytest.skip("the recordings are not there: run `antlitz bench stt` once")
    kept, found = json.loads(KEPT.read_text("utf-8")), trace(models)
    wanted = normalised(kept[-1][1])
    assert edit_distance(wanted, normalised(found[-1][1])) <= 2 and found[-1][2] == ""
    texts = [text for _, text, _ in found]
    assert all(after.startswith(before) for before, after in itertools.pairwise(texts))
    for count in range(1, len(wanted) - 1, 3):
        assert certain_at(found, count) == pytest.approx(certain_at(kept, count), abs=0.6)
