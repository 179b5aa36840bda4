"""The rules without a server: who is let in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.security.policy import FOREIGN_HOST, FOREIGN_PAGE, NO_TOKEN, Ask, Policy, Refusal, cookies
from gateway.security.token import Token
from gateway.settings import Settings

NOW = 1_800_000_000.0
TOKEN = Token("a-token-of-a-test")
OPEN = Policy.of(Settings(), None)
LOCKED = Policy.of(Settings(host="0.0.0.0"), TOKEN)
NAMED = Policy.of(Settings(hosts="Faces.example"), TOKEN)

READ = Ask("GET", "/api/characters", "http", address="127.0.0.1", host="localhost:8080")
WRITE = replace(READ, method="POST")
SOCKET = replace(READ, path="/api/session", scheme="ws", websocket=True)
BEARER = "Bearer a-token-of-a-test"
COOKIE = f"other=1; antlitz={TOKEN.cookie(NOW)}"


def refused(policy: Policy, ask: Ask) -> Refusal | None:
    return policy.refuse(ask, NOW)


@pytest.mark.parametrize("ask", [READ, WRITE, SOCKET])
@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
def test_on_localhost_nothing_is_asked(ask: Ask, host: str) -> None:
    assert refused(OPEN, replace(ask, host=host)) is None


@pytest.mark.parametrize("ask", [READ, WRITE, SOCKET])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "", "192.0.2.1"])
def test_a_name_that_was_rebound_to_localhost_is_refused(ask: Ask, host: str) -> None:
    rebound = replace(ask, host=host, origin=f"http://{host}" if ask.changes else None)
    assert refused(OPEN, rebound) is FOREIGN_HOST


@pytest.mark.parametrize("ask", [WRITE, replace(WRITE, method="DELETE"), SOCKET])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null", "file://", ""])
def test_another_sites_page_changes_nothing(ask: Ask, origin: str) -> None:
    assert refused(OPEN, replace(ask, origin=origin)) is FOREIGN_PAGE
    assert refused(LOCKED, replace(ask, origin=origin, cookie=COOKIE)) is FOREIGN_PAGE


def test_our_own_page_does() -> None:
    own = "http://localhost:8080"
    assert refused(OPEN, replace(WRITE, origin=own)) is None
    assert refused(LOCKED, replace(WRITE, origin=own, cookie=COOKIE)) is None
    assert refused(LOCKED, replace(SOCKET, origin=own, cookie=COOKIE)) is None


def test_a_browser_that_sends_no_origin_says_where_it_is() -> None:
    assert refused(OPEN, replace(WRITE, site="cross-site")) is FOREIGN_PAGE
    assert refused(OPEN, replace(WRITE, site="same-site")) is FOREIGN_PAGE
    assert refused(OPEN, replace(WRITE, site="same-origin")) is None


def test_a_cookie_alone_changes_nothing() -> None:
    assert refused(LOCKED, replace(WRITE, cookie=COOKIE)) is FOREIGN_PAGE
    assert refused(LOCKED, replace(READ, cookie=COOKIE)) is None
    assert refused(LOCKED, replace(WRITE, cookie=COOKIE, authorization=BEARER)) is None


@pytest.mark.parametrize("ask", [READ, WRITE, SOCKET, replace(READ, path="/"), replace(READ, path="/metrics")])
def test_without_the_token_nobody_enters(ask: Ask) -> None:
    ask = replace(ask, address="192.0.2.9", host="192.0.2.1")
    assert refused(LOCKED, ask) is NO_TOKEN
    for wrong in ("Bearer wrong", "Bearer ", "Basic a-token-of-a-test", "a-token-of-a-test", "Bearer \ud800"):
        assert refused(LOCKED, replace(ask, authorization=wrong)) is NO_TOKEN
    assert refused(LOCKED, replace(ask, authorization=BEARER)) is None
    assert refused(LOCKED, replace(ask, authorization=BEARER.replace("Bearer", "bearer"))) is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/login", "/client/login.css"])
def test_what_needs_no_token(path: str) -> None:
    assert refused(LOCKED, replace(READ, path=path, address="192.0.2.9", host="x")) is None


@pytest.mark.parametrize("path", ["/client", "/api/login/", "/healthz/x", "//client/x", "/api/logout", "/API/LOGIN"])
def test_what_looks_like_it(path: str) -> None:
    assert refused(LOCKED, replace(READ, path=path, address="192.0.2.9", host="x")) is NO_TOKEN


def test_figures_are_for_this_machine_or_the_token() -> None:
    metrics = replace(READ, path="/metrics")
    assert refused(LOCKED, metrics) is None
    assert refused(LOCKED, replace(metrics, address="192.0.2.9")) is NO_TOKEN
    assert refused(LOCKED, replace(metrics, address="192.0.2.9", authorization=BEARER)) is None


def test_named_hosts_and_no_others() -> None:
    assert refused(NAMED, replace(READ, host="faces.example", authorization=BEARER)) is None
    assert refused(NAMED, replace(READ, host="evil.example", authorization=BEARER)) is FOREIGN_HOST
    assert refused(NAMED, replace(READ, authorization=BEARER)) is None, "its own machine"
    assert refused(NAMED, READ) is NO_TOKEN


def test_over_https_a_cookie_set_over_http_does_not_count() -> None:
    secure = replace(READ, scheme="https", cookie=COOKIE)
    assert refused(LOCKED, secure) is NO_TOKEN
    assert refused(LOCKED, replace(secure, cookie=COOKIE.replace("antlitz=", "__Host-antlitz="))) is None


def test_cookies() -> None:
    assert cookies('a=1; a="2"; b=3;; =; x; a=4', "a") == ["1", "2", "4"]
    assert cookies("", "a") == []
