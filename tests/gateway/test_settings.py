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
    assert settings.ice_for("x", 0.0) == [{"urls": ["stun:a", "stun:b"]}]


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
        ("ANTLITZ_ICE_SERVERS", "stun.example:3478"),
        ("ANTLITZ_ICE_SERVERS", "turn:relay.example"),
        ("ANTLITZ_TURN_URLS", "relay.example"),
        ("ANTLITZ_TURN_URLS", "turns:relay.example?transport=udp"),
        ("ANTLITZ_TURN_SECONDS", "5"),
        ("ANTLITZ_TURN_USERS", "nobody"),
    ],
)
def test_nonsense_is_named(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        Settings.from_environment({variable: value})


def test_a_relay_needs_its_secret() -> None:
    with pytest.raises(ValueError, match="ANTLITZ_TURN_SECRET"):
        Settings.from_environment({"ANTLITZ_TURN_URLS": "turn:relay.example"})


@pytest.mark.parametrize(("users", "relays"), [("both", 1), ("page", 0)])
def test_the_gateway_may_do_without_a_relay(users: str, relays: int) -> None:
    environ = {"ANTLITZ_TURN_URLS": "turn:a", "ANTLITZ_TURN_SECRET": "s", "ANTLITZ_TURN_USERS": users}
    settings = Settings.from_environment(environ)
    assert len(settings.ice_for("x", 0.0)) == 1
    assert len(settings.ice_for("x", 0.0, gateway=True)) == relays
