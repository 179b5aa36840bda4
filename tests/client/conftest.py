from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # browser.py, which the tests of this folder share


@pytest.fixture
def gateway() -> Iterator[Any]:
    """A fake gateway of its own for each test."""
    from browser import FakeGateway

    fake = FakeGateway()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., Any]]:
    """Opens Chromium with or without a (fake) microphone."""
    from browser import ARGUMENTS, CHROMIUM, playwright

    with playwright.sync_playwright() as driver:
        yield lambda *more: driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])
