from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.bench.language_model import LanguageModel


@pytest.fixture(scope="session")
def _served() -> Iterator[LanguageModel]:
    with LanguageModel(first_token=0.02, rate=300.0) as served:
        yield served


@pytest.fixture
def endpoint(_served: LanguageModel) -> LanguageModel:
    """A real HTTP endpoint, with nothing of an earlier test."""
    assert _served.until(lambda: _served.running == 0)
    _served.requests.clear()
    _served.keys.clear()
    _served.cancelled.clear()
    return _served
