"""What a session tells the person about failures: once when a role fails, once when it is back."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from typing import Any

from avatar_runtime.contracts import AvatarError, Code, Role

log = logging.getLogger("gateway.sessions")

Send = Callable[[dict[str, Any]], None]

_WITHOUT = {
    Role.VAD: "It cannot hear when you speak at the moment; typing works.",
    Role.STT: "It cannot understand speech at the moment; typing works.",
    Role.TTS: "It has no voice at the moment; the answers are written.",
    Role.MOTION: "The picture stands still at the moment; the voice works.",
    Role.RENDER: "The renderer{engine} is not available at the moment: the picture stands still, the voice works.",
}
_TOO_SLOW = "The renderer{engine} is too slow at the moment: the picture stands still, the voice works."
_AGAIN = {
    Role.VAD: "It hears you again.",
    Role.STT: "It understands speech again.",
    Role.TTS: "It has its voice back.",
    Role.MOTION: "The picture moves again.",
    Role.RENDER: "The picture moves again.",
}
#: Errors that mean "the engine is away"; the others are about this one request and say themselves what is wrong.
_AWAY = {Code.ENGINE_UNAVAILABLE, Code.TIMEOUT, Code.INVALID_REQUEST, Code.INTERNAL}


def notice(error: AvatarError, level: str = "error") -> dict[str, Any]:
    """The data channel's form of an error."""
    return {
        "type": "notice",
        "code": str(error.code),
        "level": level,
        "message": error.message,
        "retryable": error.retryable,
    }


def crash(error: Exception) -> AvatarError:
    """A bug, for the person: a short id. The log has the id and where it happened, but no values: they may be words."""
    ident = secrets.token_hex(4)
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("a session failed, id %s: %s\n%s", ident, type(error).__name__, where)
    return AvatarError(Code.INTERNAL, f"Something went wrong; the server's log has the details under {ident}.")


class Health:
    """Which roles fail just now."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.failing: dict[Role, dict[str, Any]] = {}  # and what was said about it
        self._moving = True

    def failed(self, role: Role, error: AvatarError, engine: str = "") -> None:
        """Tell the person; an engine that stays away is told once, another of the same role anew."""
        if error.code not in _AWAY:
            self._send(notice(error))
            return
        slow = role is Role.RENDER and error.code is Code.TIMEOUT
        words = (_TOO_SLOW if slow else _WITHOUT[role]).format(engine=f" {engine}" if engine else "")
        if role not in self.failing or (engine and engine not in self.failing[role]["message"]):
            self.failing[role] = notice(AvatarError(Code.ENGINE_UNAVAILABLE, words), "warning")
            self._send(self.failing[role])

    def repeat(self) -> None:
        """Say again what fails just now, to a page that has only now begun to listen."""
        for message in self.failing.values():
            self._send(message)
        if not self._moving:
            self._send({"type": "picture", "moving": False})

    def moving(self, moves: bool) -> None:
        """Whether the video shows the character: while another one's last frame stands there, the still is better."""
        if moves is not self._moving:
            self._moving = moves
            self._send({"type": "picture", "moving": moves})

    def works(self, role: Role) -> None:
        if self.failing.pop(role, None) is None:
            return
        self._send(
            {
                "type": "notice",
                "code": "engine_back",
                "level": "info",
                "message": _AGAIN[role],
                "retryable": False,
            }
        )
