"""Settings are read once, and a variable that makes no sense is named."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from avatar_runtime.contracts import Role
from gateway.settings import Settings


def test_values_come_from_the_environment() -> None:
    settings = Settings.from_environment(
        {
            "ANTLITZ_DATA": "/tmp/x",
            "ANTLITZ_PORT": "9000",
            "ANTLITZ_STT": "stt_other",
            "ANTLITZ_ICE_SERVERS": "stun:a, ,stun:b",
        }
    )
    assert settings.data == Path("/tmp/x") and settings.port == 9000
    assert settings.engine(Role.STT) == "stt_other" and settings.engine(Role.VOICE) == "voice_xtts"
    assert settings.ice_urls == ["stun:a", "stun:b"]


def test_nothing_changes_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANTLITZ_PORT", "many"),
        ("ANTLITZ_PORT", "70000"),
        ("ANTLITZ_MAX_SESSIONS", "0"),
        ("ANTLITZ_TURN_SILENCE", "60"),
        ("ANTLITZ_LOG_LEVEL", "loud"),
    ],
)
def test_nonsense_is_named(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        Settings.from_environment({variable: value})
