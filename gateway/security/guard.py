"""The door: every request and every WebSocket passes here before anything else reads it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import http_response
from gateway.security.addresses import visitor
from gateway.security.buckets import Buckets, Places
from gateway.security.policy import NO_TOKEN, Ask, Policy, Refusal

VISITOR: Final = "antlitz.visitor"  # in an ASGI scope: whom limits count; "" where nobody is counted
BURST_SECONDS: Final = 20.0  # the page with its modules and portraits is some 60 requests at once
COST_OF_CHANGE: Final = 5.0  # tokens of a request that makes the models work; one that reads costs 1
AT_ONCE: Final = 8  # requests of one visitor that change something; their bodies lie in memory
LOGINS_PER_SECOND: Final = 1 / 12
LOGINS_AT_ONCE: Final = 5
POLICY_VIOLATION: Final = 1008  # RFC 6455

TOO_MANY: Final = Refusal(429, "These are too many requests; wait a moment.")
TOO_MANY_AT_ONCE: Final = Refusal(429, "Too many requests at once; wait for one to end.")
TOO_OFTEN: Final = Refusal(429, "That was tried too often; wait a moment.")


class Guard:
    """ASGI middleware: `Policy` decides, limits count. Without a token nobody is counted: all are its owner."""

    def __init__(
        self, app: ASGIApp, policy: Policy, rate: float, login: Path, on_refusal: Callable[[int], None] = lambda _: None
    ) -> None:
        """`rate` in requests a second of one visitor, 0 for no limit; `login` is the page for who has no token yet."""
        self.app = app
        self._policy, self._login, self._on_refusal = policy, login, on_refusal
        self._counts = policy.token is not None
        self._rate = Buckets(rate, rate * BURST_SECONDS) if rate else None
        self._logins = Buckets(LOGINS_PER_SECOND, LOGINS_AT_ONCE)
        self._running = Places(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        ask = asked(scope)
        who = scope[VISITOR] = visitor(ask.address) if self._counts else ""
        refusal, wait = self._refuse(ask, who)
        if refusal is not None:
            await self._answer(ask, refusal, wait, scope, receive, send)
            return
        if not (who and ask.changes and not ask.websocket):
            await self.app(scope, receive, send)
            return
        if not self._running.take(who):
            await self._answer(ask, TOO_MANY_AT_ONCE, 1, scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            self._running.leave(who)

    def _refuse(self, ask: Ask, who: str) -> tuple[Refusal | None, float]:
        now = time.monotonic()
        if who and self._rate is not None:
            wait = self._rate.take(who, now, COST_OF_CHANGE if ask.changes else 1.0)
            if wait:
                return TOO_MANY, wait
        refusal = self._policy.refuse(ask, time.time())
        if refusal is None and who and ask.path == "/api/login":
            wait = self._logins.take(who, now)
            if wait:
                return TOO_OFTEN, wait
        return refusal, 0.0

    async def _answer(
        self, ask: Ask, refusal: Refusal, wait: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._on_refusal(refusal.status)
        if ask.websocket:
            # Before it is accepted: the handshake is answered with 403, all that a page's script may learn.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await self._response(ask, refusal, wait)(scope, receive, send)

    def _response(self, ask: Ask, refusal: Refusal, wait: float) -> Response:
        if refusal is NO_TOKEN and ask.path == "/" and not ask.changes:
            return FileResponse(self._login, 401, {"Cache-Control": "no-store"})
        said = {"Cache-Control": "no-store", "Connection": "close"}  # a body that nobody has read may still come
        if refusal is NO_TOKEN:
            said["WWW-Authenticate"] = "Bearer"
        if wait:
            said["Retry-After"] = str(math.ceil(wait))
        return http_response(HTTPException(refusal.status, refusal.message, said))


def asked(scope: Scope) -> Ask:
    """What the policy looks at, out of an ASGI scope."""
    headers = Headers(scope=scope)
    return Ask(
        method=scope.get("method", "GET"),
        path=scope["path"],
        scheme=scope.get("scheme", "http"),
        address=(scope.get("client") or ("", 0))[0],
        host=headers.get("host", ""),
        origin=headers.get("origin"),
        site=headers.get("sec-fetch-site"),
        authorization=headers.get("authorization", ""),
        cookie="; ".join(headers.getlist("cookie")),
        websocket=scope["type"] == "websocket",
    )
