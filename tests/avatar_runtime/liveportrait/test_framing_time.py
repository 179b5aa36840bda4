"""`avatar_runtime.liveportrait.framing_time` as the benchmark calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_runtime.liveportrait.framing_time import main

pytestmark = pytest.mark.models

PORTRAIT = Path(__file__).parents[3] / "characters" / "defaults" / "portraits" / "mona_lisa.jpg"


@pytest.mark.parametrize("with_bundle", [False, True])
def test_it_prints_figures(models: Path, bundle: Path, capsys: pytest.CaptureFixture[str], with_bundle: bool) -> None:
    given = ["--bundle", str(bundle)] if with_bundle else []
    assert main(["--models", str(models), "--portraits", str(PORTRAIT), "--frames", "5", *given]) == 0
    figures = json.loads(capsys.readouterr().out)["mona_lisa"]
    assert set(figures) == {"mean_ms", "p95_ms", "keypoints_ms", "paste_ms", "retarget_ms"}
    assert 0 < figures["paste_ms"] < figures["mean_ms"] < 100
