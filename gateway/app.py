"""The gateway as one Starlette application: the page, REST, and the sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from characters import CharacterStore
from gateway import memory, rest
from gateway.cloning import Clones
from gateway.dialogue import open_dialogue
from gateway.errors import HANDLERS
from gateway.inference import Inference
from gateway.observability.counted import Counted
from gateway.observability.metrics import Metrics
from gateway.rest.shapes import character_view
from gateway.security.guard import Guard
from gateway.security.headers import SecurityHeaders
from gateway.security.policy import Policy
from gateway.security.token import ensure
from gateway.sessions import Sessions
from gateway.sessions.following import Following
from gateway.sessions.signalling import signalling
from gateway.settings import Settings

PAGE: Final = Path(__file__).parent.parent / "client"  # an application, run from its checkout


class PageFiles(StaticFiles):
    """The page's files; a browser asks each time whether they have changed (they are small, and modules mix badly)."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        response.headers["Cache-Control"] = "no-cache"
        return response


async def index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


def open_store(settings: Settings) -> CharacterStore:
    """The characters, where the settings say. `StorageAway`, `StorageFailed`, `SchemaError` or ValueError when not."""
    return CharacterStore(settings.data, database=settings.database, assets=settings.assets)


def create_app(settings: Settings, opened: CharacterStore | None = None) -> Starlette:
    """The application; its parts, on ``app.state``, live from start-up to shutdown.

    `opened` are the characters where they were opened already; they are closed with the application.
    """
    kept = ensure(settings)
    metrics = Metrics()
    policy = Policy.of(settings, kept.token if kept else None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        memory.limit_arenas()
        store = opened if opened is not None else await asyncio.to_thread(open_store, settings)
        inference = Inference(settings.triton, settings, metrics)
        clones = Clones(inference, store)
        dialogue = open_dialogue(settings)
        sessions = Sessions(settings, inference, store, character_view, dialogue, clones, metrics=metrics)
        app.state.settings, app.state.store, app.state.inference = settings, store, inference
        app.state.clones, app.state.sessions = clones, sessions
        app.state.policy, app.state.metrics = policy, metrics
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = [
                    tasks.create_task(work)
                    for work in (inference.watch(), sessions.watch(), Following(store, sessions).run())
                ]
                try:
                    yield
                finally:
                    await sessions.close_all()
                    for task in watching:
                        task.cancel()
        finally:
            await dialogue.close()
            await clones.close()
            await inference.close()
            store.close()

    return Starlette(
        routes=[
            Route("/", index),
            WebSocketRoute("/api/session", signalling),
            *rest.routes(),
            Mount("/client", PageFiles(directory=PAGE, check_dir=False)),
        ],
        middleware=[
            Middleware(Counted, metrics=metrics),
            Middleware(SecurityHeaders),
            Middleware(Guard, policy=policy, rate=settings.rate, login=PAGE / "login.html", on_refusal=metrics.refused),
        ],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
