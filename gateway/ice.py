"""How media find a way through NAT: STUN and TURN servers, and the short-lived keys of the relay.

The keys are coturn's REST scheme (`use-auth-secret`; draft-uberti-behave-turn-rest-00): the user name carries the time
until which it counts, the password is its HMAC. Gateway and relay share nothing but the secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_STUN = re.compile(rf"stuns?:{_HOST}")
_TURN = re.compile(rf"turn:{_HOST}(?:\?transport=(?:udp|tcp))?|turns:{_HOST}(?:\?transport=tcp)?")


def split(text: str) -> list[str]:
    """The URLs of a comma list."""
    return [url.strip() for url in text.split(",") if url.strip()]


def check(stun: Sequence[str], turn: Sequence[str], secret: str) -> None:
    """ValueError with one sentence about settings with which no browser could work."""
    for url in stun:
        if url.startswith("turn"):
            raise ValueError(
                "ANTLITZ_ICE_SERVERS is for STUN; a relay belongs into ANTLITZ_TURN_URLS, with its secret."
            )
        if not _STUN.fullmatch(url):
            raise ValueError(f"ANTLITZ_ICE_SERVERS should hold URLs such as stun:host:3478, not {url!r}.")
    for url in turn:
        if not _TURN.fullmatch(url):
            example = "turn:host:3478?transport=udp or turns:host:5349?transport=tcp"
            raise ValueError(f"ANTLITZ_TURN_URLS should hold URLs such as {example}, not {url!r}.")
    if turn and not secret:
        raise ValueError("ANTLITZ_TURN_URLS needs ANTLITZ_TURN_SECRET, the relay's static-auth-secret.")


def credentials(secret: str, name: str, until: int) -> tuple[str, str]:
    """User name and password that coturn takes until `until` (s since 1970). `name` is what its log shows."""
    username = f"{until}:{name}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()


def servers(
    stun: Sequence[str], turn: Sequence[str], secret: str, lifetime: int, name: str, now: float
) -> list[dict[str, Any]]:
    """RTCConfiguration's `iceServers`; the relay's key counts for `lifetime` s from `now` (s since 1970)."""
    found: list[dict[str, Any]] = [{"urls": list(stun)}] if stun else []
    if turn:
        username, credential = credentials(secret, name, int(now) + lifetime)
        found.append({"urls": list(turn), "username": username, "credential": credential})
    return found


def understood(ice_servers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of it aiortc (1.16) can read: no address in brackets. Of the rest it takes one STUN and the first TURN."""
    kept = [{**server, "urls": [url for url in server["urls"] if "[" not in url]} for server in ice_servers]
    return [server for server in kept if server["urls"]]


def relay_missing(ice_servers: Sequence[dict[str, Any]], sdp: str) -> bool:
    """Whether a relay was asked for and our description has no candidate of it: aioice gives up on it in silence."""
    return any("credential" in server for server in ice_servers) and " typ relay" not in sdp
