"""The token that opens the doors: made once, kept in a file of its owner's alone, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.settings import Settings

FILE: Final = "token"  # in the data folder
COOKIE_SECONDS: Final = 30 * 24 * 3600


class Token:
    """A secret that is never shown by accident: not in `repr`, not in logs."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Token(…)"

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Whether `candidate` is the token; how long that takes says nothing about how much of it is right."""
        return hmac.compare_digest(_digest(candidate), _digest(self._value))

    def cookie(self, now: float) -> str:
        """What a browser keeps instead of the token: until when it is good (Unix time), and our signature on that."""
        until = f"{now + COOKIE_SECONDS:.0f}"
        return f"{until}.{self._signature(until)}"

    def accepts_cookie(self, cookie: str, now: float) -> bool:
        """Whether it is a cookie of ours whose time has not run out. A new token makes all of them worthless."""
        until, _, signature = cookie.partition(".")
        ours = hmac.compare_digest(_digest(signature), _digest(self._signature(until)))
        return ours and until.isascii() and until.isdigit() and now < int(until)

    def _signature(self, until: str) -> str:
        return hmac.new(self._value.encode(), b"cookie " + until.encode(errors="replace"), "sha256").hexdigest()


@dataclass(frozen=True)
class Kept:
    """A token, where it is kept (None: in the environment), and whether it was made just now."""

    token: Token
    path: Path | None
    fresh: bool


def ensure(settings: Settings) -> Kept | None:
    """The token of a gateway that needs one, made where there is none yet; None where it needs none.

    ValueError with one sentence when the file holds none.
    """
    if not settings.guarded:
        return None
    if settings.token:
        return Kept(Token(settings.token), None, False)
    path = settings.data / FILE
    fresh = not path.exists() and _write(path, secrets.token_urlsafe(32))
    value = path.read_text("ascii", errors="replace").strip()
    if len(value) < 16:
        raise ValueError(f"{path} holds no token: delete it, and a new one is made.")
    path.chmod(0o600)  # a copy or a backup may have opened it
    return Kept(Token(value), path, fresh)


def _write(path: Path, value: str) -> bool:
    """A whole file or none; False when another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    return True


def _digest(text: str) -> bytes:
    """Equal lengths, whatever was sent."""
    return hashlib.sha256(text.encode(errors="replace")).digest()
