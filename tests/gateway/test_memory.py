from __future__ import annotations

import pytest

from gateway import memory


def test_this_system_either_knows_it_or_is_left_alone() -> None:
    assert memory.limit_arenas() is memory.hand_back()


def test_a_system_without_glibc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.limit_arenas() and not memory.hand_back()
