from __future__ import annotations

import pytest

from gateway.security.addresses import host_name, loopback, same_origin, visitor


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert loopback(host) is local


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8080", "localhost"),
        ("LocalHost", "localhost"),
        ("[::1]:8080", "::1"),
        ("example.org.:443", "example.org"),
        ("localhost:8080@evil.example", "evil.example"),
        ("evil.example/localhost", "evil.example"),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "ours"),
    [
        ("http://localhost:8080", "localhost:8080", "http", True),
        ("https://faces.example", "faces.example", "http", True),  # TLS ends at a proxy
        ("https://faces.example", "faces.example:443", "https", True),
        ("http://faces.example", "faces.example:80", "http", True),
        ("https://FACES.example", "faces.example", "https", True),
        ("http://localhost:3000", "localhost:8080", "http", False),
        ("https://evil.example", "faces.example", "https", False),
        ("https://faces.example.evil.example", "faces.example", "https", False),
        ("https://faces.example:8443", "faces.example", "https", False),
        ("null", "faces.example", "https", False),
        ("", "", "https", False),
        ("file://", "faces.example", "https", False),
        ("http://[::1", "faces.example", "https", False),
        ("http://a:99999", "a:99999", "http", False),
    ],
)
def test_whose_page_it_is(origin: str, host: str, scheme: str, ours: bool) -> None:
    assert same_origin(origin, host, scheme) is ours


def test_an_ipv6_network_is_one_visitor() -> None:
    assert visitor("2001:db8:1:2::3") == visitor("2001:db8:1:2:ffff::9") != visitor("2001:db8:1:3::3")
    assert visitor("::ffff:192.0.2.7") == visitor("192.0.2.7") == "192.0.2.7"
    assert visitor("fe80::1%eth0") == "fe80::/64"
    assert visitor("testclient") == "testclient"
