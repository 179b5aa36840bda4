"""Names and addresses: was a request meant for us, does it come from our page, whose is it. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_USUAL_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_IPV6_NETWORK: Final = 64  # bits; one household or machine has them all


def loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without port and brackets; "" when it makes no sense."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
    return name.rstrip(".")


def same_origin(origin: str, host: str, scheme: str) -> bool:
    """Whether a page of `origin` was served at the Host header `host`.

    The origin's scheme is not compared: behind a proxy that ends TLS we see http where the browser sees https.
    A port that is left out is the usual one of `scheme`, which the gateway was asked with.
    """
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        page_port = page.port or _USUAL_PORTS.get(page.scheme)
        ports = {here.port} if here.port else {_USUAL_PORTS.get(scheme), _USUAL_PORTS.get(page.scheme)}
    except ValueError:
        return False
    return bool(page.hostname) and page.hostname == here.hostname and page_port in ports


def visitor(address: str) -> str:
    """Whom limits count: an IPv4 address, or an IPv6 network, for in one of those a machine has 2^64 addresses."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
    return str(parsed)
