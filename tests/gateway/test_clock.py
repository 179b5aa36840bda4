"""The wall clock is set; what measures time with ours does not see it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import aioice
import aiortc
import pytest

from gateway.clock import MEASURING, steady_media, unix_time

#: Modules that read the wall clock and are not told of ours: sources of sound that play files, which nobody uses here.
ELSEWHERE = {"mediastreams.py"}


@pytest.fixture
def jumped(monkeypatch: pytest.MonkeyPatch) -> float:
    """Somebody has set the clock; this is what it says now."""
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() - 3600.0)
    return real() - 3600.0


def test_it_is_the_time_of_the_wall_as_long_as_nobody_sets_that() -> None:
    assert unix_time() == pytest.approx(time.time(), abs=5.0)


def test_it_does_not_jump(jumped: float) -> None:
    assert unix_time() - jumped == pytest.approx(3600.0, abs=5.0)


def test_aiortc_and_aioice_measure_with_it(jumped: float) -> None:
    steady_media()
    for module in MEASURING:
        assert module.time.time() - jumped == pytest.approx(3600.0, abs=5.0), module.__name__
        assert module.time.monotonic is time.monotonic
    assert aiortc.clock.current_datetime().timestamp() == pytest.approx(unix_time(), abs=1.0)
    assert aiortc.rtcrtpreceiver.clock.current_ms() == pytest.approx((unix_time() + 2_208_988_800) * 1000, abs=1000)


def test_no_other_module_of_theirs_reads_the_wall() -> None:
    """A newer aiortc may: then `MEASURING` wants another look."""
    readers = {
        path.name
        for package in (aiortc, aioice)
        for path in Path(package.__file__).parent.glob("*.py")
        if re.search(r"\btime\.time\(|from time import", path.read_text())
    }
    assert readers == {Path(module.__file__).name for module in MEASURING} | ELSEWHERE
