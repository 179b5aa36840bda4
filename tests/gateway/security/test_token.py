from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from gateway.security.token import COOKIE_SECONDS, Token, ensure
from gateway.settings import Settings

SECRET = "a-token-of-a-test"
NOW = 1_800_000_000.0


def test_it_matches_itself_alone() -> None:
    token = Token(SECRET)
    assert token.matches(SECRET)
    for other in ("", SECRET[:-1], SECRET + "x", SECRET.upper(), "\ud800", "ö"):
        assert not token.matches(other)


def test_the_comparison_takes_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        seen.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    token = Token(SECRET)
    assert not token.matches("x") and token.matches(SECRET) and not token.accepts_cookie("1.2", NOW)
    assert seen == [(32, 32)] * 3, "whatever was sent, hashes of one length are compared"


def test_a_cookie_is_good_until_its_time_has_run_out() -> None:
    cookie = Token(SECRET).cookie(NOW)
    assert SECRET not in cookie
    assert Token(SECRET).accepts_cookie(cookie, NOW + COOKIE_SECONDS - 1)
    assert not Token(SECRET).accepts_cookie(cookie, NOW + COOKIE_SECONDS)
    assert not Token("another-token-of-a-test").accepts_cookie(cookie, NOW), "a new token makes old cookies worthless"


@pytest.mark.parametrize("forged", ["", ".", "9999999999", "9999999999.", "9999999999.0", "x.y", "\ud800.\ud800", "²."])
def test_a_forged_cookie(forged: str) -> None:
    assert not Token(SECRET).accepts_cookie(forged, NOW)


def test_a_cookie_cannot_be_prolonged() -> None:
    until, _, signature = Token(SECRET).cookie(NOW).partition(".")
    assert not Token(SECRET).accepts_cookie(f"{int(until) + 1}.{signature}", NOW)


def test_it_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", host="0.0.0.0")
    first = ensure(settings)
    assert first is not None and first.fresh and first.path == tmp_path / "data" / "token"
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert len(first.token.reveal()) >= 43  # 256 bits
    first.path.chmod(0o644)
    again = ensure(settings)
    assert again is not None and not again.fresh and again.token.matches(first.token.reveal())
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert [path.name for path in first.path.parent.iterdir()] == ["token"]


def test_an_empty_file_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(ValueError, match="holds no token"):
        ensure(Settings(data=tmp_path, host="0.0.0.0"))


def test_the_environment_may_bring_it(tmp_path: Path) -> None:
    kept = ensure(Settings(data=tmp_path, token=SECRET))
    assert kept is not None and kept.token.matches(SECRET) and not kept.fresh
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        (Settings(), False),
        (Settings(host="localhost"), False),
        (Settings(host="::1"), False),
        (Settings(host="0.0.0.0"), True),
        (Settings(host="192.0.2.1"), True),
        (Settings(token=SECRET), True),
        (Settings(hosts="faces.example"), True),
    ],
)
def test_where_a_token_is_needed(settings: Settings, needed: bool) -> None:
    assert settings.guarded is needed


def test_it_is_never_shown_by_accident(caplog: pytest.LogCaptureFixture) -> None:
    database = "postgresql://antlitz:of-the-database@localhost/antlitz"
    settings = Settings(token=SECRET, turn_secret="of-the-relay", llm_key="of-the-model", database=database)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("gateway").info("%s %r %s", Token(SECRET), Token(SECRET), ensure(settings))
        logging.getLogger("gateway").info("%r", settings)
    for secret in (SECRET, "of-the-relay", "of-the-model", "of-the-database"):
        assert secret not in caplog.text
