"""The headers that every answer carries: what a page of ours may load, and that nobody may frame or misread it."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Everything comes from here, without exception for inline script or style; portraits and recordings are also made
#: in the browser (blob:). `{socket}` is our own WebSocket: Safari before 15.4 does not count it as 'self'.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self' {socket}; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(self), display-capture=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


class SecurityHeaders:
    """Adds `HEADERS` and the page's policy to every HTTP response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", content_policy(scope))
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def content_policy(scope: Scope) -> str:
    """The Content-Security-Policy for a page at the address that `scope` asked for."""
    host = Headers(scope=scope).get("host", "")
    socket = ""
    if _HOST.fullmatch(host):
        socket = f"{'wss' if scope.get('scheme') == 'https' else 'ws'}://{host}"
    return POLICY.format(socket=socket).replace(" ;", ";")
