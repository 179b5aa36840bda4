"""The gateway as one Starlette application: the page, REST, and the sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from characters import CharacterStore
from gateway import rest
from gateway.cloning import Clones
from gateway.errors import HANDLERS
from gateway.inference import Inference
from gateway.rest.shapes import character_view
from gateway.sessions import Sessions
from gateway.sessions.signalling import signalling
from gateway.settings import Settings

PAGE: Final = Path(__file__).parent.parent / "client"  # an application, run from its checkout

HEADERS: Final = {
    # Everything the page needs comes from here; portraits and recordings may also be made in the browser.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "Permissions-Policy": "microphone=(self), camera=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """Adds `HEADERS` to every HTTP response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class PageFiles(StaticFiles):
    """The page's files; a browser asks each time whether they have changed (they are small, and modules mix badly)."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        response.headers["Cache-Control"] = "no-cache"
        return response


async def index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


def create_app(settings: Settings) -> Starlette:
    """The application; its parts, on ``app.state``, live from start-up to shutdown."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = await asyncio.to_thread(CharacterStore, settings.data)
        inference = Inference(settings.triton, settings)
        clones = Clones(inference, store)
        sessions = Sessions(settings, inference, store, character_view, clones=clones)
        app.state.settings, app.state.store, app.state.inference = settings, store, inference
        app.state.clones, app.state.sessions = clones, sessions
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(sessions.watch())
                try:
                    yield
                finally:
                    await sessions.close_all()
                    watching.cancel()
        finally:
            await clones.close()
            await inference.close()

    return Starlette(
        routes=[
            Route("/", index),
            WebSocketRoute("/api/session", signalling),
            *rest.routes(),
            Mount("/client", PageFiles(directory=PAGE, check_dir=False)),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
